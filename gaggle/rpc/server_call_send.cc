// SPDX-License-Identifier: Apache-2.0
//
// What a call answers: header metadata, messages, the status.
#include <string>
#include <utility>

#include "gaggle/rpc/codec.h"
#include "gaggle/rpc/compressor.h"
#include "gaggle/rpc/message_coding.h"
#include "gaggle/rpc/server_call.h"
#include "gaggle/rpc/server_connection.h"
#include "gaggle/rpc/server_core.h"
#include "gaggle/rpc/server_loop.h"
#include "gaggle/rpc/server_request.h"

namespace gaggle {
namespace {

using http2::HeaderName;
using http2::SendResult;

Status metadata_too_large() {
  return Status::resource_exhausted("the metadata of the answer is larger than the client takes");
}

}  // namespace

// OK when the whole answer is queued; otherwise the status to send in its place.
Status ServerCall::send_unary_response() {
  if (head_->codec == nullptr) return send_unary_response(response_);
  Result<Bytes> encoded = marshal_with(*head_->codec, response_);
  if (!encoded) return encoded.error();
  Message message = message_of(*encoded);
  return send_unary_response(message);
}

// Nobody uses the response again: a large one goes out as it lies in memory.
Status ServerCall::send_unary_response(Message& response) {
  size_t size = 0;
  if (Status status = check_size(response, &size); !status) return status;
  response_bytes_ = static_cast<uint32_t>(size);
  if (!headers_sent_ && send_headers() == SendResult::kTooLarge) return metadata_too_large();
  if (compressor_ != nullptr) {
    static_cast<void>(write_message(response, size, SendOptions{}));
  } else {
    if (CallStats* const told = stats()) told->message_sent(size);
    http2::Connection& engine = connection_->http2();
    if (is_sent_as_it_lies(response, size)) {
      const Message lent = std::exchange(response, {});
      const size_t memory = extras_ != nullptr ? std::exchange(extras_->response_memory, 0) : 0;
      const Bytes owner = part_.lend_response(*head_->method, lent, size, memory);
      static_cast<void>(send_as_it_lies(engine, *stream_, lent, size, owner, false));
    } else {
      static_cast<void>(send_message(engine, *stream_, response, size, false));
    }
  }
  return send_ok_trailers();
}

Status ServerCall::send_stream_end() {
  if (!head_->method->server_streams && !have_response_) return Status::internal("the handler has sent no response");
  if (!headers_sent_ && send_headers() == SendResult::kTooLarge) return metadata_too_large();
  return send_ok_trailers();
}

Status ServerCall::send_ok_trailers() {
  ReplyFields& fields = part_.fields();
  fields.clear();
  if (extras_ != nullptr) fields.add(extras_->trailer);
  const SendResult result =
      connection_->http2().send_trailers(*stream_, part_.core().templates().ok_trailers(), fields.fields());
  if (result == SendResult::kTooLarge) return metadata_too_large();
  if (CallStats* const told = stats(); told != nullptr && result != SendResult::kEnded) told->trailer_sent(false);
  return Status::ok();
}

Status ServerCall::check_size(ConstMessage message, size_t* size) {
  if (!message.type->byte_size(message.object, size)) {
    return Status::internal("the response can't be encoded: a required field is missing, or it is too large");
  }
  const size_t limit = part_.core().options().max_send_bytes;
  if (*size <= limit && *size <= UINT32_MAX) return Status::ok();
  return Status::resource_exhausted("the response has " + std::to_string(*size) + " bytes, the limit is " +
                                    std::to_string(limit));
}

// A header section; what most of them begin with is a template.
ReplyFields& ServerCall::begin_head() {
  ReplyFields& fields = part_.fields();
  fields.clear();
  if (head_->other_subtype) fields.add_head("200", head_->subtype);
  return fields;
}

SendResult ServerCall::send_head(const ReplyFields& fields, bool end_stream) {
  http2::Connection& engine = connection_->http2();
  if (head_->other_subtype) return engine.send_headers(*stream_, fields.fields(), end_stream);
  const http2::PreparedHeaders& usual = part_.core().templates().response(head_->proto_subtype);
  return engine.send_headers(*stream_, usual, fields.fields(), end_stream);
}

SendResult ServerCall::send_headers() {
  ReplyFields& fields = begin_head();
  if (compressor_ != nullptr) fields.add_plain("grpc-encoding", compressor_->name(), HeaderName::kGrpcEncoding);
  // Whoever compresses wants to know what else it might use; for the rest it would be a byte per answer.
  if (head_->encoding != nullptr) {
    const std::string& accepted = part_.core().compressors().accept_encoding();
    fields.add_plain("grpc-accept-encoding", accepted, HeaderName::kGrpcAcceptEncoding);
  }
  if (extras_ != nullptr) fields.add(extras_->header);
  const SendResult result = send_head(fields, false);
  headers_sent_ = result == SendResult::kOk;
  if (CallStats* const told = stats(); told != nullptr && headers_sent_) {
    told->header_sent(*connection_->stats(), compressor_ != nullptr ? compressor_->name() : std::string_view{});
  }
  return result;
}

SendResult ServerCall::write_message(ConstMessage message, size_t size, SendOptions options) {
  http2::Connection& engine = connection_->http2();
  if (compressor_ != nullptr && options.compress) {
    Bytes encoded = encode_message(message, size, compressor_);
    if (CallStats* const told = stats()) told->message_sent(size, encoded);
    return engine.send_data(*stream_, std::move(encoded), false);
  }
  if (CallStats* const told = stats()) told->message_sent(size);
  return send_message(engine, *stream_, message, size, false);
}

// If the client says that it can read it, which its own use of it doesn't.
void ServerCall::use_requests_compressor() {
  if (accepts_encoding(*headers_, head_->encoding->name())) compressor_ = head_->encoding;
}

// Trailers, or the whole answer as Trailers-Only when nothing has been sent.
void ServerCall::send_status(const Status& status) {
  SendResult result = try_send_status(status, true);
  if (result == SendResult::kTooLarge) result = try_send_status(metadata_too_large(), false);
  // A client that takes not even that hears of the end at least.
  if (result == SendResult::kTooLarge) connection_->http2().reset(*stream_, http2::ErrorCode::kInternalError);
}

SendResult ServerCall::try_send_status(const Status& status, bool with_metadata) {
  if (!headers_sent_ && with_metadata && extras_ != nullptr && !extras_->header.empty()) {
    const SendResult result = send_headers();
    if (result != SendResult::kOk) return result;
  }
  ReplyFields& fields = headers_sent_ ? part_.fields() : begin_head();
  if (headers_sent_) fields.clear();
  fields.add(status);
  if (with_metadata && extras_ != nullptr) fields.add(extras_->trailer);
  const SendResult result =
      headers_sent_ ? connection_->http2().send_trailers(*stream_, fields.fields()) : send_head(fields, true);
  const bool sent = result == SendResult::kOk || result == SendResult::kFull;
  if (CallStats* const told = stats(); told != nullptr && sent) told->trailer_sent(!headers_sent_);
  return result;
}

}  // namespace gaggle
