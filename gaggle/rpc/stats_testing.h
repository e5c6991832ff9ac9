// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <stdexcept>
#include <string>
#include <vector>

#include "gaggle/rpc/stats_handler.h"

namespace gaggle {

// Writes down what it is told, a line per event, and holds what stats_handler.h promises of every call
// and connection: a beginning first, an end last, each once. One loop's thread.
class RecordingStats final : public StatsHandler {
 public:
  struct Call {
    stats::CallBegin begin;
    std::string method{};
    std::vector<std::string> lines{};  // "message sent 3"
    Duration time{-1};                 // from beginning to end
    StatusCode code{};
    std::string peer{};
    std::string metadata{};  // "x" of the header, then of the trailer
    bool ended = false;
  };
  struct Connection {
    std::string peer{};
    bool ended = false;
    StatusCode why{};
    size_t calls_at_end = 0;  // that hadn't ended
  };

  ~RecordingStats() override;

  // The lines of one call, in one string.
  std::string of(size_t call) const;
  size_t open_calls() const;

  std::deque<Call> calls;
  std::deque<Connection> connections;

 private:
  stats::Tag on_connection_begin(const stats::ConnectionBegin&) noexcept override;
  void on_connection_end(stats::Tag, const stats::ConnectionEnd&) noexcept override;
  stats::Tag on_call_begin(const stats::CallBegin&) noexcept override;
  void on_delayed_pick(stats::Tag, const stats::DelayedPick&) noexcept override;
  void on_header_sent(stats::Tag, const stats::Header&) noexcept override;
  void on_header_received(stats::Tag, const stats::Header&) noexcept override;
  void on_message_sent(stats::Tag, const stats::Payload&) noexcept override;
  void on_message_received(stats::Tag, const stats::Payload&) noexcept override;
  void on_trailer_sent(stats::Tag, const stats::Trailer&) noexcept override;
  void on_trailer_received(stats::Tag, const stats::Trailer&) noexcept override;
  void on_call_end(stats::Tag, const stats::CallEnd&) noexcept override;

  Call& note(stats::Tag tag, std::string line);
  void note_header(stats::Tag tag, std::string line, const stats::Header& header);
  void note_message(stats::Tag tag, std::string line, const stats::Payload& payload);
};

// Throws whenever it's told anything.
class ThrowingStats final : public StatsHandler {
 public:
  size_t thrown = 0;

 private:
  [[noreturn]] void fail() {
    ++thrown;
    throw std::runtime_error("not interested");
  }
  stats::Tag on_connection_begin(const stats::ConnectionBegin&) override { fail(); }
  void on_connection_end(stats::Tag, const stats::ConnectionEnd&) override { fail(); }
  stats::Tag on_call_begin(const stats::CallBegin&) override { fail(); }
  void on_delayed_pick(stats::Tag, const stats::DelayedPick&) override { fail(); }
  void on_header_sent(stats::Tag, const stats::Header&) override { fail(); }
  void on_header_received(stats::Tag, const stats::Header&) override { fail(); }
  void on_message_sent(stats::Tag, const stats::Payload&) override { fail(); }
  void on_message_received(stats::Tag, const stats::Payload&) override { fail(); }
  void on_trailer_sent(stats::Tag, const stats::Trailer&) override { fail(); }
  void on_trailer_received(stats::Tag, const stats::Trailer&) override { fail(); }
  void on_call_end(stats::Tag, const stats::CallEnd&) override { fail(); }
};

}  // namespace gaggle
