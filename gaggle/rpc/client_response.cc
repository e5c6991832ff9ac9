// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/client_response.h"

#include <charconv>
#include <memory>

#include "gaggle/rpc/metadata.h"
#include "gaggle/rpc/wire_base64.h"
#include "gaggle/rpc/wire_codes.h"
#include "gaggle/rpc/wire_message_text.h"
#include "gaggle/rpc/wire_metadata.h"
#include "gaggle/rpc/wire_request.h"

namespace gaggle {
namespace {

using http2::HeaderBlock;
using http2::HeaderField;
using http2::HeaderName;

// Bytes of a foreign response that an error message quotes.
constexpr size_t kMaxQuotedBody = 1024;

bool is_application_field(const HeaderField& field) {
  return !http2::is_pseudo(field.id) && !wire::is_consumed_key(field.name);
}

uint32_t parse_http_status(std::string_view text) {
  uint32_t status = 0;
  std::from_chars(text.data(), text.data() + text.size(), status);
  return status;
}

Status status_of_fields(const HeaderBlock& block, std::string_view number) {
  const std::optional<StatusCode> code = wire::parse_status_number(number);
  if (!code) return Status::unknown("the server sent a grpc-status that is no number: \"" + std::string(number) + "\"");
  if (*code == StatusCode::kOk) return {};
  std::string message;
  if (const HeaderField* field = block.find(HeaderName::kGrpcMessage))
    message = wire::decode_message_text(field->value);
  std::string details;
  if (const HeaderField* field = block.find(HeaderName::kGrpcStatusDetailsBin)) {
    // Details that can't be read are dropped; the status is worth more than they are.
    if (!wire::base64_decode(field->value, details)) details.clear();
  }
  return {*code, message, details};
}

std::unique_ptr<ResponseFields> read_fields(const HeaderBlock& block) {
  auto fields = std::make_unique<ResponseFields>();
  if (const HeaderField* field = block.find(HeaderName::kStatus)) fields->http_status = parse_http_status(field->value);
  if (const HeaderField* field = block.find(HeaderName::kContentType)) {
    fields->has_content_type = true;
    const auto subtype = wire::content_subtype(field->value);
    fields->grpc_content_type = subtype.has_value();
    fields->subtype = subtype.value_or(std::string_view{});
  }
  if (const HeaderField* field = block.find(HeaderName::kGrpcStatus)) {
    fields->has_grpc_status = true;
    fields->status = status_of_fields(block, field->value);
  }
  if (const HeaderField* field = block.find(HeaderName::kGrpcEncoding);
      field != nullptr && field->value != "identity") {
    fields->encoding = field->value;
  }
  for (const HeaderField& field : block.fields()) {
    if (is_application_field(field)) fields->has_metadata = true;
  }
  return fields;
}

// Printable, so that a log line stays one.
std::string quoted(std::string_view body) {
  std::string text(body.substr(0, kMaxQuotedBody));
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  }
  return text;
}

}  // namespace

const ResponseFields& response_fields(const HeaderBlock& block) {
  if (block.attachment() == nullptr) block.set_attachment(read_fields(block));
  // Nobody else attaches anything to the blocks of a client's connection.
  return static_cast<const ResponseFields&>(*block.attachment());
}

Status read_response_metadata(const HeaderBlock& block, Metadata& metadata) {
  if (!response_fields(block).has_metadata) return {};
  for (const HeaderField& field : block.fields()) {
    if (!is_application_field(field)) continue;
    if (!wire::add_wire_field(field.name, field.value, metadata)) {
      return Status::internal("the server's metadata \"" + std::string(field.name) + "\" isn't base64");
    }
  }
  return {};
}

Status status_of_http_response(const ResponseFields& head, std::string_view content_type, std::string_view body) {
  std::string message = "the server's answer isn't gRPC: HTTP status " + std::to_string(head.http_status);
  if (!head.has_content_type) {
    message += ", no content-type";
  } else if (!head.grpc_content_type) {
    message.append(", content-type \"").append(content_type).append("\"");
  }
  if (!body.empty()) message.append("; it begins: ").append(quoted(body));
  return {wire::code_of_http_status(head.http_status), message};
}

Status status_of_reset(http2::ErrorCode code, http2::ResetOrigin origin, std::string_view detail) {
  std::string name(http2::error_code_name(code));
  switch (origin) {
    case http2::ResetOrigin::kPeer:
      return {wire::code_of_stream_reset(static_cast<uint32_t>(code)), "the server ended the stream with " + name};
    case http2::ResetOrigin::kProtocol: return Status::internal("the server's response broke HTTP/2: " + name);
    case http2::ResetOrigin::kUnprocessed: name = "the server didn't accept the call"; break;
    case http2::ResetOrigin::kConnection: name = "the connection was lost"; break;
  }
  if (!detail.empty()) name.append(": ").append(detail);
  return Status::unavailable(name);
}

}  // namespace gaggle
