// SPDX-License-Identifier: Apache-2.0
//
// What arrives for a call. The message of a unary call is decoded as it arrives, straight from the
// read buffer if it lies there whole, and the handler starts when the client has said its last.
#include <string>
#include <utility>

#include "gaggle/rpc/codec.h"
#include "gaggle/rpc/memory_quota.h"
#include "gaggle/rpc/message_coding.h"
#include "gaggle/rpc/server_call.h"
#include "gaggle/rpc/server_connection.h"
#include "gaggle/rpc/server_core.h"
#include "gaggle/rpc/server_loop.h"
#include "gaggle/rpc/server_request.h"

namespace gaggle {

using Step = MessageReader::Step;

void ServerCall::on_data(std::span<const uint8_t> content, bool end_stream) {
  http2::Connection& engine = connection_->http2();
  if (over_) return engine.consume(*stream_, content.size());
  if (part_.core().options().memory_quota != nullptr && is_too_much(content.size())) {
    const Status why = Status::resource_exhausted("the server is out of memory");
    return head_->method->unary != nullptr ? refuse(why) : fail(why);
  }
  if (head_->method->unary != nullptr) {
    if (receive_unary(content) && end_stream) on_request_end();
    return;
  }
  if (arrived_.count(content) != 0) engine.message_completed(*stream_);
  if (have_request_ && !head_->method->client_streams && !content.empty()) return fail(too_many_requests());
  if (!content.empty()) reader().keep(content);
  if (end_stream) return on_request_end();
  wake_receivers();
}

MessageReader& ServerCall::reader() {
  if (reader_ == nullptr) {
    reader_ = &part_.take_reader();
    reader_->allow_compressed(head_->encoding != nullptr);
  }
  return *reader_;
}

void ServerCall::give_back_reader() noexcept { part_.give_back(*std::exchange(reader_, nullptr)); }

size_t ServerCall::missing_bytes() const noexcept {
  return reader_ != nullptr ? reader_->missing_bytes() : kMessagePrefixBytes;
}

// While the memory is exhausted, a call may not keep more than a little.
bool ServerCall::is_too_much(size_t more) const noexcept {
  MemoryQuota& quota = *part_.core().options().memory_quota;
  if (quota.level() != MemoryQuota::Level::kExhausted) return false;
  if (stored_bytes() + more <= MemoryQuota::kShortWindowBytes) return false;
  quota.count(MemoryQuota::Event::kEndedCall);
  return true;
}

// False when the call has been refused, and is gone.
bool ServerCall::receive_unary(std::span<const uint8_t> content) {
  http2::Connection& engine = connection_->http2();
  MessageReader& reader = this->reader();
  for (;;) {
    const Step step = reader.next(content);
    if (step == Step::kMore) break;
    if (step != Step::kMessage) return refuse(reading_error(step)), false;
    if (have_request_) return refuse(too_many_requests()), false;
    have_request_ = true;
    received_compressed_ = reader.is_compressed();
    request_bytes_ = static_cast<uint32_t>(reader.message().size());
    engine.message_completed(*stream_);
    engine.consume(*stream_, reader.message_wire_bytes());
    size_t memory = 0;
    request_ = part_.take_request(*head_->method, request_bytes_, &memory);
    if (memory != 0) extras().request_memory = memory;
    if (head_->codec != nullptr) {
      // A user's codec doesn't run while the connection parses: decode() lets it.
      const size_t wire_bytes = reader.message_wire_bytes();
      Result<Bytes> encoded = take_encoded();
      if (!encoded) return refuse(encoded.error()), false;
      if (CallStats* const told = stats()) told->message_received(encoded->size(), wire_bytes, received_compressed_);
      extras().encoded_request = *std::move(encoded);
    } else if (Status bad = decode_into(request_); !bad) {
      return refuse(bad), false;
    }
  }
  // The rest of a message may be larger than the window: without this it would never come.
  if (reader.at_boundary()) {
    give_back_reader();
  } else {
    engine.expect(*stream_, reader.missing_bytes());
  }
  return true;
}

Status ServerCall::decode() {
  // on_data has done it.
  if (head_->codec == nullptr || std::exchange(decoded_, true)) return Status::ok();
  return unmarshal_with(*head_->codec, std::exchange(extras().encoded_request, {}), request_);
}

Result<Bytes> ServerCall::take_encoded() {
  if (!received_compressed_) return reader_->take_message();
  return decompress_message(*reader_, *head_->encoding, part_.core().options().max_receive_bytes);
}

Status ServerCall::decode_into(Message message) {
  bool decoded = true;
  const size_t wire_bytes = reader_->message_wire_bytes();
  size_t message_bytes = reader_->message().size();
  if (head_->codec != nullptr || received_compressed_) {
    Result<Bytes> encoded = take_encoded();
    if (!encoded) return encoded.error();
    message_bytes = encoded->size();
    if (head_->codec != nullptr) {
      if (Status bad = unmarshal_with(*head_->codec, *std::move(encoded), message); !bad) return bad;
    } else {
      decoded = fill_message(message, *std::move(encoded));
    }
  } else if (message.type->adopt_bytes != nullptr) {
    message.type->adopt_bytes(message.object, reader_->take_message());
  } else {
    decoded = message.type->parse(message.object, reader_->message());
  }
  if (!decoded) return not_decodable();
  if (CallStats* const told = stats()) told->message_received(message_bytes, wire_bytes, received_compressed_);
  return Status::ok();
}

void ServerCall::on_request_end() {
  request_ended_ = true;
  if (head_->method->stream != nullptr) return wake_receivers();
  if (stored_bytes() != 0) return refuse(cut_off());
  if (!have_request_) return refuse(no_request());
  start_due_ = true;
  connection_->make_ready(*this);
}

// Before the handler has started.
void ServerCall::refuse(const Status& why) {
  send_status(why);
  end_on_wire(why);
  connection_->call_ended(*this, false);
}

Status ServerCall::reading_error(Step step) const {
  switch (step) {
    case Step::kTooLarge:
      return Status::resource_exhausted("received a message of " + std::to_string(reader_->declared_bytes()) +
                                        " bytes, the limit is " +
                                        std::to_string(part_.core().options().max_receive_bytes));
    case Step::kCompressed: return Status::internal("received a compressed message, but the call has no grpc-encoding");
    case Step::kBadFlag:
    default: return Status::internal("received a message with unknown flags");
  }
}

Status ServerCall::not_decodable() const {
  std::string text = "the request is not a valid encoding";
  if (head_->method->request_type != nullptr) text.append(" of ").append(head_->method->request_type->name);
  return Status::internal(text);
}

// gRPC's status codes document says UNIMPLEMENTED for a broken cardinality on the server's side.
Status ServerCall::too_many_requests() const {
  return Status::unimplemented("received several messages for a method that takes one");
}
Status ServerCall::no_request() const {
  return Status::unimplemented("received no message for a method that takes one");
}
Status ServerCall::cut_off() const { return Status::internal("the request ended in the middle of a message"); }

}  // namespace gaggle
