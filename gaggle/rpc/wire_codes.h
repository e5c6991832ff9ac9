// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "gaggle/base/status.h"

namespace gaggle::wire {

// The digits of `grpc-status` for a code: "0" to "16", literals.
std::string_view status_number(StatusCode code) noexcept;

// The code that `grpc-status` says. A number without a name is UNKNOWN ("clients must treat it so");
// nullopt for what is no number, which is UNKNOWN too, but with a message of the reader's own.
std::optional<StatusCode> parse_status_number(std::string_view text) noexcept;

// What a response without grpc-status means, by its HTTP status; 200 is UNKNOWN as well. See gRPC's
// http-grpc-status-mapping.
StatusCode code_of_http_status(unsigned http_status) noexcept;

// What a stream that the peer reset means, by the HTTP/2 error code (RFC 9113 §7). REFUSED_STREAM is
// UNAVAILABLE, and the call was certainly not processed; a client whose own deadline has passed when
// CANCEL arrives says DEADLINE_EXCEEDED instead. See gRPC over HTTP2, "HTTP2 Transport Mapping".
StatusCode code_of_stream_reset(uint32_t http2_error) noexcept;

}  // namespace gaggle::wire
