// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/resolver/target.h"

#include <algorithm>
#include <optional>

namespace gaggle {
namespace {

bool is_alpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Length of the scheme at the front of `text`, or 0. RFC 3986 §3.1: a letter, then letters, digits,
// '+', '-' and '.', then the colon.
size_t scheme_length(std::string_view text) {
  if (text.empty() || !is_alpha(text[0])) return 0;
  for (size_t i = 1; i < text.size(); ++i) {
    const char c = text[i];
    if (c == ':') return i;
    if (!is_alpha(c) && !is_digit(c) && c != '+' && c != '-' && c != '.') return 0;
  }
  return 0;
}

std::optional<std::string> percent_decode(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded.push_back(text[i]);
      continue;
    }
    if (text.size() - i < 3) return std::nullopt;
    const int high = hex_value(text[i + 1]);
    const int low = hex_value(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    decoded.push_back(static_cast<char>(high * 16 + low));
    i += 2;
  }
  return decoded;
}

bool has_control_character(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

// Reads `text` as scheme:[//authority/]path[?query][#fragment]; nullopt when it isn't one.
std::optional<Target> parse_url(std::string_view text) {
  const size_t length = scheme_length(text);
  if (length == 0 || has_control_character(text)) return std::nullopt;
  Target target;
  target.canonical = text;
  for (const char c : text.substr(0, length)) target.scheme.push_back(static_cast<char>(c | 0x20));

  std::string_view rest = text.substr(length + 1);
  rest = rest.substr(0, rest.find_first_of("?#"));
  if (rest.starts_with("//")) {
    rest.remove_prefix(2);
    const size_t slash = std::min(rest.find('/'), rest.size());
    std::optional<std::string> authority = percent_decode(rest.substr(0, slash));
    if (!authority) return std::nullopt;
    target.authority = std::move(*authority);
    rest.remove_prefix(slash);
  }
  std::optional<std::string> path = percent_decode(rest);
  if (!path) return std::nullopt;
  target.path = std::move(*path);
  target.endpoint = target.path.starts_with('/') ? target.path.substr(1) : target.path;
  return target;
}

// What may stand unescaped in an authority (RFC 3986 §3.2): unreserved, sub-delims, ":@[]".
bool is_authority_character(char c) {
  return is_alpha(c) || is_digit(c) || std::string_view("-._~!$&'()*+,;=:@[]").find(c) != std::string_view::npos;
}

}  // namespace

Result<Target> parse_target(std::string_view text, std::string_view default_scheme,
                            const std::function<bool(std::string_view scheme)>& is_known) {
  std::optional<Target> target = parse_url(text);
  if (target && is_known(target->scheme)) return std::move(*target);
  std::string under_default(default_scheme);
  under_default.append(":///").append(text);
  target = parse_url(under_default);
  if (!target) {
    return Status::invalid_argument("target \"" + std::string(text) +
                                    "\" is not a name: write scheme://authority/endpoint or host:port, "
                                    "with % as %25 and no control characters");
  }
  if (!is_known(target->scheme)) {
    return Status::invalid_argument("no resolver for scheme \"" + target->scheme + "\" of target \"" +
                                    std::string(text) + "\"; add one to ClientConnOptions::resolvers");
  }
  return std::move(*target);
}

std::string default_authority(const Target& target) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string authority;
  if (target.endpoint.starts_with(':')) authority = "localhost";
  for (const char c : target.endpoint) {
    if (is_authority_character(c)) {
      authority.push_back(c);
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    authority.push_back('%');
    authority.push_back(kHex[byte >> 4]);
    authority.push_back(kHex[byte & 15]);
  }
  return authority;
}

}  // namespace gaggle
