// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "gaggle/base/result.h"

namespace gaggle {

// Where to listen or connect: a TCP host and port, or the path of a unix socket.
//
// The host may be a name; resolve() (resolve.h) turns it into numbers. Written forms:
//   "127.0.0.1:50051"  "scores.example:443"  "[::1]:50051"  "unix:/run/gaggle.sock"  "unix:@abstract"
struct Address {
  enum class Kind : uint8_t { kTcp, kUnix };

  Kind kind = Kind::kTcp;
  std::string host;   // without brackets; empty means every local address when listening
  uint16_t port = 0;  // 0 when listening: any free one
  std::string path;   // unix only; a leading '@' names the abstract namespace of Linux

  static Address tcp(std::string_view host, uint16_t port) { return {Kind::kTcp, std::string(host), port, {}}; }
  static Address unix_path(std::string_view path) { return {Kind::kUnix, {}, 0, std::string(path)}; }
  // INVALID_ARGUMENT says what is wrong with `text`. A missing port is an error, unless
  // `default_port` isn't negative.
  static Result<Address> parse(std::string_view text, int default_port = -1);

  // The form that parse() reads; IPv6 hosts in brackets.
  std::string to_string() const;
  // Whether connecting needs no DNS: a unix path, or an IP address in numbers.
  bool is_numeric() const noexcept;

  friend bool operator==(const Address&, const Address&) = default;
  friend auto operator<=>(const Address&, const Address&) = default;
};

// Cuts "host:port", "[host]:port" or "host" in two; `port` stays empty when there is none. False for
// anything else, such as an IPv6 address without brackets.
bool split_host_port(std::string_view text, std::string_view& host, std::string_view& port) noexcept;

}  // namespace gaggle
