// SPDX-License-Identifier: Apache-2.0
//
// The receiving side of a streaming call.
#include <utility>

#include "gaggle/rpc/client_message.h"
#include "gaggle/rpc/client_response.h"
#include "gaggle/rpc/client_stream_call.h"
#include "gaggle/rpc/client_transport.h"
#include "gaggle/rpc/codec.h"

namespace gaggle {

size_t ClientStreamCall::receive_limit() const { return options().max_receive_bytes.value_or(kDefaultMaxReceiveBytes); }

void ClientStreamCall::on_response_headers() {
  if (Status read = read_response_metadata(*headers(), header_metadata_); !read) return finish(std::move(read));
  reader_.allow_compressed(decompressor() != nullptr);
  headers_came_ = true;
  if (header_waiter_ != nullptr) std::exchange(header_waiter_, nullptr)->complete({});
}

void ClientStreamCall::take_content(std::span<const uint8_t> content) {
  if (!server_streams_) return take_only_message(content);
  const size_t came = counter_.count(content);
  for (size_t i = 0; i < came; ++i) transport()->http2().message_completed(*stream());
  unread_ += came;
  if (receiver_ != nullptr) {
    ClientStreamOperation& receiver = *std::exchange(receiver_, nullptr);
    if (!receive(receiver, content)) receiver_ = &receiver;
  }
  if (!is_done()) reader_.keep(content);
}

// Gives the next message to `operation`, or the end if that is reached; false when it has to wait.
bool ClientStreamCall::receive(ClientStreamOperation& operation, std::span<const uint8_t>& content) {
  const MessageReader::Step step = reader_.next(content);
  if (step == MessageReader::Step::kMessage) {
    const size_t wire_bytes = reader_.message_wire_bytes();
    size_t message_bytes = 0;
    consume(wire_bytes);
    operation.compressed_ = reader_.is_compressed();
    if (Status parsed = parse_message(operation.codec_, operation.to_fill_, reader_, decompressor(), receive_limit(),
                                      message_bytes);
        !parsed) {
      give_up_on(parsed);
      operation.complete(std::move(parsed));
    } else {
      if (CallStats& stats = current().stats()) {
        stats.message_received(message_bytes, wire_bytes, operation.compressed_);
      }
      set_unread(unread_ - 1);
      operation.complete({}, true);
    }
    return true;
  }
  if (step != MessageReader::Step::kMore) {
    Status bad = status_of_step(step, reader_, receive_limit(), encoding());
    give_up_on(bad);
    operation.complete(std::move(bad));
    return true;
  }
  if (is_done()) {
    operation.complete(status(), false);
    return true;
  }
  // A message larger than the stream's window would never arrive otherwise.
  if (stream() != nullptr) {
    transport()->http2().expect(*stream(), reader_.missing_bytes());
    transport()->flush();
  }
  return false;
}

// What came can't be read, and nobody will. It's the end that counts, whatever the server said.
void ClientStreamCall::give_up_on(const Status& why) {
  unread_ = 0;
  if (is_done()) return end_stats(why);
  finish(why);
}

void ClientStreamCall::set_unread(size_t messages) noexcept {
  unread_ = messages;
  if (unread_ == 0 && is_done()) end_stats(status());
}

void ClientStreamCall::end_stats(const Status& status) noexcept {
  if (CallStats& stats = current().stats()) stats.end(status);
}

// Its end is told after the last of what it has brought.
bool ClientStreamCall::has_unread(const ClientAttempt& attempt) const noexcept {
  if (unread_ == 0 || &attempt != &current()) return false;
  return server_streams_ ? !drops_unread() : status().is_ok();
}

void ClientStreamCall::run_recv(ClientStreamOperation& operation) {
  if (receiver_ != nullptr) {
    return operation.refuse(Status::failed_precondition("a recv is under way: one at a time"));
  }
  std::span<const uint8_t> nothing;
  const bool ended = server_streams_ ? receive(operation, nothing) : receive_only(operation);
  if (!ended) receiver_ = &operation;
}

// --- A server that doesn't stream ---

// Its one message goes straight into the receiver's, or waits for one; the end decides whether it
// counts.
void ClientStreamCall::take_only_message(std::span<const uint8_t> content) {
  const size_t bytes = content.size();
  for (;;) {
    const MessageReader::Step step = reader_.next(content);
    if (step == MessageReader::Step::kMore) break;
    if (step != MessageReader::Step::kMessage) {
      return finish(status_of_step(step, reader_, receive_limit(), encoding()));
    }
    if (std::exchange(only_came_, true)) {
      return finish(Status::internal("the server sent a second message where one was expected"));
    }
    transport()->http2().message_completed(*stream());
    only_compressed_ = reader_.is_compressed();
    const size_t wire_bytes = reader_.message_wire_bytes();
    size_t message_bytes = 0;
    if (Status taken = take_only(message_bytes); !taken) return finish(std::move(taken));
    if (CallStats& stats = current().stats()) stats.message_received(message_bytes, wire_bytes, only_compressed_);
  }
  consume(bytes);
  expect_rest(reader_);
}

Status ClientStreamCall::take_only(size_t& message_bytes) {
  if (receiver_ == nullptr) {
    Result<Bytes> taken = take_message(reader_, decompressor(), receive_limit());
    if (!taken) return taken.error();
    only_message_ = *std::move(taken);
    unread_ = 1;
    message_bytes = only_message_.size();
    return {};
  }
  only_parsed_ = true;
  return parse_message(receiver_->codec_, receiver_->to_fill_, reader_, decompressor(), receive_limit(), message_bytes);
}

bool ClientStreamCall::receive_only(ClientStreamOperation& operation) {
  if (!is_done()) return false;
  if (!status() || std::exchange(only_given_, true)) {
    operation.complete(status(), false);
    return true;
  }
  operation.compressed_ = only_compressed_;
  if (Status read = only_parsed_ ? Status{} : read_only(operation, std::exchange(only_message_, {})); !read) {
    give_up_on(read);
    operation.complete(std::move(read));
    return true;
  }
  set_unread(0);
  operation.complete({}, true);
  return true;
}

Status ClientStreamCall::read_only(const ClientStreamOperation& operation, Bytes encoded) {
  if (operation.codec_ != nullptr) return unmarshal_with(*operation.codec_, std::move(encoded), operation.to_fill_);
  if (fill_message(operation.to_fill_, std::move(encoded))) return {};
  return Status::internal("the server's message is no valid " + std::string(operation.to_fill_.type->name));
}

Status ClientStreamCall::conclude(Status status) {
  if (!status) return status;
  const bool whole = server_streams_ ? counter_.at_boundary() : reader_.at_boundary();
  if (!whole) return Status::internal("the server ended the call within a message");
  if (!server_streams_ && !only_came_) return Status::internal("the server answered with OK but without a message");
  return status;
}

}  // namespace gaggle
