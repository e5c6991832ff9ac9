// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

namespace gaggle::http2 {

// Why a stream or a connection ended, with the numbers of RFC 9113 §7. A peer may send others:
// they pass through unchanged and are to be treated like kInternalError.
enum class ErrorCode : uint32_t {
  kNoError = 0x0,
  kProtocolError = 0x1,
  kInternalError = 0x2,
  kFlowControlError = 0x3,
  kSettingsTimeout = 0x4,
  kStreamClosed = 0x5,
  kFrameSizeError = 0x6,
  kRefusedStream = 0x7,
  kCancel = 0x8,
  kCompressionError = 0x9,
  kConnectError = 0xa,
  kEnhanceYourCalm = 0xb,
  kInadequateSecurity = 0xc,
  kHttp11Required = 0xd,
};

// The name in RFC 9113 ("PROTOCOL_ERROR"); "UNKNOWN_ERROR" for a number outside the table.
std::string_view error_code_name(ErrorCode code) noexcept;

// How a stream came to an end that wasn't its regular one.
enum class ResetOrigin : uint8_t {
  kPeer,         // RST_STREAM from the peer
  kProtocol,     // the peer broke the rules of this stream: we sent RST_STREAM
  kUnprocessed,  // the peer provably never acted on it (REFUSED_STREAM, above GOAWAY's last stream
                 // id, or never sent): the same request may go elsewhere without harm
  kConnection,   // the whole connection failed or was lost
};

}  // namespace gaggle::http2
