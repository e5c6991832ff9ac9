// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/server_reply.h"

#include "gaggle/rpc/metadata.h"
#include "gaggle/rpc/wire_base64.h"
#include "gaggle/rpc/wire_codes.h"
#include "gaggle/rpc/wire_message_text.h"
#include "gaggle/rpc/wire_metadata.h"
#include "gaggle/rpc/wire_request.h"

namespace gaggle {

using http2::HeaderName;
using http2::Indexing;

void ReplyFields::clear() noexcept {
  fields_.clear();
  scratch_used_ = 0;
}

std::string& ReplyFields::scratch() {
  if (scratch_used_ == scratch_.size()) scratch_.emplace_back();
  std::string& text = scratch_[scratch_used_++];
  text.clear();
  return text;
}

void ReplyFields::add_head(std::string_view http_status, std::string_view subtype) {
  std::string& type = scratch();
  wire::write_content_type(subtype, type);
  add_plain(":status", http_status, HeaderName::kStatus);
  add_plain("content-type", type, HeaderName::kContentType);
}

void ReplyFields::add_plain(std::string_view name, std::string_view value, HeaderName id) {
  fields_.push_back({.name = name, .value = value, .id = id, .indexing = Indexing::kIndex});
}

void ReplyFields::add(const Metadata& metadata) {
  for (const Metadata::Entry& entry : metadata) {
    std::string_view value = entry.value;
    if (wire::is_binary_key(entry.key)) value = wire::wire_value(entry.key, entry.value, scratch());
    fields_.push_back(
        {.name = entry.key, .value = value, .id = http2::find_header_name(entry.key), .indexing = Indexing::kNoIndex});
  }
}

void ReplyFields::add(const Status& status) {
  add_plain("grpc-status", wire::status_number(status.code()), HeaderName::kGrpcStatus);
  if (!status.message().empty()) {
    std::string_view text = status.message();
    if (!wire::message_text_is_plain(text) || text.size() > wire::kMaxMessageTextBytes) {
      std::string& encoded = scratch();
      wire::encode_message_text(text, encoded);
      text = encoded;
    }
    fields_.push_back(
        {.name = "grpc-message", .value = text, .id = HeaderName::kGrpcMessage, .indexing = Indexing::kNoIndex});
  }
  if (!status.details().empty()) {
    std::string& encoded = scratch();
    wire::base64_encode(status.details(), encoded);
    fields_.push_back({.name = "grpc-status-details-bin",
                       .value = encoded,
                       .id = HeaderName::kGrpcStatusDetailsBin,
                       .indexing = Indexing::kNoIndex});
  }
}

}  // namespace gaggle
