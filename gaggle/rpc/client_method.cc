// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/client_method.h"

#include <functional>
#include <utility>

#include "gaggle/rpc/wire_request.h"

namespace gaggle {

using http2::HeaderName;
using http2::HeaderOut;

void MethodHeaders::fields(std::string_view method, std::string_view authority, std::string_view content_type,
                           std::vector<HeaderOut>& out) const {
  // Pseudo-fields first (RFC 9113 §8.3), the call's definition before custom metadata (gRPC over
  // HTTP2, "Requests").
  out.push_back({":method", "POST", HeaderName::kMethod});
  out.push_back({":scheme", scheme_, HeaderName::kScheme});
  out.push_back({":path", method, HeaderName::kPath});
  out.push_back({":authority", authority, HeaderName::kAuthority});
  out.push_back({"content-type", content_type, HeaderName::kContentType});
  out.push_back({"user-agent", user_agent_, HeaderName::kUserAgent});
  out.push_back({"te", "trailers", HeaderName::kTe});
  out.push_back({"grpc-accept-encoding", accept_encoding_, HeaderName::kGrpcAcceptEncoding});
}

const http2::PreparedHeaders* MethodHeaders::find(std::string_view method) {
  Entry* entry = &slot_of(method);
  if (entry->headers != nullptr) return entry->headers.get();
  if (methods_ >= kMaxMethods) return nullptr;
  if (2 * (methods_ + 1) > table_.size()) {
    grow();
    entry = &slot_of(method);
  }
  std::vector<HeaderOut> out;
  fields(method, authority_, wire::kContentType, out);
  entry->method = method;
  entry->headers = std::make_unique<http2::PreparedHeaders>(static_cast<uint32_t>(methods_), out);
  ++methods_;
  return entry->headers.get();
}

MethodHeaders::Entry& MethodHeaders::slot_of(std::string_view method) {
  const size_t mask = table_.size() - 1;
  size_t at = std::hash<std::string_view>{}(method)&mask;
  while (table_[at].headers != nullptr && table_[at].method != method) at = (at + 1) & mask;
  return table_[at];
}

void MethodHeaders::grow() {
  std::vector<Entry> old = std::exchange(table_, std::vector<Entry>(table_.size() * 2));
  for (Entry& entry : old) {
    if (entry.headers != nullptr) slot_of(entry.method) = std::move(entry);
  }
}

std::string user_agent_text(std::string_view program) {
  std::string text(program);
  if (!text.empty()) text += ' ';
  return text += "gaggle/" GAGGLE_VERSION;
}

}  // namespace gaggle
