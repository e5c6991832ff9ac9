// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/client_stream_call.h"

#include <utility>

#include "gaggle/rpc/client_message.h"
#include "gaggle/rpc/client_response.h"
#include "gaggle/rpc/client_transport.h"

namespace gaggle {

// --- An operation's travel ---

bool ClientStreamOperation::await_ready() {
  if (Loop::current() != &call_.loop()) return false;
  begun_ = starting_ = true;
  call_.run(*this);
  starting_ = false;
  return done_;
}

void ClientStreamOperation::post_to_call() noexcept { call_.loop().post(*this); }

void ClientStreamOperation::complete() noexcept {
  done_ = true;
  if (!starting_) caller_->post(*this);
}

void ClientStreamOperation::run_on_loop() noexcept {
  if (done_) return handle_.resume();
  begun_ = starting_ = true;
  call_.run(*this);
  starting_ = false;
  if (done_) caller_->post(*this);
}

// --- The call ---

ClientStreamCall::ClientStreamCall(ClientChannel& channel, bool client_streams, bool server_streams)
    : ClientCallBase(channel),
      keep_(Ref<ClientChannel>::share(&channel)),
      loop_(channel.loop()),
      client_streams_(client_streams),
      server_streams_(server_streams) {}

void ClientStreamCall::prepare(const Context& context, std::string_view method, const CallOptions& options) {
  pending_context_ = context;
  pending_method_ = method;
  pending_options_ = options;
}

void ClientStreamCall::cancel() noexcept {
  if (Loop::current() == &loop_) return cancel_here();
  if (!cancel_posted_.exchange(true)) loop_.post(cancel_work_);
}

void ClientStreamCall::on_cancel_arrived() {
  cancel_arrived_ = true;
  cancel_here();
  delete_if_unused();
}

void ClientStreamCall::detach() noexcept {
  if (Loop::current() == &loop_) return detach_here();
  loop_.post(detach_work_);
}

void ClientStreamCall::detach_here() {
  cancel_here();
  set_unread(0);
  detached_ = true;
  delete_if_unused();
}

void ClientStreamCall::delete_if_unused() {
  const bool cancel_travels = cancel_posted_.load(std::memory_order_relaxed) && !cancel_arrived_;
  if (detached_ && is_settled() && !cancel_travels && !loan_ends_) delete this;
}

void ClientStreamCall::on_settled() { delete_if_unused(); }

void ClientStreamCall::run(ClientStreamOperation& operation) {
  switch (operation.kind_) {
    case ClientStreamOperation::Kind::kOpen: return run_open(operation);
    case ClientStreamOperation::Kind::kHeader: return run_header(operation);
    case ClientStreamOperation::Kind::kSend: return run_send(operation);
    case ClientStreamOperation::Kind::kClose: return run_close(operation);
    case ClientStreamOperation::Kind::kRecv: return run_recv(operation);
    case ClientStreamOperation::Kind::kEnd: return run_end(operation);
  }
}

void ClientStreamCall::run_open(ClientStreamOperation& operation) {
  opener_ = &operation;
  reader_.reset(pending_options_.max_receive_bytes.value_or(kDefaultMaxReceiveBytes));
  begin(pending_context_, pending_method_, pending_options_);
}

void ClientStreamCall::on_opened(ClientAttempt& attempt) {
  opened_ = true;
  peer_ = attempt.transport()->peer();
  if (opener_ != nullptr) std::exchange(opener_, nullptr)->complete({});
}

void ClientStreamCall::run_header(ClientStreamOperation& operation) {
  if (headers_came_) return operation.complete({});
  if (is_done()) return operation.complete(status());
  if (header_waiter_ != nullptr) {
    return operation.refuse(Status::failed_precondition("somebody waits for this call's header already"));
  }
  header_waiter_ = &operation;
}

void ClientStreamCall::run_end(ClientStreamOperation& operation) {
  finish(std::exchange(operation.status_, {}));
  operation.complete({});
}

// A caller that gave up wants nothing more of what has arrived.
bool ClientStreamCall::drops_unread() const noexcept {
  const StatusCode code = status().code();
  return trailers() == nullptr && (code == StatusCode::kCancelled || code == StatusCode::kDeadlineExceeded);
}

// Everybody who waits learns that the call is over.
void ClientStreamCall::on_finished() {
  // The status is worth more than metadata that can't be read.
  if (trailers() != nullptr) static_cast<void>(read_response_metadata(*trailers(), trailer_metadata_));
  over_.store(true, std::memory_order_release);
  on_committed();
  if (drops_unread()) reader_.reset(0);

  if (opener_ != nullptr) std::exchange(opener_, nullptr)->complete(status());
  if (header_waiter_ != nullptr) std::exchange(header_waiter_, nullptr)->complete(status());
  if (sender_ != nullptr) std::exchange(sender_, nullptr)->complete({}, false);
  if (receiver_ != nullptr) {
    std::span<const uint8_t> nothing;
    ClientStreamOperation& receiver = *std::exchange(receiver_, nullptr);
    static_cast<void>(server_streams_ ? receive(receiver, nothing) : receive_only(receiver));
  }
  // It may have been let go long ago, if credentials took their time.
  delete_if_unused();
}

}  // namespace gaggle
