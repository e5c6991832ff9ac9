// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <coroutine>
#include <vector>

#include "gaggle/base/bytes.h"
#include "gaggle/base/ref.h"
#include "gaggle/net/loop.h"
#include "gaggle/net/task_promise.h"
#include "gaggle/rpc/client_call.h"
#include "gaggle/rpc/client_channel.h"
#include "gaggle/rpc/framing.h"
#include "gaggle/rpc/message.h"
#include "gaggle/rpc/metadata.h"
#include "gaggle/rpc/send_options.h"

namespace gaggle {

class ClientStreamCall;

// One operation on a stream: `co_await operation`, from any loop. It lies in the awaiting frame, goes
// to the call's loop, waits there, and comes back.
class ClientStreamOperation final : private LoopWork {
 public:
  enum class Kind : uint8_t { kOpen, kHeader, kSend, kClose, kRecv, kEnd };

  ClientStreamOperation(ClientStreamCall& call, Kind kind) noexcept : call_(call), kind_(kind) {}
  ClientStreamOperation(ClientStreamCall& call, ConstMessage message, SendOptions options = {}) noexcept
      : call_(call), kind_(Kind::kSend), compress_(options.compress), to_send_(message) {}
  // `codec` reads the message; null: it does so itself.
  ClientStreamOperation(ClientStreamCall& call, Message message, const Codec* codec = nullptr) noexcept
      : call_(call), kind_(Kind::kRecv), to_fill_(message), codec_(codec) {}
  // Ends the call with `why`.
  ClientStreamOperation(ClientStreamCall& call, Status why) noexcept
      : call_(call), kind_(Kind::kEnd), status_(std::move(why)) {}

  bool await_ready();
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> handle) noexcept {
    handle_ = handle;
    promise_ = &handle.promise();
    caller_ = Loop::current();
    if (!begun_) post_to_call();
  }
  void await_resume() const noexcept {}

  // What came of it.
  const Status& status() const noexcept { return status_; }
  bool more() const noexcept { return more_; }
  bool compressed() const noexcept { return compressed_; }  // the message that was received
  bool refused() const noexcept { return refused_; }        // a mistake of the caller's: nothing has changed

 private:
  friend class ClientStreamCall;
  void post_to_call() noexcept;
  void complete() noexcept;
  void complete(Status status, bool more = false) noexcept {
    status_ = std::move(status);
    more_ = more;
    complete();
  }
  void refuse(Status status) noexcept {
    refused_ = true;
    complete(std::move(status));
  }
  void run_on_loop() noexcept override;
  void on_dropped() noexcept override { promise_->abandon(); }

  ClientStreamCall& call_;
  const Kind kind_;
  const bool compress_ = true;
  const ConstMessage to_send_;
  const Message to_fill_;
  const Codec* const codec_ = nullptr;
  std::coroutine_handle<> handle_;
  TaskPromiseBase* promise_ = nullptr;
  Loop* caller_ = nullptr;
  bool begun_ = false;
  bool starting_ = false;
  bool done_ = false;
  bool more_ = false;
  bool refused_ = false;
  bool compressed_ = false;
  Status status_;
};

// A call with any number of messages each way; the rules are in client_conn_interface.h.
//
// Owned by its ClientStreamHandle, whose detach() it survives until a travelling cancellation has
// arrived. What was sent is kept until the server's headers come, up to
// CallOptions::retry_buffer_bytes, so that another attempt can send it again.
class ClientStreamCall final : public ClientCallBase {
 public:
  ClientStreamCall(ClientChannel& channel, bool client_streams, bool server_streams);

  // Any thread, before the first operation.
  void prepare(const Context& context, std::string_view method, const CallOptions& options);
  // Any thread.
  void cancel() noexcept;
  // Any thread; the last use of this object.
  void detach() noexcept;
  Loop& loop() noexcept { return loop_; }

  // Written before the operation that makes them known has completed; then constant.
  bool headers_came() const noexcept { return headers_came_; }
  const Metadata& header_metadata() const noexcept { return header_metadata_; }
  const Metadata& trailer_metadata() const noexcept { return trailer_metadata_; }
  const Peer& peer() const noexcept { return peer_; }
  bool is_opened_and_over() const noexcept { return over_.load(std::memory_order_acquire); }

