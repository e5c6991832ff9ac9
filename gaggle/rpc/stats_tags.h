// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

#include "gaggle/base/bytes.h"
#include "gaggle/base/status.h"
#include "gaggle/rpc/call_options.h"
#include "gaggle/rpc/metadata.h"
#include "gaggle/rpc/stats_handler.h"

namespace gaggle {

// In the order in which they are told; constant once a connection or a server has been made with them.
using StatsHandlers = std::vector<std::shared_ptr<StatsHandler>>;

// What stats handlers are told of one connection: its beginning when this is made, its end when it is
// destroyed. Made only when there are handlers. One loop's thread.
class ConnectionStats {
 public:
  ConnectionStats(const StatsHandlers& handlers, stats::Side side, const Clock& clock, Peer peer) noexcept;
  ConnectionStats(const ConnectionStats&) = delete;
  ConnectionStats& operator=(const ConnectionStats&) = delete;
  ~ConnectionStats();

  // It's over on the wire; calls may still be about to end.
  void on_closed(const Status& why) noexcept;
  const Peer& peer() const noexcept { return peer_; }
  stats::Tag tag(size_t handler) const noexcept { return tags_[handler]; }

 private:
  const StatsHandlers& handlers_;
  const Clock& clock_;
  const stats::Side side_;
  const Peer peer_;
  const TimePoint began_;
  TimePoint closed_ = kNever;
  Status why_;
  std::vector<stats::Tag> tags_;
};

// What stats handlers are told of one call of a server, of one attempt of a client.
//
// Part of the call, and false while there are no handlers or nothing has begun; only when it is
// true may anything but begin() be called: `if (stats_) stats_.header_sent(...)`. One loop's thread.
class CallStats {
 public:
  CallStats() = default;
  CallStats(const CallStats&) = delete;
  CallStats& operator=(const CallStats&) = delete;

  explicit operator bool() const noexcept { return handlers_ != nullptr; }

  // `event` without time and connection. `connection`: null on a client.
  void begin(const StatsHandlers& handlers, const Clock& clock, stats::CallBegin event,
             const ConnectionStats* connection) noexcept;
  void delayed_pick(bool for_resolver) noexcept;
  void header_sent(const ConnectionStats& connection, std::string_view compression) noexcept;
  void header_received(const ConnectionStats& connection, std::string_view compression,
                       const stats::ReceivedMetadata& metadata) noexcept;
  // A message of `bytes`: as it is, or as `encoded`, with its prefix.
  void message_sent(size_t bytes) noexcept;
  void message_sent(size_t bytes, const Bytes& encoded) noexcept;
  // `wire_bytes`: with the prefix.
  void message_received(size_t bytes, size_t wire_bytes, bool compressed) noexcept;
  void trailer_sent(bool only) noexcept;
  void trailer_received(bool only, const stats::ReceivedMetadata& metadata) noexcept;
  // It's over, but its end isn't to be told yet.
  void stop_clock() noexcept { ended_ = now(); }
  void end(const Status& status) noexcept;

  // What the handlers have added to this attempt.
  const Metadata& added() const noexcept { return added_; }

  // The tag of that handler; null if it has none, or isn't among those of this call.
  stats::Tag tag_of(const StatsHandler& handler) const noexcept;

 private:
  TimePoint now() const noexcept { return clock_->now(); }
  template <class Event>
  void tell(void (StatsHandler::*function)(stats::Tag, const Event&), const Event& event) const noexcept;
  void tell_message(void (StatsHandler::*function)(stats::Tag, const stats::Payload&), size_t bytes, size_t wire_bytes,
                    bool compressed) const noexcept;
  void tell_header(void (StatsHandler::*function)(stats::Tag, const stats::Header&), const ConnectionStats& connection,
                   stats::Header event) const noexcept;

  const StatsHandlers* handlers_ = nullptr;
  const Clock* clock_ = nullptr;
  TimePoint began_{};
  TimePoint ended_ = kNever;
  std::vector<stats::Tag> tags_;  // keeps its memory for the next call
  Metadata added_;                // on a client
};

}  // namespace gaggle
