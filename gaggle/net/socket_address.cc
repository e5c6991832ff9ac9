// SPDX-License-Identifier: Apache-2.0
#include "gaggle/net/socket_address.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace gaggle {
namespace {

Result<SocketAddress> of_unix(const std::string& path) {
  sockaddr_un where{};
  const bool abstract = path.starts_with('@');
  // A path needs room for its terminating zero; an abstract name has one at its front instead.
  if (path.empty() || path.size() + (abstract ? 0 : 1) > sizeof(where.sun_path)) {
    return Status::invalid_argument("unix:" + path + ": the path must have 1 to " +
                                    std::to_string(sizeof(where.sun_path) - 1) + " bytes");
  }
  where.sun_family = AF_UNIX;
  std::memcpy(where.sun_path, path.data(), path.size());
  if (abstract) where.sun_path[0] = '\0';
  SocketAddress result;
  std::memcpy(&result.storage, &where, sizeof(where));
  result.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + (abstract ? 0 : 1));
  return result;
}

// Numbers are read and written here, not by getaddrinfo and getnameinfo: those bring the C library's resolver and its
// services of names into every program, and a static one then needs the shared libraries of the same version.

template <class Where>
SocketAddress socket_address_of(const Where& where) noexcept {
  SocketAddress result;
  std::memcpy(&result.storage, &where, sizeof(where));
  result.size = sizeof(where);
  return result;
}

bool is_of_one_link(const in6_addr& address) noexcept {
  return IN6_IS_ADDR_LINKLOCAL(&address) || IN6_IS_ADDR_MC_LINKLOCAL(&address);
}

// RFC 4007 §11: what follows the % is the name of an interface, for addresses of one link, or a number.
std::optional<uint32_t> zone_index(const in6_addr& address, const std::string& zone) {
  if (is_of_one_link(address)) {
    if (const uint32_t index = ::if_nametoindex(zone.c_str()); index != 0) return index;
  }
  uint32_t number = 0;
  const auto [end, error] = std::from_chars(zone.data(), zone.data() + zone.size(), number);
  if (error != std::errc{} || end != zone.data() + zone.size()) return std::nullopt;
  return number;
}

Result<SocketAddress> of_tcp(const Address& address) {
  const std::string host = address.host.empty() ? "::" : address.host == "localhost" ? "127.0.0.1" : address.host;
  // The C functions would take what is before a NUL for the whole.
  const bool is_text = host.find('\0') == std::string::npos;
  sockaddr_in v4{};
  if (is_text && ::inet_pton(AF_INET, host.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(address.port);
    return socket_address_of(v4);
  }
  sockaddr_in6 v6{};
  const size_t percent = host.find('%');
  bool good = is_text && ::inet_pton(AF_INET6, host.substr(0, percent).c_str(), &v6.sin6_addr) == 1;
  if (good && percent != std::string::npos) {
    const auto zone = zone_index(v6.sin6_addr, host.substr(percent + 1));
    good = zone.has_value();
    v6.sin6_scope_id = zone.value_or(0);
  }
  if (!good) return Status::invalid_argument(address.to_string() + ": the host isn't an IP address");
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(address.port);
  return socket_address_of(v6);
}

std::string zone_text(const sockaddr_in6& where) {
  char name[IF_NAMESIZE];
  if (is_of_one_link(where.sin6_addr) && ::if_indextoname(where.sin6_scope_id, name) != nullptr) return name;
  return std::to_string(where.sin6_scope_id);
}

Address tcp_address(const sockaddr_in& where) {
  char host[INET_ADDRSTRLEN] = "";
  ::inet_ntop(AF_INET, &where.sin_addr, host, sizeof(host));
  return Address::tcp(host, ntohs(where.sin_port));
}

Address tcp_address(const sockaddr_in6& where) {
  char number[INET6_ADDRSTRLEN] = "";
  ::inet_ntop(AF_INET6, &where.sin6_addr, number, sizeof(number));
  std::string host = number;
  if (where.sin6_scope_id != 0) host.append("%").append(zone_text(where));
  return Address::tcp(host, ntohs(where.sin6_port));
}

Address unix_address(const SocketAddress& from) {
  const auto* where = reinterpret_cast<const sockaddr_un*>(&from.storage);
  constexpr size_t kBefore = offsetof(sockaddr_un, sun_path);
  if (from.size <= kBefore) return Address::unix_path("");  // unnamed: the client's end
  const size_t length = from.size - kBefore;
  if (where->sun_path[0] != '\0') return Address::unix_path({where->sun_path, strnlen(where->sun_path, length)});
  std::string name(where->sun_path, length);
  name[0] = '@';
  return Address::unix_path(name);
}

}  // namespace

Result<SocketAddress> SocketAddress::of(const Address& address) {
  return address.kind == Address::Kind::kUnix ? of_unix(address.path) : of_tcp(address);
}

SocketAddress SocketAddress::local_of(int socket) noexcept {
  SocketAddress result;
  if (::getsockname(socket, result.get(), &result.size) != 0) result = {};
  return result;
}

SocketAddress SocketAddress::peer_of(int socket) noexcept {
  SocketAddress result;
  if (::getpeername(socket, result.get(), &result.size) != 0) result = {};
  return result;
}

Address SocketAddress::to_address() const {
  switch (family()) {
    case AF_UNIX: return unix_address(*this);
    case AF_INET: return tcp_address(reinterpret_cast<const sockaddr_in&>(storage));
    case AF_INET6: return tcp_address(reinterpret_cast<const sockaddr_in6&>(storage));
    default: return {};
  }
}

}  // namespace gaggle
