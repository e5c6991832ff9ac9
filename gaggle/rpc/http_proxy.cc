// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/http_proxy.h"

#include <algorithm>
#include <array>
#include <asio/ip/address.hpp>
#include <charconv>
#include <cstdlib>
#include <span>
#include <utility>

#include "gaggle/net/connect.h"
#include "gaggle/net/readiness.h"
#include "gaggle/rpc/wire_base64.h"

namespace gaggle {
namespace {

using Dialled = Result<std::unique_ptr<ByteStream>>;

constexpr size_t kMaxAnswerBytes = 8 * 1024;

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

Status not_a_proxy(std::string_view what) {
  // Not the text itself: it may have a password in it.
  return Status::invalid_argument("not the URL of an HTTP proxy: " + std::string(what));
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }

Result<std::string> percent_decoded(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(text[i]);
      continue;
    }
    if (i + 2 >= text.size() || hex_digit(text[i + 1]) < 0 || hex_digit(text[i + 2]) < 0) {
      return not_a_proxy("user and password have a % without two hexadecimal digits; % itself is %25");
    }
    out.push_back(static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2])));
    i += 2;
  }
  // RFC 7617 §2.
  if (std::ranges::any_of(out, is_control)) return not_a_proxy("user and password can't have control characters");
  return out;
}

// RFC 7617; its base64 is padded.
Result<std::string> basic_authorization(std::string_view user_and_password) {
  const size_t colon = user_and_password.find(':');
  Result<std::string> user = percent_decoded(user_and_password.substr(0, colon));
  if (!user) return user;
  if (user->find(':') != std::string::npos) return not_a_proxy("a user's name can't have a colon");
  Result<std::string> password =
      percent_decoded(colon == std::string_view::npos ? std::string_view{} : user_and_password.substr(colon + 1));
  if (!password) return password;
  std::string coded;
  wire::base64_encode(*user + ":" + *password, coded);
  while (coded.size() % 4 != 0) coded.push_back('=');
  return "Basic " + coded;
}

bool same_ignoring_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

// The 4 or 16 bytes of an address in numbers; none for names.
std::span<const uint8_t> address_bytes(std::string_view text, std::array<uint8_t, 16>& room) {
  asio::error_code bad;
  const asio::ip::address address = asio::ip::make_address(text, bad);
  if (bad) return {};
  if (address.is_v6()) {
    room = address.to_v6().to_bytes();
    return room;
  }
  std::ranges::copy(address.to_v4().to_bytes(), room.begin());
  return std::span(room).first(4);
}

bool same_first_bits(std::span<const uint8_t> a, std::span<const uint8_t> b, size_t bits) {
  const size_t whole = bits / 8;
  if (!std::ranges::equal(a.first(whole), b.first(whole))) return false;
  return bits % 8 == 0 || ((a[whole] ^ b[whole]) >> (8 - bits % 8)) == 0;
}

// `rule` is an address, or a range of them: "10.0.0.0/8".
bool is_in_range(std::string_view host, std::string_view rule) {
  std::array<uint8_t, 16> host_room;
  std::array<uint8_t, 16> rule_room;
  const auto address = address_bytes(host, host_room);
  const size_t slash = rule.find('/');
  const auto base = address_bytes(rule.substr(0, slash), rule_room);
  if (address.empty() || base.size() != address.size()) return false;
  size_t bits = 8 * base.size();
  if (slash != std::string_view::npos) {
    const std::string_view length = rule.substr(slash + 1);
    const auto [end, error] = std::from_chars(length.data(), length.data() + length.size(), bits);
    if (error != std::errc() || end != length.data() + length.size() || bits > 8 * base.size()) return false;
  }
  return same_first_bits(address, base, bits);
}

bool is_exempt(std::string_view host, std::string_view rule) {
  if (rule == "*") return true;
  if (rule.starts_with("*.")) rule.remove_prefix(1);
  if (rule.starts_with('.')) rule.remove_prefix(1);
  if (rule.empty() || host.size() < rule.size()) return false;
  if (!same_ignoring_case(host.substr(host.size() - rule.size()), rule)) return false;
  return host.size() == rule.size() || host[host.size() - rule.size() - 1] == '.';
}

Task<Status> write_all(ByteStream& stream, std::string_view text) {
  while (!text.empty()) {
    const iovec piece{const_cast<char*>(text.data()), text.size()};
    const IoResult result = stream.write({&piece, 1});
    if (result.kind == IoResult::Kind::kError) co_return result.error;
    text.remove_prefix(result.bytes);
    if (result.kind != IoResult::Kind::kWouldBlock) continue;
    auto waiting = until_writable(stream);
    Status waited = co_await std::move(waiting);
    if (!waited) co_return waited;
  }
  co_return Status::ok();
}

// The header section of an answer. Byte by byte, and none beyond: what follows is the server's already,
// and so the tunnel can be the socket itself.
Task<Result<std::string>> read_answer(ByteStream& stream) {
  std::string answer;
  while (!answer.ends_with("\r\n\r\n")) {
    if (answer.size() == kMaxAnswerBytes) co_return Status::unavailable("its answer is longer than 8 KiB");
    uint8_t byte = 0;
    const IoResult result = stream.read({&byte, 1});
    if (result.kind == IoResult::Kind::kError) co_return result.error;
    if (result.kind == IoResult::Kind::kEof) co_return Status::unavailable("it closed the connection");
    if (result.is_done()) {
      answer.push_back(static_cast<char>(byte));
      continue;
    }
    auto waiting = until_readable(stream);
    Status waited = co_await std::move(waiting);
    if (!waited) co_return waited;
  }
  co_return answer;
}

