// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "gaggle/base/status.h"
#include "gaggle/http2/error.h"
#include "gaggle/http2/header_block.h"
#include "gaggle/http2/stream.h"
#include "gaggle/rpc/balancer/balancer.h"
#include "gaggle/rpc/client_call_list.h"
#include "gaggle/rpc/stats_tags.h"

namespace gaggle {

class ClientCallBase;
class ClientSubConn;
class ClientTransport;
class TokenFetch;
struct CallTokens;
struct ResponseFields;

// One try at a call: its place, its stream, and the answer that came on it.
//
// States, in order: idle; waiting for a picker's choice (in a list of the channel); waiting for what
// credentials say, if there are any; waiting for room on a transport (in a list of it); on a stream; idle. A stream
// that the server provably never processed leads back to the first wait: that is the transparent retry. What else an
// end means, and whether there are more attempts, is the call's to decide. A plain call has one attempt, which is part
// of it; a retry uses that again, hedges are further ones. On the channel's loop.
class ClientAttempt {
 public:
  explicit ClientAttempt(ClientCallBase& call) noexcept;
  ~ClientAttempt();
  ClientAttempt(const ClientAttempt&) = delete;
  ClientAttempt& operator=(const ClientAttempt&) = delete;

  ClientCallBase& call() noexcept { return call_; }
  const ClientCallBase& call() const noexcept { return call_; }
  AttemptLink& queue_link() noexcept { return queue_link_; }
  // How many attempts at the call went before this one; transparent retries don't count (gRFC A6).
  uint32_t previous_attempts() const noexcept { return previous_attempts_; }
  // Begun, and neither left nor failed.
  bool is_under_way() const noexcept { return under_way_; }

  ClientTransport* transport() noexcept { return transport_; }  // while on a stream
  http2::Stream* stream() noexcept { return stream_; }          // null unless on one
  const http2::HeaderBlock* headers() const noexcept { return headers_.get(); }
  const http2::HeaderBlock* trailers() const noexcept { return trailers_.get(); }
  const CallTokens* tokens() const noexcept;  // null without credentials
  bool waits_for_tokens() const noexcept;
  CallStats& stats() noexcept { return stats_; }
  const CallStats& stats() const noexcept { return stats_; }

  // Looks for a place; the call may be done when this returns.
  void begin(uint32_t previous_attempts);
  // Gives up whatever it does: the server sees a reset if it knows of it. The balancer hears `why`.
  void leave(const Status& why);
  // As good as new, for another call; only after leave().
  void reset() noexcept;

  // --- From the channel ---

  // It waits for a picker, or for another choice of the picker's.
  void on_pick_waits(bool for_resolver) noexcept {
    if (pick_wait_ == PickWait::kNo) pick_wait_ = for_resolver ? PickWait::kForResolver : PickWait::kYes;
  }
  // The picker has chosen.
  void on_picked() noexcept {
    if (pick_wait_ > PickWait::kNo) tell_delayed_pick();
  }
  // Told when the attempt has ended; from the pick that placed it.
  void set_pick_done(std::move_only_function<void(const PickDone&)> done);
  // Goes to this SubConn, which has a transport; first asks the call's credentials, if it has any.
  void go_to(ClientSubConn& subconn);
  // They have answered, or failed.
  void on_tokens(Status status, ClientSubConn& subconn);
  // It came to nothing: there is no place for it, or its connection was lost.
  void fail(Status status);

  // --- From the transport ---

  // There is room: sends the request on `stream`.
  void open(ClientTransport& transport, http2::Stream& stream);
  void on_headers(http2::HeaderBlockRef headers, bool end_stream);
  void on_data(std::span<const uint8_t> content, bool end_stream);
  void on_trailers(http2::HeaderBlockRef trailers);
  void on_reset(http2::ErrorCode code, http2::ResetOrigin origin);
  void on_writable();

 private:
  // kYes, kForResolver: it waits, and nobody has been told.
  enum class PickWait : uint8_t { kTold, kNo, kYes, kForResolver };

  bool send_headers();
  void answer_isnt_grpc(std::span<const uint8_t> content, bool end_stream);
  void end_by_server(const ResponseFields& fields);
  void repeat_or_fail(http2::ErrorCode code, http2::ResetOrigin origin);
  void leave_stream();
  void tell_pick_done(const Status& why) noexcept;
  void begin_stats(bool transparent_retry);
  void tell_delayed_pick() noexcept;
  void tell_header(const ResponseFields& fields, bool end_stream) noexcept;

  ClientCallBase& call_;
  ClientTransport* transport_ = nullptr;
  http2::Stream* stream_ = nullptr;
  http2::HeaderBlockRef headers_;
  http2::HeaderBlockRef trailers_;
  std::string foreign_body_;  // of an answer that isn't gRPC
  std::move_only_function<void(const PickDone&)> pick_done_;
  std::unique_ptr<TokenFetch> fetch_;  // once a call with credentials has been here
  uint32_t previous_attempts_ = 0;
  bool under_way_ = false;
  bool foreign_ = false;
  bool refused_once_ = false;
  PickWait pick_wait_ = PickWait::kNo;
  AttemptLink queue_link_{*this};
  CallStats stats_;
};

}  // namespace gaggle
