// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/wire_codes.h"

#include <array>
#include <charconv>
#include <system_error>

namespace gaggle::wire {
namespace {

constexpr std::array<std::string_view, 17> kNumbers = {"0", "1",  "2",  "3",  "4",  "5",  "6",  "7", "8",
                                                       "9", "10", "11", "12", "13", "14", "15", "16"};

// RFC 9113 §7, by number.
constexpr std::array<StatusCode, 14> kCodesOfReset = {
    StatusCode::kInternal,           // NO_ERROR
    StatusCode::kInternal,           // PROTOCOL_ERROR
    StatusCode::kInternal,           // INTERNAL_ERROR
    StatusCode::kInternal,           // FLOW_CONTROL_ERROR
    StatusCode::kInternal,           // SETTINGS_TIMEOUT
    StatusCode::kUnknown,            // STREAM_CLOSED: "no mapping as there is no open stream"
    StatusCode::kInternal,           // FRAME_SIZE_ERROR
    StatusCode::kUnavailable,        // REFUSED_STREAM
    StatusCode::kCancelled,          // CANCEL
    StatusCode::kInternal,           // COMPRESSION_ERROR
    StatusCode::kInternal,           // CONNECT_ERROR
    StatusCode::kResourceExhausted,  // ENHANCE_YOUR_CALM
    StatusCode::kPermissionDenied,   // INADEQUATE_SECURITY
    StatusCode::kInternal,           // HTTP_1_1_REQUIRED
};

}  // namespace

std::string_view status_number(StatusCode code) noexcept {
  auto number = static_cast<size_t>(code);
  return number < kNumbers.size() ? kNumbers[number] : kNumbers[static_cast<size_t>(StatusCode::kUnknown)];
}

std::optional<StatusCode> parse_status_number(std::string_view text) noexcept {
  uint32_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number < kNumbers.size() ? static_cast<StatusCode>(number) : StatusCode::kUnknown;
}

StatusCode code_of_http_status(unsigned http_status) noexcept {
  switch (http_status) {
    case 400: return StatusCode::kInternal;
    case 401: return StatusCode::kUnauthenticated;
    case 403: return StatusCode::kPermissionDenied;
    case 404: return StatusCode::kUnimplemented;
    case 429:
    case 502:
    case 503:
    case 504: return StatusCode::kUnavailable;
    case 431: return StatusCode::kInternal;
    default: return StatusCode::kUnknown;
  }
}

StatusCode code_of_stream_reset(uint32_t http2_error) noexcept {
  return http2_error < kCodesOfReset.size() ? kCodesOfReset[http2_error] : StatusCode::kUnknown;
}

}  // namespace gaggle::wire
