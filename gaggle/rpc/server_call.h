// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "gaggle/base/bytes.h"
#include "gaggle/base/context.h"
#include "gaggle/http2/connection.h"
#include "gaggle/net/event.h"
#include "gaggle/net/task.h"
#include "gaggle/net/timer.h"
#include "gaggle/rpc/framing.h"
#include "gaggle/rpc/metadata.h"
#include "gaggle/rpc/server_context.h"
#include "gaggle/rpc/server_methods.h"
#include "gaggle/rpc/server_stream.h"
#include "gaggle/rpc/service.h"
#include "gaggle/rpc/stats_tags.h"

namespace gaggle {

class Compressor;
class ReplyFields;
class ServerConnection;
class ServerLoop;
struct RequestHead;

// One call, unary or streaming, from its headers to the end of its handler: what a handler sees as
// its context, its stream, its unary call, and what hears that the handler has ended.
//
// Two things end at different times: the call on the wire (`over_`: status sent, reset, deadline) and
// the handler. A call lives until both have; its stream is released then, which frees the slot.
// Pooled per loop; belongs to the loop's thread.
class ServerCall final : public ServerContext,
                         public UnaryServerCall,
                         public ServerStream,
                         private TaskCompletion<Status> {
 public:
  explicit ServerCall(ServerLoop& part);
  ServerCall(const ServerCall&) = delete;
  ServerCall& operator=(const ServerCall&) = delete;
  ~ServerCall();

  // --- From the connection ---

  void begin(ServerConnection& connection, http2::Stream& stream, http2::HeaderBlockRef headers,
             const RequestHead& head, bool end_stream);
  void on_data(std::span<const uint8_t> content, bool end_stream);
  void on_request_end();
  void on_reset(http2::ErrorCode code, http2::ResetOrigin origin);
  void on_writable();
  // What couldn't be done while events were delivered: cancel, start the handler. May end the call.
  void run() noexcept;
  // Ends the call on the wire with RST_STREAM(CANCEL) and, soon, its context with `why`.
  void abort(const Status& why);
  // Back into the pool.
  void recycle() noexcept;

  // The last that stats handlers hear.
  void end_stats(bool succeeded) noexcept {
    if (CallStats* const told = stats()) told->end(succeeded ? Status::ok() : end_status_);
  }

  http2::Stream& stream() noexcept { return *stream_; }
  // run() would start the handler.
  bool waits_to_start() const noexcept { return start_due_ && !over_; }
  // What is kept here for the call, as MemoryQuota counts it.
  size_t buffered_bytes() const noexcept { return stored_bytes() + request_bytes_ + response_bytes_; }

  // --- ServerContext (server_call_context.cc) ---

  std::string_view method() const noexcept override;
  const Metadata& metadata() override;
  const Peer& peer() override;
  std::string_view content_subtype() const noexcept override;
  Loop& loop() noexcept override;
  std::span<const ServiceDesc* const> services() const noexcept override;
  void* stats_tag(const StatsHandler& handler) const noexcept override {
    return stats_ != nullptr ? stats_->tag_of(handler) : nullptr;
  }
  Status set_header(std::string_view key, std::string_view value) override;
  Status send_header() override;
  Status set_compressor(std::string_view name) override;
  bool received_compressed() const noexcept override { return received_compressed_; }
  Status set_trailer(std::string_view key, std::string_view value) override;

  // --- UnaryServerCall ---

  Message request() noexcept override { return request_; }
  Message response() noexcept override { return response_; }
  Status decode() override;
  const UnaryServerInfo& info() const noexcept override;

  // --- ServerStream (server_call_stream.cc) ---

  ServerContext& context() noexcept override { return *this; }
  Task<Result<bool>> recv(Message message) override;
  using ServerStream::send;
  Task<Status> send(ConstMessage message, SendOptions options) override;

  // Links of the connection's two lists.
  ServerCall* next_call = nullptr;
  ServerCall* previous_call = nullptr;
  ServerCall* next_ready = nullptr;
  bool ready = false;
  bool held = false;  // ready, and has waited for its client to read

 private:
  // There may be a hundred thousand open streams, which do nothing but wait: what few calls need, or need
  // for a moment only, is behind a pointer.

  // What most calls don't have; kept for the next call.
  struct Extras {
    bool have_metadata = false;
    Metadata metadata;  // of the request
    Metadata header;
    Metadata trailer;
    Bytes encoded_request;  // until decode(), if there is a codec
    // Of messages that have held much before: how much.
    size_t request_memory = 0;
    size_t response_memory = 0;
  };
  Extras& extras() {
    if (extras_ == nullptr) extras_ = std::make_unique<Extras>();
    return *extras_;
  }
  // Where recv and send wait that can't wait in receiver_; kept for the next call.
  struct Waits {
    explicit Waits(Loop& loop) noexcept : readable(loop), writable(loop) {}
    WaitQueue readable;
    WaitQueue writable;
  };
  Waits& waits() {
    if (waits_ == nullptr) waits_ = std::make_unique<Waits>(loop());
    return *waits_;
  }
  // Null when there are no handlers.
  CallStats* stats() noexcept { return stats_ != nullptr && *stats_ ? stats_.get() : nullptr; }

  // The wait for the next message of the stream, as a handler awaits it: for the call's own context. For
  // any other, and in case of a deadline, receive_later() does the same with a frame.
  //
  // It needn't be told of the loop's end: connections hear of that, and end their calls, which wakes it.
  class Receiver final : public TaskOperation<Result<bool>>, private LoopWork {
   public:
    explicit Receiver(ServerCall& call) noexcept : call_(call) {}
    bool in_use() const noexcept { return state_ != State::kFree; }
    Task<Result<bool>> task(Message message) noexcept;
    // Looks again, soon, whether there is something.
    void wake() noexcept;

   private:
    enum class State : uint8_t { kFree, kOffered, kWaiting, kWoken, kEnded };
    Begun begin(std::coroutine_handle<> awaiter, TaskPromiseBase& promise, const Context& context) override;
    Result<bool> take() override { return std::move(result_); }
    Task<Result<bool>> with_frame() override { return call_.receive_later(call_.request_); }
    void leave() noexcept override;
    void run_on_loop() noexcept override;
    void on_dropped() noexcept override;
    bool try_now();

    ServerCall& call_;
    std::coroutine_handle<> awaiter_;
    TaskPromiseBase* promise_ = nullptr;
    Result<bool> result_ = false;  // once kEnded
    State state_ = State::kFree;
  };

  void on_done(Status&& status) noexcept override { finish(status); }
  void on_exception(std::exception_ptr error) noexcept override;
  void on_deadline();

  // server_call.cc
  void set_context(Duration timeout);
  void set_deadline_timer(TimePoint when);
  void start_handler() noexcept;
  Task<Status> run_stream();
  void finish(const Status& status) noexcept;
  void cancel_context(const Status& why);
  void end_on_wire(const Status& why);
  size_t response_size() const noexcept;

  // server_call_receive.cc
  MessageReader& reader();
  void give_back_reader() noexcept;
  size_t stored_bytes() const noexcept { return reader_ != nullptr ? reader_->stored_bytes() : 0; }
  size_t missing_bytes() const noexcept;
  bool receive_unary(std::span<const uint8_t> content);
  bool is_too_much(size_t more) const noexcept;
  Status decode_into(Message message);
  Result<Bytes> take_encoded();
  void refuse(const Status& why);
  Status reading_error(MessageReader::Step step) const;
  Status not_decodable() const;
  Status too_many_requests() const;
  Status no_request() const;
  Status cut_off() const;

  // server_call_send.cc
  Status send_unary_response();
  Status send_unary_response(Message& response);
  Status send_stream_end();
  Status send_ok_trailers();
  Status check_size(ConstMessage message, size_t* size);
  ReplyFields& begin_head();
  http2::SendResult send_head(const ReplyFields& fields, bool end_stream);
  http2::SendResult send_headers();
  http2::SendResult write_message(ConstMessage message, size_t size, SendOptions options);
  void use_requests_compressor();
  void send_status(const Status& status);
  http2::SendResult try_send_status(const Status& status, bool with_metadata);

  // server_call_stream.cc
  std::optional<Result<bool>> try_receive(Message message);
  Result<bool> fail_receive(const Status& why);
  Task<Result<bool>> receive_later(Message message);
  void expect_more();
  void wake_receivers(const Status& why = Status::ok()) noexcept;
  void wake_senders(const Status& why = Status::ok()) noexcept;
  Task<Status> send_later(ConstMessage message, SendOptions options);
  Status send_now(ConstMessage message, SendOptions options);
  Status send_encoded(ConstMessage message, SendOptions options);
  void fail(const Status& status);

  bool handler_running_ = false;
  bool start_due_ = false;   // the handler may start
  bool cancel_due_ = false;  // the context is to be cancelled with end_status_
  bool over_ = false;        // nothing more can be sent
  bool succeeded_ = false;   // over with OK
  bool headers_sent_ = false;
  bool request_ended_ = false;  // END_STREAM has come
  bool have_request_ = false;   // a message has been given out
  bool send_full_ = false;      // waits for on_writable
  bool have_response_ = false;  // of a method whose server doesn't stream
  static constexpr uint8_t kReceiving = 1;
  static constexpr uint8_t kSending = 2;
  uint8_t operations_ = 0;  // of the stream, under way now
  bool decoded_ = false;
  bool received_compressed_ = false;

  ServerLoop& part_;
  ServerConnection* connection_ = nullptr;
  http2::Stream* stream_ = nullptr;
  http2::HeaderBlockRef headers_;
  const RequestHead* head_ = nullptr;
  const Compressor* compressor_ = nullptr;  // of what is sent
  Status end_status_;                       // once over_: why; recv and send give it

  Message request_;  // of a stream: what the waiting recv reads into
  Message response_;
  uint32_t request_bytes_ = 0;
  uint32_t response_bytes_ = 0;
  MessageCounter arrived_;
  MessageReader* reader_ = nullptr;  // the loop's, while there is something in it

  Receiver receiver_{*this};
  std::unique_ptr<TimerOf<&ServerCall::on_deadline>> deadline_timer_;  // made for the first deadline
  std::unique_ptr<Waits> waits_;
  std::unique_ptr<Extras> extras_;
  std::unique_ptr<CallStats> stats_;  // made when there are handlers
};

}  // namespace gaggle
