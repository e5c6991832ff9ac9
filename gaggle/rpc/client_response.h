// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "gaggle/base/status.h"
#include "gaggle/http2/error.h"
#include "gaggle/http2/header_block.h"

namespace gaggle {

class Metadata;

// What a block of response fields says to a gRPC client, be it a header section, a trailer section
// or both at once ("Trailers-Only").
//
// Understood once per block and kept with it: servers repeat their blocks, and the decoder then
// hands out the same one again. See gRPC over HTTP2, "Responses".
struct ResponseFields final : http2::HeaderBlock::Attachment {
  uint32_t http_status = 0;  // 0: there was none
  bool grpc_content_type = false;
  bool has_content_type = false;
  bool has_grpc_status = false;
  bool has_metadata = false;  // anything that is the application's
  Status status;              // of grpc-status, grpc-message and grpc-status-details-bin
  std::string encoding;       // of messages; empty means identity
  std::string subtype;        // of the content-type, if it is gRPC's
};

const ResponseFields& response_fields(const http2::HeaderBlock& block);

// Adds the application's fields of `block` to `metadata`. INTERNAL when a "-bin" value isn't base64.
Status read_response_metadata(const http2::HeaderBlock& block, Metadata& metadata);

// The status of a response that wasn't gRPC: by its HTTP status, with as much of its body as was
// kept. See gRPC's http-grpc-status-mapping.
Status status_of_http_response(const ResponseFields& head, std::string_view content_type, std::string_view body);

// The status of a call whose stream ended by `code`. `detail` says more about a lost connection.
Status status_of_reset(http2::ErrorCode code, http2::ResetOrigin origin, std::string_view detail);

}  // namespace gaggle
