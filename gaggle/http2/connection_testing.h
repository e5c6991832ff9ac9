// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "gaggle/http2/connection.h"
#include "gaggle/http2/frames_testing.h"

namespace gaggle::http2::testing {

using Lines = std::vector<std::string>;

// What a layer above may do by itself; tests that want to act themselves choose kNothing.
enum class Behaviour : uint8_t {
  kNothing,  // streams stay until the test releases them
  kAnswer,   // server: a complete request gets "200", content "ok" and trailers, and is released;
             // both: what is over is released
};

// A connection with a scripted peer: send() is what the peer says, sent() what it gets, heard()
// what the layer above was told. Time stands still until it's moved.
class Script final : public Events {
 public:
  explicit Script(Role role, const Options& options = {}, Behaviour behaviour = Behaviour::kAnswer);

  // Exchanges prefaces and acknowledgements, and forgets about them.
  Script& shake_hands(std::string_view peer_settings = {});
  // The peer's bytes arrive, cut into pieces of at most `piece`.
  Script& send(std::string_view bytes, size_t piece = SIZE_MAX);
  // What was written since the last time, one line a frame; written in pieces of `piece`.
  Lines sent(size_t piece = SIZE_MAX);
  Lines heard();
  Script& next_turn();
  Script& wait(Duration time);

  Stream& stream(uint32_t id);  // told of, and not released
  bool has_stream(uint32_t id) const { return streams_.contains(id); }
  size_t held_streams() const { return streams_.size(); }
  void release(Stream& stream);
  void answer(Stream& stream, bool end = true);
  // Client: opens a stream and sends its headers.
  Stream& request(bool end_stream = true);

  Connection& connection() { return connection_; }
  Transcript& transcript() { return transcript_; }
  TimePoint now() const { return now_; }
  std::string take_bytes(size_t piece = SIZE_MAX);  // instead of sent()

  Behaviour behaviour;
  bool consume_data = true;

  void on_headers(Stream& stream, HeaderBlockRef headers, bool end_stream) override;
  void on_trailers(Stream& stream, HeaderBlockRef trailers) override;
  void on_data(Stream& stream, std::span<const uint8_t> content, bool end_stream) override;
  void on_reset(Stream& stream, ErrorCode code, ResetOrigin origin) override;
  void on_writable(Stream& stream) override;
  void on_can_open() override { note("can open"); }
  void on_goaway(uint32_t last_stream_id, ErrorCode code, std::string_view debug) override;
  void on_settings(const Settings& peer) override;
  void on_settings_acked() override { note("settings acked"); }
  void on_ping_ack(uint64_t payload) override { note("ping ack " + std::to_string(payload)); }
  void on_connection_error(ErrorCode code, std::string_view reason) override;

 private:
  void note(std::string line);
  void flush_data();
  void ended(Stream& stream);

  TimePoint now_{std::chrono::hours(1)};
  Transcript transcript_;
  Lines heard_;
  // Content is told as it was cut; pieces that follow each other are noted as one.
  uint32_t data_stream_ = 0;
  std::string data_;
  std::map<uint32_t, Stream*> streams_;
  const Options options_;
  Tallies tallies_;
  Connection connection_;
};

// "a; b; c"
std::string join(const Lines& lines);

}  // namespace gaggle::http2::testing
