// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "gaggle/base/context.h"
#include "gaggle/base/ref.h"
#include "gaggle/base/status.h"
#include "gaggle/http2/header_block.h"
#include "gaggle/net/loop_cancel.h"
#include "gaggle/net/timer.h"
#include "gaggle/rpc/call_options.h"
#include "gaggle/rpc/client_attempt.h"
#include "gaggle/rpc/client_call_list.h"
#include "gaggle/rpc/client_retries.h"
#include "gaggle/rpc/framing.h"
#include "gaggle/rpc/service_config.h"

namespace gaggle {

class ClientChannel;
class ClientSubConn;
class Compressor;

// One call of a client on its connection's loop: from the wish to the status.
//
// What is tried to get there is in its attempts: one for a plain call, more of them for one that the
// service config wants retried or hedged (ClientRetries). The call is *committed* when no other
// attempt can follow any more: the server's headers have come, more was sent than may be kept, or it
// was answered at all; from then on current() is the attempt whose stream it is on. Every path ends
// in finish(), once. What is sent and what becomes of the messages that arrive is the derived class's
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
  // Between the two, the call isn't over even if it's done: somebody still looks at what its caller owns.
  void hold() noexcept { ++holds_; }
  // May end the call's life.
  void release();
  bool is_committed() const noexcept { return committed_; }
  const Status& status() const noexcept { return status_; }  // once it's done

  ClientChannel& channel() noexcept { return channel_; }
  const Context& context() const noexcept { return context_; }
  std::string_view method() const noexcept { return method_; }
  const CallOptions& options() const noexcept { return options_; }
  // What the call's messages are compressed with; null: they aren't.
  const Compressor* compressor() const noexcept { return compressor_; }
  // It, or its connection, has credentials.
  bool wants_tokens() const noexcept { return wants_tokens_; }
  // Whether the call's codec reads messages of an answer whose content-type has this subtype.
  bool reads_subtype(std::string_view subtype) const noexcept;
  // Attempts that were begun; those that are repeated transparently count once. Any thread.
  uint32_t attempts() const noexcept { return attempts_.load(std::memory_order_relaxed); }
  void count_attempt(uint32_t previous) noexcept { attempts_.store(previous + 1, std::memory_order_relaxed); }
  bool waits_for_ready() const noexcept { return options_.wait_for_ready.value_or(false); }
  CallLink& channel_link() noexcept { return channel_link_; }

  // Before begin: the call is one of the runtime's own, about this SubConn, which outlives it. It goes
  // there and nowhere else, the service config says nothing about it, and it doesn't count as a call
  // of the channel's.
  void pin(ClientSubConn& subconn) noexcept { pinned_ = &subconn; }
  ClientSubConn* pinned() const noexcept { return pinned_; }

  // The channel knows its service config now: what it says about this call holds until its end. Null:
  // it says nothing. False when the call has ended by it.
  bool is_configured() const noexcept { return configured_; }
  bool configure(const Ref<const ServiceConfig>& config);

 protected:
  friend class ClientAttempt;
  friend class ClientRetries;

  virtual ~ClientCallBase();

  // --- What kinds of calls do differently ---

  // Before anything is sent: an error ends the call with it, and the server never hears of it.
  virtual Status prepare_request() = 0;
  // A stream is open and its headers are queued: send all that was to be sent so far.
  virtual void send_request(ClientAttempt& attempt) = 0;
  // It is on its way to a server, on this attempt; again when another one wins.
  virtual void on_opened(ClientAttempt& attempt) = 0;
  // The service config has changed options().
  virtual void on_options_changed() {}
  // What was sent need not be kept any more.
  virtual void on_committed() {}
  virtual void on_response_headers() {}
  virtual void on_writable() {}
  // Part of the messages; gives the credit back by consume().
  virtual void take_content(std::span<const uint8_t> content) = 0;
  // The server ended the call with `status`: what that makes of the call, seeing what has arrived.
  virtual Status conclude(Status status) = 0;
  // The call is done; pending operations end. Nothing of the call is touched after this returns,
  // unless a cancellation travels still: then on_quiet() follows.
  virtual void on_finished() = 0;
  // A cancellation that travelled when the call finished has arrived.
  virtual void on_settled() = 0;
  virtual bool client_streams() const noexcept { return false; }
  virtual bool server_streams() const noexcept { return false; }
  // The attempt is over, but the caller has yet to receive what came on it.
  virtual bool has_unread(const ClientAttempt&) const noexcept { return false; }
  bool is_settled() const noexcept { return settled_ && holds_ == 0; }

