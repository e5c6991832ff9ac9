// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/wire_metadata.h"

#include <algorithm>
#include <array>

#include "gaggle/rpc/metadata.h"
#include "gaggle/rpc/wire_base64.h"

namespace gaggle::wire {
namespace {

// RFC 9113 §8.2.2: connection-specific fields make a message malformed. `host` would contradict
// :authority, `content-length` the framing.
constexpr std::array<std::string_view, 7> kHttpKeys = {"connection",       "content-length",    "host",   "keep-alive",
                                                       "proxy-connection", "transfer-encoding", "upgrade"};

constexpr std::array<std::string_view, 3> kCallKeys = {"content-type", "te", "user-agent"};

// What applications set themselves when they retry by hand.
constexpr std::array<std::string_view, 2> kOpenGrpcKeys = {"grpc-previous-rpc-attempts", "grpc-retry-pushback-ms"};

constexpr std::array<std::string_view, 10> kConsumedKeys = {
    "content-type", "grpc-accept-encoding", "grpc-encoding",           "grpc-message", "grpc-message-type",
    "grpc-status",  "grpc-timeout",         "grpc-status-details-bin", "te",           "content-length"};

template <size_t N>
bool contains(const std::array<std::string_view, N>& keys, std::string_view key) noexcept {
  return std::ranges::find(keys, key) != keys.end();
}

bool key_character(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
}

std::string_view trim(std::string_view text) noexcept {
  size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace

bool valid_metadata_key(std::string_view key) noexcept {
  return !key.empty() && std::ranges::all_of(key, key_character);
}

bool valid_metadata_text(std::string_view value) noexcept {
  return std::ranges::all_of(value, [](char c) { return c >= 0x20 && c <= 0x7E; }) && !value.starts_with(' ') &&
         !value.ends_with(' ');
}

bool is_reserved_key(std::string_view key) noexcept {
  if (key.starts_with(':')) return true;
  if (key.starts_with("grpc-")) return !contains(kOpenGrpcKeys, key);
  return contains(kCallKeys, key) || contains(kHttpKeys, key);
}

bool is_consumed_key(std::string_view key) noexcept {
  if (key.starts_with(':')) return key != ":authority";
  return contains(kConsumedKeys, key);
}

std::string_view wire_value(std::string_view key, std::string_view value, std::string& buffer) {
  if (!is_binary_key(key)) return value;
  buffer.clear();
  base64_encode(value, buffer);
  return buffer;
}

std::string_view take_piece(std::string_view& rest) noexcept {
  size_t comma = rest.find(',');
  std::string_view piece = rest.substr(0, comma);
  rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
  return trim(piece);
}

bool add_wire_field(std::string_view key, std::string_view value, Metadata& metadata) {
  if (!is_binary_key(key)) {
    metadata.add_received(key, trim(value));
    return true;
  }
  // Two passes, so that a bad piece leaves nothing of the good ones behind.
  std::string decoded;
  for (std::string_view rest = value; !rest.empty();) {
    decoded.clear();
    if (!base64_decode(take_piece(rest), decoded)) return false;
  }
  std::string_view rest = value;
  do {
    decoded.clear();
    if (!base64_decode(take_piece(rest), decoded)) return false;
    metadata.add_received(key, decoded);
  } while (!rest.empty());
  return true;
}

}  // namespace gaggle::wire
