// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "gaggle/rpc/call_options.h"
#include "gaggle/rpc/server_keepalive.h"
#include "gaggle/transport/connection.h"

namespace gaggle {

class CallStats;
class ConnectionStats;
class MemoryQuota;
class ServerCall;
class ServerCore;
class ServerLoop;
struct RequestHead;

// One connection of a server, and the calls on it. Belongs to its ServerLoop and that loop's thread.
//
// Events only note what has happened; calls that have something to do wait in a list, and run when
// the engine's parsing is over (on_events_done).
class ServerConnection final : private transport::Handler {
 public:
  ServerConnection(ServerLoop& part, std::unique_ptr<ByteStream> stream);
  ServerConnection(const ServerConnection&) = delete;
  ServerConnection& operator=(const ServerConnection&) = delete;
  ~ServerConnection();

  void start();
  void drain() { transport_.drain("graceful_stop"); }
  // Ends all calls with CANCELLED and closes; handlers learn it from their contexts.
  void end(std::string_view why);
  // The loop is being destroyed: nothing can wait any more.
  void abandon();

  ServerLoop& part() noexcept { return part_; }
  ServerCore& core() noexcept { return core_; }
  Loop& loop() const noexcept { return transport_.loop(); }
  http2::Connection& http2() noexcept { return transport_.http2(); }
  void flush() noexcept { transport_.flush(); }
  // Null when there are no handlers.
  const ConnectionStats* stats() const noexcept { return stats_.get(); }
  // server_stats.cc: the first that they hear of a call; only if there are handlers.
  void begin_stats(CallStats& call, const http2::HeaderBlock& block, const RequestHead& head);
  const Peer& peer();
  // Tells the memory quota, if there is one, what is buffered here, and follows it with the window.
  void update_memory() noexcept;
  // The same from time to time, while it has small windows.
  void check_memory() noexcept;
  bool has_small_windows() const noexcept { return small_streams_; }

  // The call has something to do: its run() is called soon, outside of parsing.
  void make_ready(ServerCall& call) noexcept;
  // The call's handler has ended, or never ran: its stream and itself go. May destroy this.
  void call_ended(ServerCall& call, bool succeeded) noexcept;
  // Runs the calls that are ready; those whose client leaves too much unread start later. Not while
  // events are delivered; on_events_done does it then.
  void run_ready() noexcept;

  size_t position = 0;  // in the list of its ServerLoop

 private:
  void on_headers(http2::Stream& stream, http2::HeaderBlockRef headers, bool end_stream) override;
  void on_trailers(http2::Stream& stream, http2::HeaderBlockRef trailers) override;
  void on_data(http2::Stream& stream, std::span<const uint8_t> content, bool end_stream) override;
  void on_reset(http2::Stream& stream, http2::ErrorCode code, http2::ResetOrigin origin) override;
  void on_writable(http2::Stream& stream) override;
  void on_ping() override;
  void on_events_done() override;
  void on_closed(const Status& why) override;
  void on_idle() override;

  bool must_wait(const ServerCall& call) const noexcept;
  void refuse(http2::Stream& stream, const RequestHead& head);
  void refuse(http2::Stream& stream, const RequestHead& head, uint16_t http_status, const Status& why);
  void drop(http2::Stream& stream, http2::ErrorCode code);
  // server_admission.cc: whether the call may begin; if not, it has been answered.
  bool admit(http2::Stream& stream, const http2::HeaderBlock& block, const RequestHead& head);
  bool follow_memory(MemoryQuota& quota) noexcept;
  bool has_memory(http2::Stream& stream, const http2::HeaderBlock& block, const RequestHead& head);
  // server_stats.cc: all that they hear of a call that was answered with `why`, or just reset.
  void tell_refused(const http2::HeaderBlock& block, const RequestHead& head, const Status& why, bool answered);
  void link(ServerCall& call) noexcept;
  void unlink(ServerCall& call) noexcept;
  void remove_if_finished() noexcept;
  void end_calls(std::string_view why);

  ServerLoop& part_;
  ServerCore& core_;
  bool closed_ = false;          // the transport is done; what is left are handlers
  bool running_ = false;         // in run_ready
  bool small_window_ = false;    // since the memory is short
  bool small_streams_ = false;   // the same of the streams' windows, until a while later
  ServerCall* calls_ = nullptr;  // all of them
  ServerCall* first_ready_ = nullptr;
  ServerCall* last_ready_ = nullptr;
  ServerCall* held_ = nullptr;  // ready ones that must wait; the latest first
  PingStrikes strikes_;
  size_t charged_bytes_ = 0;    // what the memory quota has been told
  std::unique_ptr<Peer> peer_;  // made when somebody asks
  std::unique_ptr<ConnectionStats> stats_;
  transport::Connection transport_;
};

}  // namespace gaggle
