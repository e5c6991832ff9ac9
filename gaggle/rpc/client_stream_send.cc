// SPDX-License-Identifier: Apache-2.0
//
// The sending side of a streaming call.
#include <utility>

#include "gaggle/rpc/client_message.h"
#include "gaggle/rpc/client_stream_call.h"
#include "gaggle/rpc/client_transport.h"

namespace gaggle {

void ClientStreamCall::run_send(ClientStreamOperation& operation) {
  if (sender_ != nullptr) {
    return operation.refuse(Status::failed_precondition("a send is under way: one at a time"));
  }
  // Nothing more can be sent either when the stream is gone and only the reason isn't known yet.
  if (is_done() || (is_committed() && stream() == nullptr)) return operation.complete({}, false);
  if (end_sent_) {
    return operation.refuse(
        Status::failed_precondition(client_streams_ ? "send after close_send" : "this call takes one message"));
  }
  size_t size = 0;
  const size_t limit = options().max_send_bytes.value_or(kDefaultMaxSendBytes);
  if (Status bad = measure_message(operation.to_send_, limit, size); !bad) {
    finish(bad);
    return operation.complete(std::move(bad));
  }
  end_sent_ = !client_streams_;
  switch (send_now(operation, size, end_sent_)) {
    case http2::SendResult::kOk: return operation.complete({}, true);
    case http2::SendResult::kFull: sender_ = &operation; return;
    case http2::SendResult::kEnded:
    case http2::SendResult::kTooLarge: return operation.complete({}, false);
  }
}

// Until the call is committed, what is sent stays here, for attempts that come later; between two
// attempts that is all there is.
http2::SendResult ClientStreamCall::send_now(const ClientStreamOperation& operation, size_t size, bool end) {
  const ConstMessage message = operation.to_send_;
  const Compressor* const packer = operation.compress_ ? compressor() : nullptr;
  if (is_committed()) {
    http2::Connection& http2 = transport()->http2();
    CallStats& stats = current().stats();
    http2::SendResult sent;
    if (packer != nullptr) {
      const Bytes encoded = encode_message(message, size, packer);
      sent = http2.send_data(*stream(), encoded, end);
      if (stats && sent != http2::SendResult::kEnded) stats.message_sent(size, encoded);
    } else {
      sent = is_lent_to_stream(message, size) ? send_as_it_lies(http2, *stream(), message, size, lender(), end)
                                              : send_message(http2, *stream(), message, size, end);
      if (has_lent() && sent != http2::SendResult::kFull) http2.end_loan(*stream(), lender_);
      if (stats && sent != http2::SendResult::kEnded) stats.message_sent(size);
    }
    transport()->flush();
    return sent;
  }
  const Bytes encoded = encode_message(message, size, packer);
  replay_full_ |= !keep(encoded, size);
  http2::SendResult result = http2::SendResult::kOk;
  ClientAttempt* open = nullptr;
  each_open_attempt([&](ClientAttempt& attempt) {
    open = &attempt;
    const http2::SendResult sent = attempt.transport()->http2().send_data(*attempt.stream(), encoded, end);
    if (attempt.stats() && sent != http2::SendResult::kEnded) attempt.stats().message_sent(size, encoded);
    attempt.transport()->flush();
    if (sent == http2::SendResult::kFull) result = sent;
  });
  // Nobody is there to take more, so the next message waits until somebody is.
  if (open == nullptr) return replay_full_ ? http2::SendResult::kFull : result;
  // gRFC A6: what isn't kept can't be sent again. All attempts have got as much.
  if (replay_full_) commit(*open);
  return result;
}

// False: there is no room for more. The message is kept all the same, until the call is committed.
bool ClientStreamCall::keep(const Bytes& encoded, size_t message_bytes) {
  replay_.push_back({encoded, message_bytes});
  const size_t limit = options().retry_buffer_bytes.value_or(kRetryBufferBytes);
  if (replay_full_ || replay_bytes_ + encoded.size() > limit) {
    if (!replay_full_ && may_be_retried()) ++channel().counters().retry_buffer_full;
    return false;
  }
  if (!channel().take_retry_buffer(encoded.size())) return false;
  replay_bytes_ += encoded.size();
  return true;
}

void ClientStreamCall::on_committed() {
  replay_.clear();
  replay_.shrink_to_fit();
  channel().give_back_retry_buffer(std::exchange(replay_bytes_, 0));
}

void ClientStreamCall::send_request(ClientAttempt& attempt) {
  http2::Connection& http2 = attempt.transport()->http2();
  for (size_t i = 0; i < replay_.size(); ++i) {
    const Sent& sent = replay_[i];
    static_cast<void>(http2.send_data(*attempt.stream(), sent.encoded, end_sent_ && i + 1 == replay_.size()));
    if (attempt.stats()) attempt.stats().message_sent(sent.message_bytes, sent.encoded);
  }
  if (end_sent_ && replay_.empty()) static_cast<void>(http2.send_data(*attempt.stream(), {}, true));
  if (replay_full_) commit(attempt);
  // Whoever waited for the next attempt, or for room on the last one, goes on; the queue is bounded
  // by what is kept.
  on_writable();
}

// What of a lent message is framed now leaves at the end of this turn; the rest is copied after it.
void ClientStreamCall::on_writable() {
  if (sender_ == nullptr) return;
  if (!has_lent()) return std::exchange(sender_, nullptr)->complete({}, true);
  if (!std::exchange(loan_ends_, true)) loop_.post(loan_work_);
}

void ClientStreamCall::end_loan() {
  loan_ends_ = false;
  if (has_lent() && stream() != nullptr) transport()->http2().end_loan(*stream(), lender_);
  if (sender_ != nullptr) std::exchange(sender_, nullptr)->complete({}, true);
  delete_if_unused();
}

void ClientStreamCall::run_close(ClientStreamOperation& operation) {
  if (sender_ != nullptr) {
    return operation.refuse(Status::failed_precondition("close_send while a send is under way"));
  }
  if (!is_done() && !std::exchange(end_sent_, true)) {
    each_open_attempt([](ClientAttempt& attempt) {
      static_cast<void>(attempt.transport()->http2().send_data(*attempt.stream(), {}, true));
      attempt.transport()->flush();
    });
  }
  operation.complete({});
}

}  // namespace gaggle
