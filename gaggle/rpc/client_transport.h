// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "gaggle/base/status.h"
#include "gaggle/net/byte_stream.h"
#include "gaggle/net/loop_work.h"
#include "gaggle/rpc/call_options.h"
#include "gaggle/rpc/client_call_list.h"
#include "gaggle/rpc/stats_tags.h"
#include "gaggle/transport/connection.h"

namespace gaggle {

class ClientAttempt;

// One HTTP/2 connection that calls go out on.
//
// Ready once the server's SETTINGS have arrived. Beyond the server's limit of streams it takes no
// calls; its owner keeps them until there is room. A server that says goodbye gets no new calls;
// those on streams finish. One loop's thread.
class ClientTransport final : private transport::Handler {
 public:
  // Whoever keeps the transport.
  class Owner {
   public:
    virtual void on_transport_ready(ClientTransport& transport) = 0;
    // No new calls from now on. May come from within events: only note it.
    virtual void on_transport_unusable(ClientTransport& transport, const Status& why) = 0;
    // There may be room for another call; or there never will be, if it's unusable. Not from within
    // events.
    virtual void on_transport_changed() = 0;
    // The server says that we ask too often for signs of life.
    virtual void on_pinged_too_often(Duration keepalive_time) = 0;
    // Whether calls may go to this server as `authority`; UNAVAILABLE if not.
    virtual Status check_authority(const StreamSecurity* security, std::string_view authority) const = 0;
    // It's over; destroy it.
    virtual void on_transport_closed(ClientTransport& transport, const Status& why) = 0;

   protected:
    ~Owner() = default;
  };

  ClientTransport(std::unique_ptr<ByteStream> stream, const transport::Options& options, const StatsHandlers* stats,
                  Owner& owner);
  void start() { connection_.start(); }

  // Opens a stream for a call's attempt, see ClientAttempt::open; false when there is no room, which
  // on_transport_changed follows when there is.
  bool place(ClientAttempt& attempt) { return usable_ && try_open(attempt); }
  // An attempt has left its stream: somebody who waits may have its room.
  void stream_left() { owner_.on_transport_changed(); }
  // The attempt's connection was lost; it fails with the reason as soon as that is known.
  void adopt_orphan(ClientAttempt& attempt);

  // Calls on streams finish, then it closes.
  void drain();
  void close(const Status& why) { connection_.close(why); }
  // The server is never used again by us; see Owner::on_transport_unusable.
  void mark_unusable(const Status& why);

  http2::Connection& http2() noexcept { return connection_.http2(); }
  void flush() noexcept { connection_.flush(); }
  bool is_usable() const noexcept { return usable_; }
  Peer peer() const;
  // Null when there are no handlers.
  const ConnectionStats* stats() const noexcept { return stats_.get(); }
  const transport::Counters& counters() const noexcept { return connection_.counters(); }

 private:
  bool try_open(ClientAttempt& attempt);
  const Status& check_authority(std::string_view authority);
  const std::string& name() const noexcept { return name_; }

  void on_headers(http2::Stream& stream, http2::HeaderBlockRef headers, bool end_stream) override;
  void on_trailers(http2::Stream& stream, http2::HeaderBlockRef trailers) override;
  void on_data(http2::Stream& stream, std::span<const uint8_t> content, bool end_stream) override;
  void on_reset(http2::Stream& stream, http2::ErrorCode code, http2::ResetOrigin origin) override;
  void on_writable(http2::Stream& stream) override;
  void on_can_open() override { can_open_ = true; }
  void on_goaway(uint32_t last_stream_id, http2::ErrorCode code, std::string_view debug) override;
  void on_settings(const http2::Settings& peer) override;
  void on_connection_error(http2::ErrorCode code, std::string_view reason) override;
  void on_events_done() override;
  void on_closed(const Status& why) override;

  Owner& owner_;
  std::string name_;     // the server's address; a closed socket knows it no more
  AttemptList orphans_;  // whose connection is gone
  bool usable_ = true;
  bool settings_came_ = false;
  bool can_open_ = false;
  // The last authority of a call's own, and what became of it: the next call has the same, mostly.
  std::string checked_authority_;
  Status checked_;
  Status failure_;       // the first thing that went wrong
  bool broken_ = false;  // the connection failed; its socket may linger
  std::unique_ptr<ConnectionStats> stats_;
  const transport::Options options_;
  http2::Tallies tallies_;
  transport::Connection connection_;
};

}  // namespace gaggle
