// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace gaggle::http2 {

// The field names that HTTP/2 and gRPC act on. A name is looked up once, when a field is first
// parsed; afterwards everybody compares this byte. Fewer than 64, so that a set of them is one
// uint64_t (see HeaderBlock::has).
enum class HeaderName : uint8_t {
  kOther,        // a regular field that is none of those below
  kOtherPseudo,  // begins with ':' and is none of those below
  kAuthority,
  kMethod,
  kPath,
  kScheme,
  kStatus,  // the last pseudo-header
  kContentType,
  kContentLength,
  kTe,
  kUserAgent,
  kHost,
  kCookie,
  kAuthorization,
  kDate,
  kServer,
  kConnection,  // the first of the five that HTTP/2 forbids
  kKeepAlive,
  kProxyConnection,
  kTransferEncoding,
  kUpgrade,  // the last of the five
  kGrpcTimeout,
  kGrpcEncoding,
  kGrpcAcceptEncoding,
  kGrpcStatus,
  kGrpcMessage,
  kGrpcStatusDetailsBin,
  kGrpcPreviousRpcAttempts,
  kGrpcRetryPushbackMs,
  kGrpcTagsBin,
  kGrpcTraceBin,
  kGrpcInternalEncodingRequest,
  kCount,
};
static_assert(static_cast<int>(HeaderName::kCount) <= 64);

constexpr bool is_pseudo(HeaderName id) { return id >= HeaderName::kOtherPseudo && id <= HeaderName::kStatus; }

constexpr uint64_t mask_of(HeaderName id) { return uint64_t{1} << static_cast<unsigned>(id); }

// What is wrong with a field (RFC 9113 §8.2.1) or with the order of a block's fields (§8.3), as
// bits. Found once per field, when it is parsed; a block carries the union of its fields' bits.
struct HeaderProblem {
  static constexpr uint8_t kNone = 0;
  static constexpr uint8_t kEmptyName = 1;
  static constexpr uint8_t kUppercaseName = 2;        // 'A'..'Z' in the name
  static constexpr uint8_t kBadNameCharacter = 4;     // not a token character; ':' past the start
  static constexpr uint8_t kBadValueCharacter = 8;    // NUL, CR or LF in the value
  static constexpr uint8_t kPaddedValue = 16;         // value begins or ends with space or tab
  static constexpr uint8_t kPseudoAfterRegular = 32;  // only in HeaderBlock::problems()
};

// One decoded field. The views live as long as the HeaderBlock that has the field.
struct HeaderField {
  std::string_view name;
  std::string_view value;
  HeaderName id = HeaderName::kOther;
  uint8_t problems = HeaderProblem::kNone;
  bool never_indexed = false;  // must stay so when forwarded (RFC 7541 §6.2.3)
  bool binary = false;         // the name ends in "-bin": gRPC sends the value as base64
};

// How the encoder may represent a field (RFC 7541 §6).
enum class Indexing : uint8_t {
  kIndex,         // enter it into the dynamic table: for values that come again
  kNoIndex,       // don't: for values that change with each call
  kNeverIndexed,  // nobody on the way may either: for secrets
};

// One field to encode. `id` is what find_header_name(name) says, or kOther; a wrong kOther costs
// compression, never correctness. Any other wrong id is a bug of the caller.
struct HeaderOut {
  std::string_view name;
  std::string_view value;
  HeaderName id = HeaderName::kOther;
  Indexing indexing = Indexing::kIndex;
};

// The id of `name`, compared exactly (HTTP/2 names are lower case).
HeaderName find_header_name(std::string_view name);

// The names' spelling, in the order of HeaderName.
inline constexpr std::array<std::string_view, static_cast<size_t>(HeaderName::kCount)> kHeaderNameTexts{
    "",
    "",
    ":authority",
    ":method",
    ":path",
    ":scheme",
    ":status",
    "content-type",
    "content-length",
    "te",
    "user-agent",
    "host",
    "cookie",
    "authorization",
    "date",
    "server",
    "connection",
    "keep-alive",
    "proxy-connection",
    "transfer-encoding",
    "upgrade",
    "grpc-timeout",
    "grpc-encoding",
    "grpc-accept-encoding",
    "grpc-status",
    "grpc-message",
    "grpc-status-details-bin",
    "grpc-previous-rpc-attempts",
    "grpc-retry-pushback-ms",
    "grpc-tags-bin",
    "grpc-trace-bin",
    "grpc-internal-encoding-request",
};

// The spelling of a known id, in static storage; empty for kOther and kOtherPseudo.
constexpr std::string_view header_name_text(HeaderName id) { return kHeaderNameTexts[static_cast<size_t>(id)]; }

// The HeaderProblem bits of a name or a value by itself.
uint8_t check_header_name(std::string_view name);
uint8_t check_header_value(std::string_view value);

// A field's size as SETTINGS_MAX_HEADER_LIST_SIZE and the dynamic table count it: RFC 9113
// §6.5.2, RFC 7541 §4.1.
constexpr uint64_t header_field_size_bytes(std::string_view name, std::string_view value) {
  return uint64_t{name.size()} + value.size() + 32;
}

}  // namespace gaggle::http2