  void consume(size_t bytes);
  // Lets the rest of the message come that `reader` has begun: it may be larger than the stream's window.
  void expect_rest(const MessageReader& reader);
  // The attempt that counts: the one that the call is committed to, or the latest that did anything.
  ClientAttempt& current() noexcept { return *current_; }
  const ClientAttempt& current() const noexcept { return *current_; }
  ClientTransport* transport() noexcept { return current_->transport(); }  // while on a stream
  http2::Stream* stream() noexcept { return current_->stream(); }          // null unless on one
  const http2::HeaderBlock* headers() const noexcept { return current_->headers(); }
  const http2::HeaderBlock* trailers() const noexcept { return current_->trailers(); }
  // What the server's headers say its messages are compressed with: its name, and null if there is
  // none or this client can't read it.
  std::string_view encoding() const;
  const Compressor* decompressor() const;
  // Calls `function` with every attempt that is on a stream.
  template <class Function>
  void each_open_attempt(Function function) {
    if (first_.stream() != nullptr) function(first_);
    if (retries_ != nullptr) retries_->each_open_hedge(function);
  }

  // No other attempt follows: all but `winner` are given up.
  void commit(ClientAttempt& winner);
  // The service config's policy doesn't hold for this call: what there is of attempts goes on.
  void forgo_retries();
  // A policy of the service config may want what was sent to be sent again.
  bool may_be_retried() const noexcept { return retry_ != nullptr || hedging_ != nullptr; }
  // An attempt has been made again already.
  bool is_retry() const noexcept { return retries_ != nullptr && retries_->has_repeated(); }
  // The policy makes several attempts at once.
  bool is_hedged() const noexcept { return hedging_ != nullptr; }
  // Whether a part of a large message of the caller's is on its way still, as it lies there: when the caller is told
  // that it's sent, or the attempt is left, that has to be copied. Each such message has a lender of its own.
  bool has_lent() const noexcept { return lender_.is_shared(); }
  const Bytes& lender() { return lender_ = Bytes::lender(); }
  Bytes lender_;

  // Makes the object as good as new, for the next call. Only when done and settled.
  void reset();

 private:
  Status check_start();
  bool shorten(Duration timeout);

  // --- From its attempts ---
  void attempt_opened(ClientAttempt& attempt);
  void attempt_succeeded(ClientAttempt& attempt);
  void attempt_failed(ClientAttempt& attempt, Status status);
  ClientRetries& begin_retries();

  void on_deadline() noexcept;
  Status deadline_status();

  void on_cancelled() noexcept override;
  void on_quiet() noexcept override;
  void on_lost() noexcept override { on_quiet(); }

  ClientChannel& channel_;
  ClientSubConn* pinned_ = nullptr;
  Context context_;
  std::string_view method_;
  CallOptions options_;
  const Compressor* compressor_ = nullptr;
  TimePoint began_{};
  std::atomic<uint32_t> attempts_{0};
  Status status_;
  int holds_ = 0;
  bool wants_tokens_ = false;
  bool done_ = false;
  bool committed_ = false;
  bool configured_ = false;
  bool settled_ = true;
  bool enlisted_ = false;

  Ref<const ServiceConfig> config_;         // null unless it says something about the call
  const RetryPolicy* retry_ = nullptr;      // in config_
  const HedgingPolicy* hedging_ = nullptr;  // in config_; one of the two at most
  ClientRetries* retries_ = nullptr;        // while more than the first attempt has been thought of
  std::unique_ptr<ClientRetries> retries_memory_;
  ClientAttempt first_{*this};
  ClientAttempt* current_ = &first_;

  CallLink channel_link_{*this};
  TimerOf<&ClientCallBase::on_deadline> deadline_timer_;
};

}  // namespace gaggle
