// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/client_outputs.h"

#include <utility>

#include "gaggle/rpc/client_hooks.h"
#include "gaggle/rpc/client_response.h"
#include "gaggle/rpc/metadata.h"

namespace gaggle {
namespace {

Status fill(Metadata* metadata, const http2::HeaderBlock* block) {
  if (metadata == nullptr) return {};
  metadata->clear();
  return block == nullptr ? Status{} : read_response_metadata(*block, *metadata);
}

}  // namespace

Status fill_outputs(const CallOptions& options, const http2::HeaderBlock* headers, const http2::HeaderBlock* trailers) {
  Status header = fill(options.header, headers);
  Status trailer = fill(options.trailer, trailers);
  return header.is_ok() ? trailer : header;
}

void note_answer(CallRecord& record, uint32_t attempts, const http2::HeaderBlock* headers,
                 const http2::HeaderBlock* trailers) {
  CallAttempt attempt;
  attempt.attempts = attempts;
  attempt.has_header = headers != nullptr;
  // As much as can be read.
  static_cast<void>(fill(&attempt.header, headers));
  static_cast<void>(fill(&attempt.trailer, trailers));
  record.set_answer(std::move(attempt));
}

CallOptions combine_options(const CallOptions& defaults, const CallOptions& call) {
  CallOptions both = call;
  if (!both.wait_for_ready) both.wait_for_ready = defaults.wait_for_ready;
  if (!both.max_receive_bytes) both.max_receive_bytes = defaults.max_receive_bytes;
  if (!both.max_send_bytes) both.max_send_bytes = defaults.max_send_bytes;
  if (!both.retry_buffer_bytes) both.retry_buffer_bytes = defaults.retry_buffer_bytes;
  if (!both.max_attempts) both.max_attempts = defaults.max_attempts;
  if (both.credentials == nullptr) both.credentials = defaults.credentials;
  if (both.authority.empty()) both.authority = defaults.authority;
  if (both.compressor.empty()) both.compressor = defaults.compressor;
  if (both.content_subtype.empty()) both.content_subtype = defaults.content_subtype;
  if (both.codec == nullptr) both.codec = defaults.codec;
  both.static_method |= defaults.static_method;
  return both;
}

}  // namespace gaggle
