// SPDX-License-Identifier: Apache-2.0
//
// A call as its handler's ServerContext.
#include <string>

#include <utility>
#include "gaggle/rpc/compressor.h"

#include "gaggle/rpc/server_call.h"
#include "gaggle/rpc/server_connection.h"
#include "gaggle/rpc/server_core.h"
#include "gaggle/rpc/server_loop.h"
#include "gaggle/rpc/server_request.h"

namespace gaggle {

Loop& ServerCall::loop() noexcept { return part_.loop(); }

const UnaryServerInfo& ServerCall::info() const noexcept { return head_->method->unary_info; }

std::string_view ServerCall::method() const noexcept { return head_->path; }

const Metadata& ServerCall::metadata() {
  Extras& kept = extras();
  if (!std::exchange(kept.have_metadata, true)) read_request_metadata(*headers_, kept.metadata);
  return kept.metadata;
}

std::string_view ServerCall::content_subtype() const noexcept { return head_->subtype; }

const Peer& ServerCall::peer() { return connection_->peer(); }

std::span<const ServiceDesc* const> ServerCall::services() const noexcept { return part_.core().methods().services(); }

Status ServerCall::set_header(std::string_view key, std::string_view value) {
  if (headers_sent_ || over_) return Status::failed_precondition("the header metadata has been sent already");
  return extras().header.add(key, value);
}

Status ServerCall::send_header() {
  if (over_) return end_status_;
  if (headers_sent_) return Status::failed_precondition("the header metadata has been sent already");
  const http2::SendResult result = send_headers();
  connection_->flush();
  if (result == http2::SendResult::kOk) return Status::ok();
  if (result == http2::SendResult::kEnded) return Status::cancelled("the call is over");
  if (extras_ != nullptr) extras_->header.clear();
  fail(Status::resource_exhausted("the header metadata is larger than the client takes"));
  return end_status_;
}

Status ServerCall::set_compressor(std::string_view name) {
  if (headers_sent_ || over_) return Status::failed_precondition("the header metadata has been sent already");
  if (name == "identity") {
    compressor_ = nullptr;
    return Status::ok();
  }
  const Compressor* const found = part_.core().compressors().find(name);
  if (found == nullptr) {
    return Status::invalid_argument("the server has no compressor \"" + std::string(name) + "\"");
  }
  // compression.md: what isn't in the client's list must not be used.
  if (!accepts_encoding(*headers_, name)) {
    return Status::failed_precondition("the client doesn't accept \"" + std::string(name) + "\"");
  }
  compressor_ = found;
  return Status::ok();
}

Status ServerCall::set_trailer(std::string_view key, std::string_view value) {
  if (over_) return Status::failed_precondition("the trailer metadata has been sent already");
  return extras().trailer.add(key, value);
}

}  // namespace gaggle
