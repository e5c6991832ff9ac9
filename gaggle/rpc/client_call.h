// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "gaggle/base/context.h"
#include "gaggle/base/status.h"
#include "gaggle/http2/error.h"
#include "gaggle/http2/header_block.h"
#include "gaggle/http2/stream.h"
#include "gaggle/net/loop_cancel.h"
#include "gaggle/net/timer.h"
#include "gaggle/rpc/balancer/balancer.h"
#include "gaggle/rpc/call_options.h"
#include "gaggle/rpc/client_call_list.h"

namespace gaggle {

class ClientChannel;
class ClientTransport;
struct ResponseFields;

// One call of a client on its connection's loop: from the wish to the status.
//
// States, in order: unborn; waiting for a picker's choice (in a list of the channel); waiting for
// room on a transport (in a list of it); on a stream; done. A stream that the server provably never
// processed leads back to the first wait: that is the transparent retry. Every path ends in
// finish(), once. What is sent and what becomes of the messages that arrive is the derived class's
// (unary call, streaming call). Everything here happens on the channel's loop.
class ClientCallBase : private LoopCancel {
 public:
  explicit ClientCallBase(ClientChannel& channel);
  ClientCallBase(const ClientCallBase&) = delete;
  ClientCallBase& operator=(const ClientCallBase&) = delete;

  // Looks for a place; the call may be done when this returns.
  void begin(const Context& context, std::string_view method, const CallOptions& options);
  // Ends the call: the server sees a reset if it knows of the call. Nothing happens when it's done.
  void finish(Status status);
  bool is_done() const noexcept { return done_; }
  const Status& status() const noexcept { return status_; }  // once it's done

  const Context& context() const noexcept { return context_; }
  std::string_view method() const noexcept { return method_; }
  const CallOptions& options() const noexcept { return options_; }
  bool waits_for_ready() const noexcept { return options_.wait_for_ready.value_or(false); }
  CallLink& queue_link() noexcept { return queue_link_; }
  CallLink& channel_link() noexcept { return channel_link_; }
  // Told when the call has ended; from the pick that placed it.
  void set_pick_done(std::move_only_function<void(const PickDone&)> done);

  // --- From the transport ---

  // There is room: sends the request on `stream`.
  void open(ClientTransport& transport, http2::Stream& stream);
  void on_headers(http2::HeaderBlockRef headers, bool end_stream);
  void on_data(std::span<const uint8_t> content, bool end_stream);
  void on_trailers(http2::HeaderBlockRef trailers);
  void on_reset(http2::ErrorCode code, http2::ResetOrigin origin);
  virtual void on_writable() {}

 protected:
  virtual ~ClientCallBase();

  // --- What kinds of calls do differently ---

  // Before anything is sent: an error ends the call with it, and the server never hears of it.
  virtual Status prepare_request() = 0;
  // A stream is open and its headers are queued: send what is to be sent.
  virtual void send_request() = 0;
  // What was sent can be sent again.
  virtual bool can_repeat_request() const = 0;
  virtual void on_opened() {}
  virtual void on_response_headers() {}
  // Part of the messages; gives the credit back by consume().
  virtual void take_content(std::span<const uint8_t> content) = 0;
  // The server ended the call with `status`: what that makes of the call, seeing what has arrived.
  virtual Status conclude(Status status) = 0;
  // The call is done; pending operations end. Nothing of the call is touched after this returns,
  // unless a cancellation travels still: then on_quiet() follows.
  virtual void on_finished() = 0;
  // A cancellation that travelled when the call finished has arrived.
  virtual void on_settled() = 0;
  bool is_settled() const noexcept { return settled_; }

  void consume(size_t bytes);
  ClientChannel& channel() noexcept { return channel_; }
  ClientTransport* transport() noexcept { return transport_; }  // while on a stream
  http2::Stream* stream() noexcept { return stream_; }          // null unless on one
  const http2::HeaderBlock* headers() const noexcept { return headers_.get(); }
  const http2::HeaderBlock* trailers() const noexcept { return trailers_.get(); }
  // Makes the object as good as new, for the next call. Only when done and settled.
  void reset();

 private:
  Status check_start() const;
  bool send_headers();
  void answer_isnt_grpc(std::span<const uint8_t> content, bool end_stream);
  void finish_by_server(const ResponseFields& fields);
  void retry_or_fail(http2::ErrorCode code, http2::ResetOrigin origin);
  void leave_stream();
  void on_deadline() noexcept;
  Status deadline_status() const;

  void on_cancelled() noexcept override;
  void on_quiet() noexcept override;
  void on_lost() noexcept override { on_quiet(); }

  ClientChannel& channel_;
  Context context_;
  std::string_view method_;
  CallOptions options_;
  ClientTransport* transport_ = nullptr;
  http2::Stream* stream_ = nullptr;
  http2::HeaderBlockRef headers_;
  http2::HeaderBlockRef trailers_;
  Status status_;
  std::string foreign_body_;  // of an answer that isn't gRPC
  std::move_only_function<void(const PickDone&)> pick_done_;
  bool done_ = false;
  bool settled_ = true;
  bool enlisted_ = false;
  bool foreign_ = false;
  bool refused_once_ = false;
  CallLink queue_link_{*this};
  CallLink channel_link_{*this};
  TimerOf<&ClientCallBase::on_deadline> deadline_timer_;
};

}  // namespace gaggle