// "HTTP/1.1 200 Connection established", any 2xx (RFC 9110 §9.3.6).
Status check_answer(const std::string& answer) {
  const std::string line = answer.substr(0, answer.find('\r'));
  if (line.starts_with("HTTP/1.") && line.size() > 9 && line.substr(8, 2) == " 2") return {};
  return Status::unavailable("it refuses: " + line.substr(0, 200));
}

// A target may have anything in its host; in an HTTP/1 request some of it would be read as something else.
bool can_stand_in_a_line(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7F; });
}

Task<Status> ask_for_tunnel(ByteStream& stream, std::string request) {
  auto writing = write_all(stream, request);
  Status written = co_await std::move(writing);
  if (!written) co_return written;
  auto reading = read_answer(stream);
  Result<std::string> answer = co_await std::move(reading);
  if (!answer) co_return answer.error();
  co_return check_answer(*answer);
}

}  // namespace

// --- Which proxy ---

Result<HttpProxy> HttpProxy::parse(std::string_view url) {
  if (std::ranges::any_of(url, [](char c) { return is_control(c) || c == ' '; })) {
    return not_a_proxy("it has spaces or control characters");
  }
  if (const size_t scheme = url.find("://"); scheme != std::string_view::npos) {
    if (!same_ignoring_case(url.substr(0, scheme), "http")) return not_a_proxy("only http:// is known");
    url.remove_prefix(scheme + 3);
  }
  HttpProxy proxy;
  if (const size_t at = url.rfind('@'); at != std::string_view::npos) {
    Result<std::string> authorization = basic_authorization(url.substr(0, at));
    if (!authorization) return authorization.error();
    proxy.authorization = *std::move(authorization);
    url.remove_prefix(at + 1);
  }
  if (url.ends_with('/')) url.remove_suffix(1);
  Result<Address> address = Address::parse(url, 80);
  if (!address) return not_a_proxy(address.error().message());
  if (address->kind != Address::Kind::kTcp || address->host.empty()) return not_a_proxy("it needs a host");
  proxy.address = *std::move(address);
  return proxy;
}

Result<std::optional<HttpProxy>> HttpProxy::from_environment(
    const std::function<const char*(const char* name)>& variable) {
  const auto value_of = [&](const char* name) -> std::string_view {
    const char* const value = variable ? variable(name) : std::getenv(name);
    return value != nullptr ? value : "";
  };
  for (const char* name : {"grpc_proxy", "https_proxy", "http_proxy"}) {
    if (value_of(name).empty()) continue;
    Result<HttpProxy> proxy = parse(value_of(name));
    if (!proxy) return Status::invalid_argument(std::string(name) + ": " + std::string(proxy.error().message()));
    std::string_view exempt = value_of("no_grpc_proxy");
    if (exempt.empty()) exempt = value_of("no_proxy");
    while (!exempt.empty()) {
      std::string_view rule = exempt.substr(0, exempt.find(','));
      exempt.remove_prefix(std::min(rule.size() + 1, exempt.size()));
      while (rule.starts_with(' ')) rule.remove_prefix(1);
      while (rule.ends_with(' ')) rule.remove_suffix(1);
      if (!rule.empty()) proxy->exempt.emplace_back(rule);
    }
    return std::optional<HttpProxy>(*std::move(proxy));
  }
  return std::optional<HttpProxy>();
}

bool HttpProxy::is_for(const Address& target) const {
  if (target.kind != Address::Kind::kTcp) return false;
  const bool numeric = target.is_numeric();
  return std::ranges::none_of(exempt, [&](const std::string& rule) {
    return numeric && rule != "*" ? is_in_range(target.host, rule) : is_exempt(target.host, rule);
  });
}

// --- Through it ---

HttpProxyDialer::HttpProxyDialer(HttpProxy proxy, Dialer* below) : proxy_(std::move(proxy)), below_(below) {}

Task<Dialled> HttpProxyDialer::reach(Loop& loop, Address address, Context context) {
  if (below_ != nullptr) return below_->dial(loop, std::move(address), std::move(context));
  return connect(loop, std::move(address), std::move(context));
}

Task<Dialled> HttpProxyDialer::dial(Loop& loop, Address address, Context context) {
  if (proxy_.is_for(address)) return tunnel(loop, std::move(address), std::move(context));
  return reach(loop, std::move(address), std::move(context));
}

Task<Dialled> HttpProxyDialer::tunnel(Loop& loop, Address address, Context context) {
  const std::string target = address.to_string();
  if (!can_stand_in_a_line(target)) {
    co_return Status::unavailable("a proxy can't be asked for a host with spaces or control characters");
  }
  auto reaching = reach(loop, proxy_.address, context);
  Dialled stream = co_await std::move(reaching);
  const std::string where = "the proxy " + proxy_.address.to_string() + ": ";
  if (!stream) {
    // connect() names the address itself.
    const std::string_view why = stream.error().message();
    co_return Status(stream.error().code(), (below_ == nullptr ? "the proxy " : where) + std::string(why));
  }
  std::string request = "CONNECT " + target + " HTTP/1.1\r\nHost: " + target + "\r\n";
  if (!proxy_.authorization.empty()) request += "Proxy-Authorization: " + proxy_.authorization + "\r\n";
  request += "\r\n";
  auto asking = ask_for_tunnel(**stream, std::move(request));
  Status opened = co_await in_context(context, std::move(asking));
  if (!opened) co_return Status(opened.code(), where + std::string(opened.message()));
  co_return stream;
}

}  // namespace gaggle
