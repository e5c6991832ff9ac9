// SPDX-License-Identifier: Apache-2.0
#include "gaggle/net/socket_address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <cstddef>
#include <cstring>
#include <string>

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

Result<SocketAddress> of_tcp(const Address& address) {
  const std::string host = address.host.empty() ? "::" : address.host == "localhost" ? "127.0.0.1" : address.host;
  const std::string port = std::to_string(address.port);
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), port.c_str(), &hints, &found) != 0) {
    return Status::invalid_argument(address.to_string() + ": the host isn't an IP address");
  }
  SocketAddress result;
  std::memcpy(&result.storage, found->ai_addr, found->ai_addrlen);
  result.size = found->ai_addrlen;
  ::freeaddrinfo(found);
  return result;
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
  if (family() == AF_UNIX) return unix_address(*this);
  if (family() != AF_INET && family() != AF_INET6) return {};
  char host[NI_MAXHOST];
  if (::getnameinfo(get(), size, host, sizeof(host), nullptr, 0, NI_NUMERICHOST) != 0) return {};
  const uint16_t port = family() == AF_INET ? reinterpret_cast<const sockaddr_in*>(&storage)->sin_port
                                            : reinterpret_cast<const sockaddr_in6*>(&storage)->sin6_port;
  return Address::tcp(host, ntohs(port));
}

}  // namespace gaggle
