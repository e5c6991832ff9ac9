// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/server_call.h"

#include <utility>

#include "gaggle/net/loop.h"
#include "gaggle/rpc/server_connection.h"
#include "gaggle/rpc/server_core.h"
#include "gaggle/rpc/server_loop.h"
#include "gaggle/rpc/server_request.h"

namespace gaggle {

ServerCall::ServerCall(ServerLoop& part) : part_(part) {}

ServerCall::~ServerCall() = default;

// --- Begin ---

void ServerCall::begin(ServerConnection& connection, http2::Stream& stream, http2::HeaderBlockRef headers,
                       const RequestHead& head, bool end_stream) {
  connection_ = &connection;
  stream_ = &stream;
  stream.user = this;
  headers_ = std::move(headers);
  head_ = &head;
  if (head.encoding != nullptr) {
    if (part_.core().options().compress_like_request) use_requests_compressor();
  }
  part_.count_call_started();
  if (connection.stats() != nullptr) {
    if (stats_ == nullptr) stats_ = std::make_unique<CallStats>();
    connection.begin_stats(*stats_, *headers_, head);
  }
  if (head.timeout <= Duration::zero()) {
    return refuse(Status::deadline_exceeded("the deadline had passed when the call arrived"));
  }
  set_context(head.timeout);
  if (head_->method->stream != nullptr) {
    start_due_ = true;
    connection.make_ready(*this);
  }
  if (end_stream) on_request_end();
}

// Timeouts travel rounded, and a busy client's clock may be behind: a reset that arrives before the
// client's own deadline reads as CANCELLED there. So what the handler waits for ends at the deadline,
// and its status is the answer; only a call that still has none is reset this much later.
constexpr Duration kResetGrace = std::chrono::milliseconds{20};

void ServerCall::set_context(Duration timeout) {
  TimePoint deadline = kNever;
  if (timeout != Duration::max()) {
    deadline = deadline_after(loop().now(), timeout);
    set_deadline_timer(deadline_after(deadline, kResetGrace));
  }
  CancelSource::renew_own(*this, deadline, loop().clock());
}

void ServerCall::set_deadline_timer(TimePoint when) {
  if (deadline_timer_ == nullptr) {
    deadline_timer_ = std::make_unique<TimerOf<&ServerCall::on_deadline>>(loop(), *this);
  }
  deadline_timer_->arm_at(when);
}

void ServerCall::run() noexcept {
  // `ready` keeps the call here: on a loop that is being destroyed, waking a handler ends it at once.
  ready = true;
  while (std::exchange(cancel_due_, false)) cancel_context(Status(end_status_));
  ready = false;
  if (std::exchange(start_due_, false) && !over_) return start_handler();
  if (over_ && !handler_running_) connection_->call_ended(*this, succeeded_);
}

// What the handler does may end and recycle this call before it returns.
void ServerCall::start_handler() noexcept {
  handler_running_ = true;
  const ServerMethod& called = *head_->method;
  try {
    if (called.unary != nullptr) {
      size_t memory = 0;
      response_ = part_.take_response(called, &memory);
      if (memory != 0) extras().response_memory = memory;
      gaggle::start(called.unary->handler(called.implementation, *this, *this, part_.core().interceptor()), *this,
                    *this);
    } else {
      gaggle::start(run_stream(), *this, *this);
    }
  } catch (...) {
    // The handler threw before it became a coroutine.
    on_exception(std::current_exception());
  }
}

// Without an interceptor, the task is the method's own.
Task<Status> ServerCall::run_stream() {
  StreamServerInterceptor* const interceptor = part_.core().stream_interceptor();
  if (interceptor != nullptr) return intercept_stream(*interceptor, *head_->method, method(), *this);
  return head_->method->stream->handler(head_->method->implementation, *this);
}

// --- End ---

void ServerCall::on_exception(std::exception_ptr error) noexcept {
  const Log& log = part_.core().options().log;
  if (log.wants(LogLevel::kError)) {
    std::string line = "the handler of ";
    line.append(method()).append(" threw");
    try {
      std::rethrow_exception(error);
    } catch (const std::exception& thrown) {
      line.append(": ").append(thrown.what());
    } catch (...) {
      line.append(" something that is no std::exception");
    }
    log(LogLevel::kError, line);
  }
  // Its text stays here: it may say more than a client should know.
  finish(Status::unknown("the handler threw an exception"));
}

void ServerCall::finish(const Status& status) noexcept {
  handler_running_ = false;
  if (!over_) {
    Status final = status;
    if (final.is_ok()) final = head_->method->unary != nullptr ? send_unary_response() : send_stream_end();
    if (!final.is_ok()) send_status(final);
    succeeded_ = final.is_ok();
    end_on_wire(final);
  }
  connection_->call_ended(*this, succeeded_);
}

void ServerCall::end_on_wire(const Status& why) {
  over_ = true;
  end_status_ = why;
}

// The waits of recv and send are woken with the reason before the context is cancelled, which would
// wake them too, but with whatever a nested context says.
void ServerCall::cancel_context(const Status& why) {
  wake_receivers(why);
  wake_senders(why);
  CancelSource::cancel_own(*this, why);
}

void ServerCall::on_reset(http2::ErrorCode code, http2::ResetOrigin origin) {
  std::string_view what = "the connection was lost";
  if (origin == http2::ResetOrigin::kPeer) what = "the client cancelled the call";
  if (origin == http2::ResetOrigin::kProtocol) what = "the client broke the rules of HTTP/2 on this call";
  static_cast<void>(code);
  if (!over_) end_on_wire(Status::cancelled(what));
  cancel_due_ = true;
  connection_->make_ready(*this);
}

void ServerCall::abort(const Status& why) {
  if (!over_) {
    connection_->http2().reset(*stream_, http2::ErrorCode::kCancel);
    end_on_wire(why);
  } else if (end_status_.is_ok()) {
    end_status_ = why;
  }
  cancel_due_ = true;
  connection_->make_ready(*this);
}

// gRPC over HTTP2: a server whose call has run out of time cancels it with RST_STREAM; the client's own
// clock tells it that this was the deadline.
void ServerCall::on_deadline() {
  ServerConnection& connection = *connection_;
  abort(Status::deadline_exceeded("the deadline passed while the server was at work"));
  connection.flush();
  connection.run_ready();
}

// Also of a response that the handler has begun and that wasn't sent.
size_t ServerCall::response_size() const noexcept {
  size_t size = response_bytes_;
  if (size != 0 || response_.type->byte_size(response_.object, &size)) return size;
  return SIZE_MAX;  // can't be encoded, nor be measured
}

void ServerCall::recycle() noexcept {
  if (deadline_timer_ != nullptr) deadline_timer_->disarm();
  const ServerMethod& called = *head_->method;
  if (request_.object != nullptr) {
    const size_t memory = extras_ != nullptr ? std::exchange(extras_->request_memory, 0) : 0;
    part_.give_back_request(called, std::exchange(request_, {}), request_bytes_, memory);
  }
  if (response_.object != nullptr) {
    const size_t memory = extras_ != nullptr ? std::exchange(extras_->response_memory, 0) : 0;
    const size_t size = response_size();
    part_.give_back_response(called, std::exchange(response_, {}), size, memory);
  }
  request_bytes_ = response_bytes_ = 0;
  decoded_ = false;
  head_ = nullptr;
  headers_ = nullptr;
  stream_ = nullptr;
  connection_ = nullptr;
  compressor_ = nullptr;
  handler_running_ = start_due_ = cancel_due_ = over_ = succeeded_ = headers_sent_ = request_ended_ = false;
  have_request_ = send_full_ = have_response_ = received_compressed_ = false;
  operations_ = 0;
  end_status_ = Status::ok();
  if (reader_ != nullptr) give_back_reader();
  arrived_.reset();
  if (extras_ != nullptr) {
    extras_->have_metadata = false;
    extras_->metadata.clear();
    extras_->header.clear();
    extras_->trailer.clear();
    extras_->encoded_request = {};
  }
}

}  // namespace gaggle
