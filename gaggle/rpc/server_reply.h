// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gaggle/base/status.h"
#include "gaggle/http2/header_field.h"
#include "gaggle/http2/hpack_prepared.h"

namespace gaggle {

class Metadata;
struct RequestHead;

// The header sections that most answers share. One set per server, read by all loops.
class ReplyTemplates {
 public:
  // ":status: 200" and the content-type that the request had.
  const http2::PreparedHeaders& response(bool proto_subtype) const noexcept {
    return proto_subtype ? response_proto_ : response_;
  }
  // "grpc-status: 0".
  const http2::PreparedHeaders& ok_trailers() const noexcept { return ok_trailers_; }

 private:
  http2::PreparedHeaders response_{0,
                                   {{":status", "200", http2::HeaderName::kStatus},
                                    {"content-type", "application/grpc", http2::HeaderName::kContentType}}};
  http2::PreparedHeaders response_proto_{1,
                                         {{":status", "200", http2::HeaderName::kStatus},
                                          {"content-type", "application/grpc+proto", http2::HeaderName::kContentType}}};
  http2::PreparedHeaders ok_trailers_{2, {{"grpc-status", "0", http2::HeaderName::kGrpcStatus}}};
};

// Composes the fields of one header section out of metadata and a status. Views point into what was
// added and into this; storage is reused by clear(). One per loop.
class ReplyFields {
 public:
  void clear() noexcept;
  // Custom metadata: base64 for "-bin".
  void add(const Metadata& metadata);
  // grpc-status, grpc-message, grpc-status-details-bin. `status` outlives the use of fields().
  void add(const Status& status);
  // What a header section begins with; the subtype is the one of the request's content-type.
  void add_head(std::string_view http_status, std::string_view subtype);
  void add_plain(std::string_view name, std::string_view value, http2::HeaderName id);

  std::span<const http2::HeaderOut> fields() const noexcept { return fields_; }

 private:
  std::string& scratch();

  std::vector<http2::HeaderOut> fields_;
  std::deque<std::string> scratch_;  // encoded values; a deque, since they must not move while in use
  size_t scratch_used_ = 0;
};

}  // namespace gaggle
