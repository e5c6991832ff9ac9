// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/client_unary.h"

#include <utility>

#include "gaggle/rpc/client_hooks.h"
#include "gaggle/rpc/client_message.h"
#include "gaggle/rpc/client_outputs.h"
#include "gaggle/rpc/client_transport.h"

namespace gaggle {

// --- The operation ---

void ClientUnaryOperation::begin() {
  begun_ = starting_ = true;
  channel_.take_unary_call().run(*this);
  starting_ = false;
}

void ClientUnaryOperation::complete(const Status& result) noexcept {
  result_ = result;
  done_ = true;
  if (!starting_) caller_->post(*this);
}

// First on the channel's loop, to begin; then on the caller's, to go on there.
void ClientUnaryOperation::run_on_loop() noexcept {
  if (done_) return handle_.resume();
  const Ref<ClientChannel> keep = std::move(keep_);
  begin();
  if (done_) caller_->post(*this);
}

// --- The call ---

void ClientUnaryCall::run(ClientUnaryOperation& operation) {
  operation_ = &operation;
  received_ = false;
  reader_.reset(operation.options_.max_receive_bytes.value_or(kDefaultMaxReceiveBytes));
  begin(operation.context_, operation.method_, operation.options_);
}

size_t ClientUnaryCall::receive_limit() const { return options().max_receive_bytes.value_or(kDefaultMaxReceiveBytes); }

Status ClientUnaryCall::prepare_request() {
  if (!kept_.empty()) return {};
  const size_t limit = options().max_send_bytes.value_or(kDefaultMaxSendBytes);
  Status measured = measure_message(operation_->request_, limit, request_bytes_);
  // gRFC A6: a request that is larger than what may be kept isn't retried.
  if (measured.is_ok() && may_be_retried() &&
      request_bytes_ > options().retry_buffer_bytes.value_or(kRetryBufferBytes)) {
    ++channel().counters().retry_buffer_full;
    forgo_retries();
  }
  return measured;
}

// The caller has the request until the call is over, so the first attempt writes it straight into the
// output, or lends its large fields, and a transparent retry writes it anew. Further attempts share one encoded form.
void ClientUnaryCall::send_request(ClientAttempt& attempt) {
  http2::Connection& http2 = attempt.transport()->http2();
  if (kept_.empty() && !keep_request()) {
    if (compressor() != nullptr) {
      Bytes encoded = encode_message(operation_->request_, request_bytes_, compressor());
      if (attempt.stats()) attempt.stats().message_sent(request_bytes_, encoded);
      static_cast<void>(http2.send_data(*attempt.stream(), std::move(encoded), true));
      return;
    }
    if (attempt.stats()) attempt.stats().message_sent(request_bytes_);
    if (is_sent_as_it_lies(operation_->request_, request_bytes_)) {
      static_cast<void>(
          send_as_it_lies(http2, *attempt.stream(), operation_->request_, request_bytes_, lender(), true));
    } else {
      static_cast<void>(send_message(http2, *attempt.stream(), operation_->request_, request_bytes_, true));
    }
  } else {
    if (attempt.stats()) attempt.stats().message_sent(request_bytes_, kept_);
    static_cast<void>(http2.send_data(*attempt.stream(), kept_, true));
  }
}

bool ClientUnaryCall::keep_request() {
  if (!may_be_retried() || (!is_hedged() && !is_retry())) return false;
  Bytes encoded = encode_message(operation_->request_, request_bytes_, compressor());
  if (!channel().take_retry_buffer(encoded.size())) return false;
  kept_ = std::move(encoded);
  return true;
}

void ClientUnaryCall::on_committed() {
  channel().give_back_retry_buffer(kept_.size());
  kept_ = {};
}

void ClientUnaryCall::on_opened(ClientAttempt& attempt) {
  if (options().peer != nullptr) *options().peer = attempt.transport()->peer();
  if (options().record != nullptr) options().record->set_peer(attempt.transport()->peer());
}

void ClientUnaryCall::take_content(std::span<const uint8_t> content) {
  const size_t bytes = content.size();
  for (;;) {
    const MessageReader::Step step = reader_.next(content);
    if (step == MessageReader::Step::kMore) break;
    if (step != MessageReader::Step::kMessage) {
      return finish(status_of_step(step, reader_, receive_limit(), encoding()));
    }
    if (std::exchange(received_, true)) {
      return finish(Status::internal("the server sent a second message in answer to a unary call"));
    }
    if (options().received_compressed != nullptr) *options().received_compressed = reader_.is_compressed();
    const size_t wire_bytes = reader_.message_wire_bytes();
    size_t message_bytes = 0;
    Status parsed = parse_message(operation_->codec_, operation_->response_, reader_, decompressor(), receive_limit(),
                                  message_bytes);
    if (!parsed) return finish(std::move(parsed));
    if (CallStats& stats = current().stats()) {
      stats.message_received(message_bytes, wire_bytes, reader_.is_compressed());
    }
    transport()->http2().message_completed(*stream());
  }
  consume(bytes);
  expect_rest(reader_);
}

Status ClientUnaryCall::conclude(Status status) {
  if (!status) return status;
  if (!reader_.at_boundary()) return Status::internal("the server ended the call within a message");
  if (!received_) return Status::internal("the server answered a unary call with OK but without a message");
  return status;
}

void ClientUnaryCall::on_finished() {
  on_committed();
  Status result = status();
  if (Status filled = fill_outputs(options(), headers(), trailers()); !filled && result) result = std::move(filled);
  if (options().record != nullptr) note_answer(*options().record, attempts(), headers(), trailers());
  std::exchange(operation_, nullptr)->complete(result);
  if (is_settled()) on_settled();
}

void ClientUnaryCall::on_settled() {
  reset();
  reader_.reset(0);
  channel().recycle(*this);
}

}  // namespace gaggle
