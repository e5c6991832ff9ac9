// SPDX-License-Identifier: Apache-2.0
#include "gaggle/net/address.h"

#include <charconv>

#include "gaggle/net/socket_address.h"

namespace gaggle {
namespace {

constexpr std::string_view kUnixPrefix = "unix:";

Status malformed(std::string_view text, std::string_view why) {
  std::string message("address \"");
  message.append(text).append("\": ").append(why);
  return Status::invalid_argument(message);
}

}  // namespace

bool split_host_port(std::string_view text, std::string_view& host, std::string_view& port) noexcept {
  host = port = {};
  if (text.starts_with('[')) {
    const size_t end = text.find(']');
    if (end == std::string_view::npos) return false;
    host = text.substr(1, end - 1);
    const std::string_view rest = text.substr(end + 1);
    if (rest.empty()) return true;
    if (rest.front() != ':' || rest.size() == 1) return false;
    port = rest.substr(1);
    return port.find(':') == std::string_view::npos;
  }
  const size_t colon = text.find(':');
  host = text.substr(0, colon);
  if (colon == std::string_view::npos) return true;
  port = text.substr(colon + 1);
  return !port.empty() && port.find(':') == std::string_view::npos;
}

Result<Address> Address::parse(std::string_view text, int default_port) {
  if (text.starts_with(kUnixPrefix)) {
    const std::string_view path = text.substr(kUnixPrefix.size());
    if (path.empty()) return malformed(text, "a path must follow \"unix:\"");
    return Address::unix_path(path);
  }
  std::string_view host;
  std::string_view port;
  if (!split_host_port(text, host, port)) {
    return malformed(text, "expected HOST:PORT, [IPV6]:PORT or unix:PATH");
  }
  if (port.empty()) {
    if (default_port < 0) return malformed(text, "the port is missing; expected HOST:PORT");
    return Address::tcp(host, static_cast<uint16_t>(default_port));
  }
  uint16_t number = 0;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  if (error != std::errc{} || end != port.data() + port.size()) {
    return malformed(text, "the port must be a number from 0 to 65535");
  }
  return Address::tcp(host, number);
}

std::string Address::to_string() const {
  if (kind == Kind::kUnix) return std::string(kUnixPrefix) + path;
  const bool bracketed = host.find(':') != std::string::npos;
  std::string text;
  if (bracketed) text.push_back('[');
  text.append(host);
  if (bracketed) text.push_back(']');
  return text.append(":").append(std::to_string(port));
}

bool Address::is_numeric() const noexcept {
  if (kind == Kind::kUnix) return true;
  return !host.empty() && host != "localhost" && SocketAddress::of(*this).is_ok();
}

}  // namespace gaggle
