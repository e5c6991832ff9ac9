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
  if (is_done()) return operation.complete({}, false);
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
  switch (send_now(operation.to_send_, size, end_sent_)) {
    case http2::SendResult::kOk: return operation.complete({}, true);
    case http2::SendResult::kFull: sender_ = &operation; return;
    case http2::SendResult::kEnded:
    case http2::SendResult::kTooLarge: return operation.complete({}, false);
  }
}

// Until the server has answered, a copy stays here for a transparent retry; between two attempts the
// copy is all there is.
http2::SendResult ClientStreamCall::send_now(ConstMessage message, size_t size, bool end) {
  if (committed_) {
    const http2::SendResult sent = send_message(transport()->http2(), *stream(), message, size, end);
    transport()->flush();
    return sent;
  }
  Bytes encoded = encode_message(message, size);
  replay_bytes_ += encoded.size();
  replay_.push_back(encoded);
  if (stream() == nullptr) return replay_bytes_ > kMaxReplayBytes ? http2::SendResult::kFull : http2::SendResult::kOk;
  const http2::SendResult sent = transport()->http2().send_data(*stream(), std::move(encoded), end);
  transport()->flush();
  if (replay_bytes_ > kMaxReplayBytes) commit();
  return sent;
}

void ClientStreamCall::commit() {
  committed_ = true;
  replay_.clear();
  replay_.shrink_to_fit();
  replay_bytes_ = 0;
}

void ClientStreamCall::send_request() {
  http2::Connection& http2 = transport()->http2();
  for (size_t i = 0; i < replay_.size() && stream() != nullptr; ++i) {
    static_cast<void>(http2.send_data(*stream(), replay_[i], end_sent_ && i + 1 == replay_.size()));
  }
  if (end_sent_ && replay_.empty()) static_cast<void>(http2.send_data(*stream(), {}, true));
  if (replay_bytes_ > kMaxReplayBytes) commit();
  // Whoever waited for the next attempt, or for room on the last one, goes on; the queue is bounded
  // by what is kept.
  on_writable();
}

void ClientStreamCall::on_writable() {
  if (sender_ != nullptr) std::exchange(sender_, nullptr)->complete({}, true);
}

void ClientStreamCall::run_close(ClientStreamOperation& operation) {
  if (sender_ != nullptr) {
    return operation.refuse(Status::failed_precondition("close_send while a send is under way"));
  }
  if (!is_done() && !std::exchange(end_sent_, true) && stream() != nullptr) {
    static_cast<void>(transport()->http2().send_data(*stream(), {}, true));
    transport()->flush();
  }
  operation.complete({});
}

}  // namespace gaggle