  // The call's loop.
  void run(ClientStreamOperation& operation);

 private:
  ~ClientStreamCall() override = default;

  void run_open(ClientStreamOperation& operation);
  void run_header(ClientStreamOperation& operation);
  void run_send(ClientStreamOperation& operation);
  void run_close(ClientStreamOperation& operation);
  void run_recv(ClientStreamOperation& operation);
  void run_end(ClientStreamOperation& operation);

  // client_stream_send.cc
  Status prepare_request() override { return {}; }
  void send_request(ClientAttempt& attempt) override;
  void on_committed() override;
  void on_writable() override;
  http2::SendResult send_now(const ClientStreamOperation& operation, size_t size, bool end);
  bool keep(const Bytes& encoded, size_t message_bytes);
  void end_loan();

  void on_opened(ClientAttempt& attempt) override;
  void on_options_changed() override { reader_.reset(receive_limit()); }

  // client_stream_receive.cc
  void on_response_headers() override;
  void take_content(std::span<const uint8_t> content) override;
  void take_only_message(std::span<const uint8_t> content);
  Status take_only(size_t& message_bytes);
  void give_up_on(const Status& why);
  void end_stats(const Status& status) noexcept;
  bool drops_unread() const noexcept;
  Status conclude(Status status) override;
  bool receive(ClientStreamOperation& operation, std::span<const uint8_t>& content);
  bool receive_only(ClientStreamOperation& operation);
  static Status read_only(const ClientStreamOperation& operation, Bytes encoded);
  void on_finished() override;
  void on_settled() override;
  void delete_if_unused();
  bool client_streams() const noexcept override { return client_streams_; }
  bool server_streams() const noexcept override { return server_streams_; }
  bool has_unread(const ClientAttempt& attempt) const noexcept override;
  void set_unread(size_t messages) noexcept;

  void cancel_here() { finish(Status::cancelled("the caller cancelled the call")); }
  void on_cancel_arrived();
  void detach_here();
  size_t receive_limit() const;

  const Ref<ClientChannel> keep_;
  Loop& loop_;
  const bool client_streams_;
  const bool server_streams_;
  bool detached_ = false;

  Context pending_context_;
  std::string_view pending_method_;
  CallOptions pending_options_;

  ClientStreamOperation* opener_ = nullptr;
  ClientStreamOperation* header_waiter_ = nullptr;
  ClientStreamOperation* sender_ = nullptr;
  ClientStreamOperation* receiver_ = nullptr;

  bool opened_ = false;
  bool loan_ends_ = false;  // loan_work_ is queued
  bool end_sent_ = false;   // close_send, or the one message of a client that doesn't stream
  struct Sent {
    Bytes encoded;
    size_t message_bytes;
  };
  std::vector<Sent> replay_;  // what was sent, while not committed
  size_t replay_bytes_ = 0;   // of the channel's room for that
  bool replay_full_ = false;  // there was no room: the next attempt is the last

  bool headers_came_ = false;
  MessageReader reader_;
  MessageCounter counter_;
  size_t unread_ = 0;   // whole messages in reader_, or the one of a server that doesn't stream
  Bytes only_message_;  // of a server that doesn't stream, until somebody receives it
  bool only_came_ = false;
  bool only_compressed_ = false;
  bool only_parsed_ = false;  // straight into the receiver's message
  bool only_given_ = false;
  Metadata header_metadata_;
  Metadata trailer_metadata_;
  Peer peer_;
  std::atomic<bool> over_{false};

  std::atomic<bool> cancel_posted_{false};
  bool cancel_arrived_ = false;
  WorkOf<&ClientStreamCall::on_cancel_arrived> cancel_work_{*this};
  WorkOf<&ClientStreamCall::detach_here> detach_work_{*this};
  WorkOf<&ClientStreamCall::end_loan> loan_work_{*this};
};

}  // namespace gaggle
