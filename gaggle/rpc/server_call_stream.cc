// SPDX-License-Identifier: Apache-2.0
//
// A call as its handler's ServerStream. Operations that can end at once do so without a coroutine.
#include <utility>

#include "gaggle/rpc/codec.h"
#include "gaggle/rpc/server_call.h"
#include "gaggle/rpc/server_connection.h"
#include "gaggle/rpc/server_core.h"
#include "gaggle/rpc/server_loop.h"

namespace gaggle {
namespace {

using http2::SendResult;
using Step = MessageReader::Step;

// Says that an operation is under way, also when its coroutine is destroyed where it waits.
class Busy {
 public:
  Busy(uint8_t& operations, uint8_t bit) : operations_(operations), bit_(bit) { operations_ |= bit_; }
  Busy(const Busy&) = delete;
  Busy& operator=(const Busy&) = delete;
  ~Busy() { operations_ = static_cast<uint8_t>(operations_ & ~bit_); }

 private:
  uint8_t& operations_;
  uint8_t bit_;
};

Status busy(std::string_view what) {
  return Status::failed_precondition(std::string("another ").append(what).append(" is under way on this stream"));
}

}  // namespace

// --- Receiving ---

Task<Result<bool>> ServerCall::recv(Message message) {
  if ((operations_ & kReceiving) != 0) return Task<Result<bool>>::ready(busy("recv"));
  if (std::optional<Result<bool>> received = try_receive(message)) {
    return Task<Result<bool>>::ready(*std::move(received));
  }
  return receiver_.in_use() ? receive_later(message) : receiver_.task(message);
}

Task<Result<bool>> ServerCall::receive_later(Message message) {
  if ((operations_ & kReceiving) != 0) co_return busy("recv");
  const Busy receiving(operations_, kReceiving);
  for (;;) {
    std::optional<Result<bool>> received = try_receive(message);
    if (received) co_return *std::move(received);
    expect_more();
    Status woken = co_await waits().readable.wait();
    if (!woken.is_ok() && !over_) co_return woken;
  }
}

void ServerCall::expect_more() {
  if (reader_ != nullptr && stored_bytes() == 0) give_back_reader();
  connection_->http2().expect(*stream_, missing_bytes());
  connection_->flush();
}

void ServerCall::wake_receivers(const Status& why) noexcept {
  receiver_.wake();
  if (waits_ != nullptr) waits_->readable.wake_all(why);
}

void ServerCall::wake_senders(const Status& why) noexcept {
  if (waits_ != nullptr) waits_->writable.wake_all(why);
}

Task<Result<bool>> ServerCall::Receiver::task(Message message) noexcept {
  call_.request_ = message;
  state_ = State::kOffered;
  return Task<Result<bool>>::of(*this);
}

TaskOperation<Result<bool>>::Begun ServerCall::Receiver::begin(std::coroutine_handle<> awaiter,
                                                               TaskPromiseBase& promise, const Context& context) {
  // Whatever cancels the call's own context wakes this as well, see cancel_context().
  if (&context != &call_ || context.has_deadline()) return Begun::kNeedsFrame;
  if ((call_.operations_ & kReceiving) != 0) {
    result_ = busy("recv");
    return Begun::kEnded;
  }
  call_.operations_ |= kReceiving;
  if (try_now()) return Begun::kEnded;
  awaiter_ = awaiter;
  promise_ = &promise;
  return Begun::kWaits;
}

// Whether it has ended; otherwise it waits.
bool ServerCall::Receiver::try_now() {
  if (std::optional<Result<bool>> received = call_.try_receive(call_.request_)) {
    result_ = *std::move(received);
    state_ = State::kEnded;
    return true;
  }
  state_ = State::kWaiting;
  call_.expect_more();
  return false;
}

// The task goes on when its own turn of work comes, not on the stack of whoever wakes it.
void ServerCall::Receiver::wake() noexcept {
  if (state_ != State::kWaiting) return;
  state_ = State::kWoken;
  call_.loop().post(*this);
}

void ServerCall::Receiver::run_on_loop() noexcept {
  if (state_ == State::kWoken && try_now()) awaiter_.resume();
}

void ServerCall::Receiver::on_dropped() noexcept {
  if (state_ == State::kWoken) promise_->abandon();
}

void ServerCall::Receiver::leave() noexcept {
  if (state_ >= State::kWaiting) call_.operations_ = static_cast<uint8_t>(call_.operations_ & ~kReceiving);
  state_ = State::kFree;
  call_.request_ = {};
}

// Nullopt: wait for more.
std::optional<Result<bool>> ServerCall::try_receive(Message message) {
  if (over_) return end_status_;
  const Step step = reader_ != nullptr ? reader_->next() : Step::kMore;
  if (step == Step::kMore) {
    if (!request_ended_) return std::nullopt;
    if (stored_bytes() != 0) return fail_receive(cut_off());
    if (!head_->method->client_streams && !have_request_) return fail_receive(no_request());
    return false;
  }
  if (step != Step::kMessage) return fail_receive(reading_error(step));
  have_request_ = true;
  received_compressed_ = reader_->is_compressed();
  connection_->http2().consume(*stream_, reader_->message_wire_bytes());
  connection_->flush();
  if (Status bad = decode_into(message); !bad) return fail_receive(bad);
  if (!head_->method->client_streams && stored_bytes() != 0) return fail_receive(too_many_requests());
  return true;
}

Result<bool> ServerCall::fail_receive(const Status& why) {
  fail(why);
  return why;
}

// --- Sending ---

Task<Status> ServerCall::send(ConstMessage message, SendOptions options) {
  if ((operations_ & kSending) != 0) return Task<Status>::ready(busy("send"));
  if (send_full_ && !over_) return send_later(message, options);
  return Task<Status>::ready(send_now(message, options));
}

Task<Status> ServerCall::send_later(ConstMessage message, SendOptions options) {
  if ((operations_ & kSending) != 0) co_return busy("send");
  const Busy sending(operations_, kSending);
  while (send_full_ && !over_) {
    Status woken = co_await waits().writable.wait();
    if (!woken.is_ok() && !over_) co_return woken;
  }
  co_return send_now(message, options);
}

Status ServerCall::send_now(ConstMessage message, SendOptions options) {
  if (over_) return end_status_;
  if (std::exchange(have_response_, true) && !head_->method->server_streams) {
    fail(Status::internal("the handler has sent several responses for a method that has one"));
    return end_status_;
  }
  if (head_->codec == nullptr) return send_encoded(message, options);
  const Result<Bytes> encoded = marshal_with(*head_->codec, message);
  if (encoded) return send_encoded(message_of(*encoded), options);
  fail(encoded.error());
  return encoded.error();
}

// A message in the form in which it travels: behind the codec, if there is one.
Status ServerCall::send_encoded(ConstMessage message, SendOptions options) {
  size_t size = 0;
  if (Status status = check_size(message, &size); !status) {
    fail(status);
    return status;
  }
  if (!headers_sent_ && send_headers() == SendResult::kTooLarge) {
    if (extras_ != nullptr) extras_->header.clear();
    fail(Status::resource_exhausted("the header metadata is larger than the client takes"));
    return end_status_;
  }
  const SendResult result = write_message(message, size, options);
  connection_->flush();
  if (result == SendResult::kEnded) return Status::cancelled("the call is over");
  send_full_ = result == SendResult::kFull;
  return Status::ok();
}

void ServerCall::on_writable() {
  send_full_ = false;
  wake_senders();
}

// The call ends with `status` now, while its handler still runs.
void ServerCall::fail(const Status& status) {
  if (over_) return;
  send_status(status);
  end_on_wire(status);
  wake_receivers(status);
  wake_senders(status);
  connection_->flush();
}

}  // namespace gaggle
