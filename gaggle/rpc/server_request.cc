// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/server_request.h"

#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "gaggle/rpc/codec.h"
#include "gaggle/rpc/compressor.h"
#include "gaggle/rpc/metadata.h"
#include "gaggle/rpc/server_methods.h"
#include "gaggle/rpc/wire_metadata.h"
#include "gaggle/rpc/wire_request.h"
#include "gaggle/rpc/wire_timeout.h"

namespace gaggle {
namespace {

using http2::HeaderBlock;
using http2::HeaderField;
using http2::HeaderName;

std::string_view value_of(const HeaderBlock& block, HeaderName id) {
  const HeaderField* field = block.find(id);
  return field != nullptr ? field->value : std::string_view{};
}

bool is_repeated(const HeaderBlock& block, HeaderName id) { return (block.repeated_names() & http2::mask_of(id)) != 0; }

std::string quoted(std::string_view before, std::string_view value) {
  std::string text(before);
  return text.append(" \"").append(value.substr(0, 128)).append("\"");
}

}  // namespace

const RequestHead& RequestHead::of(const HeaderBlock& block, const RequestRules& rules) {
  if (auto* known = static_cast<RequestHead*>(block.attachment())) return *known;
  auto head = std::make_unique<RequestHead>();
  head->parse(block, rules);
  const RequestHead& result = *head;
  block.set_attachment(std::move(head));
  return result;
}

void RequestHead::refuse(uint16_t http, Status why) {
  http_status = http;
  refusal = std::move(why);
}

void RequestHead::parse(const HeaderBlock& block, const RequestRules& rules) {
  // What was cut off can't be checked, so this comes first.
  if (block.is_truncated()) {
    return refuse(431, Status::resource_exhausted("the request's headers are larger than this server takes"));
  }
  if (!check_http(block) || !check_content_type(block, rules) || !check_authority(block)) return;
  path = value_of(block, HeaderName::kPath);
  const ServerMethod* const found = rules.methods.find(path);
  if (found == nullptr) return refuse(200, rules.methods.not_found(path));
  if (!check_encoding(block, rules.compressors) || !check_binary(block)) return;
  if (block.has(HeaderName::kGrpcTimeout)) {
    const std::optional<Duration> decoded = wire::decode_timeout(value_of(block, HeaderName::kGrpcTimeout));
    // Taking it for "no deadline" would make the server work on after the client has gone.
    if (!decoded || is_repeated(block, HeaderName::kGrpcTimeout)) {
      return refuse(400, Status::internal(quoted("malformed grpc-timeout", value_of(block, HeaderName::kGrpcTimeout))));
    }
    timeout = *decoded;
  }
  method = found;
}

bool RequestHead::check_http(const HeaderBlock& block) {
  const std::string_view verb = value_of(block, HeaderName::kMethod);
  if (verb == "POST") return true;
  refuse(405, Status::internal(quoted("gRPC calls are POST requests, this is", verb)));
  return false;
}

// gRPC over HTTP2, "Content-Type". A subtype that the server has no codec for is UNIMPLEMENTED: to take
// it for protobuf would only fail later, with less to say.
bool RequestHead::check_content_type(const HeaderBlock& block, const RequestRules& rules) {
  const std::string_view type = value_of(block, HeaderName::kContentType);
  const std::optional<std::string_view> found = wire::content_subtype(type);
  if (!found) {
    refuse(415, Status::invalid_argument(quoted("not a gRPC content-type:", type)));
    return false;
  }
  const bool well_formed = found->empty() || is_content_subtype(*found);
  codec = rules.codec != nullptr ? rules.codec : rules.codecs.find(*found);
  if (codec == nullptr || !well_formed) {
    refuse(200, Status::unimplemented(quoted("no codec for content-subtype", *found)));
    return false;
  }
  if (codec == &proto_codec()) codec = nullptr;
  subtype = *found;
  proto_subtype = wire::same_subtype(subtype, "proto");
  other_subtype = !proto_subtype && !subtype.empty();
  return true;
}

// gRFC A41: `host` stands in for a missing :authority; more than one of either makes nobody sure who
// was meant.
bool RequestHead::check_authority(const HeaderBlock& block) {
  if (!block.has(HeaderName::kHost)) return true;
  const bool differs = block.has(HeaderName::kAuthority) &&
                       value_of(block, HeaderName::kAuthority) != value_of(block, HeaderName::kHost);
  if (!differs && !is_repeated(block, HeaderName::kHost)) return true;
  refuse(400, Status::internal("several hosts, or one that isn't the :authority"));
  return false;
}

// compression.md: an encoding that the server can't read is UNIMPLEMENTED, and the answer lists those
// that it can.
bool RequestHead::check_encoding(const HeaderBlock& block, const CompressorRegistry& compressors) {
  if (!block.has(HeaderName::kGrpcEncoding)) return true;
  const std::string_view name = value_of(block, HeaderName::kGrpcEncoding);
  encoding = compressors.find(name);
  if ((encoding != nullptr || name == "identity") && !is_repeated(block, HeaderName::kGrpcEncoding)) return true;
  refuse(200, Status::unimplemented(quoted("no decompressor for grpc-encoding", name)));
  list_encodings = true;
  return false;
}

// Metadata is decoded when a handler asks for it, but what can't be decoded fails the call before it
// starts.
bool RequestHead::check_binary(const HeaderBlock& block) {
  for (const HeaderField& field : block.fields()) {
    if (!field.binary || wire::is_consumed_key(field.name)) continue;
    Metadata scratch;
    if (wire::add_wire_field(field.name, field.value, scratch)) continue;
    refuse(200, Status::internal(quoted("malformed base64 in metadata", field.name)));
    return false;
  }
  return true;
}

// A list in one field or in several, with or without spaces.
bool accepts_encoding(const HeaderBlock& block, std::string_view name) {
  if (!block.has(HeaderName::kGrpcAcceptEncoding)) return false;
  for (const HeaderField& field : block.fields()) {
    if (field.id != HeaderName::kGrpcAcceptEncoding) continue;
    for (std::string_view rest = field.value; !rest.empty();) {
      if (wire::take_piece(rest) == name) return true;
    }
  }
  return false;
}

void read_request_metadata(const HeaderBlock& block, Metadata& metadata) {
  for (const HeaderField& field : block.fields()) {
    if (field.id == HeaderName::kHost) {
      if (!block.has(HeaderName::kAuthority)) metadata.add_received(":authority", field.value);
    } else if (!wire::is_consumed_key(field.name)) {
      // check_binary has seen it before.
      static_cast<void>(wire::add_wire_field(field.name, field.value, metadata));
    }
  }
}

}  // namespace gaggle
