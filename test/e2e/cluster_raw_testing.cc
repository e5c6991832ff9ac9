// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <initializer_list>
#include <stdexcept>
#include <utility>

#include "cluster_testing.h"

namespace gaggle::e2e {
namespace {

// RFC 9113 section 4.1.
std::string frame(uint8_t type, uint8_t flags, uint32_t stream, std::string_view payload) {
  std::string bytes;
  for (int shift : {16, 8, 0}) bytes.push_back(static_cast<char>(payload.size() >> shift));
  bytes.push_back(static_cast<char>(type));
  bytes.push_back(static_cast<char>(flags));
  for (int shift : {24, 16, 8, 0}) bytes.push_back(static_cast<char>(stream >> shift));
  return bytes.append(payload);
}

std::string big_endian(uint32_t number) {
  const uint32_t network = htonl(number);
  return {reinterpret_cast<const char*>(&network), 4};
}

std::string prefixed(std::string_view text) { return static_cast<char>(text.size()) + std::string(text); }

}  // namespace

RawConnection::RawConnection(uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  timeval limit{20, 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    const int error = errno;
    ::close(socket_);
    throw std::runtime_error(std::string("connect: ") + std::strerror(error));
  }
}

RawConnection::RawConnection(RawConnection&& other) noexcept : socket_(std::exchange(other.socket_, -1)) {}

RawConnection::~RawConnection() {
  if (socket_ >= 0) ::close(socket_);
}

size_t RawConnection::send_some(std::string_view bytes) {
  size_t sent = 0;
  while (sent < bytes.size()) {
    const ssize_t count = ::send(socket_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count <= 0) break;
    sent += static_cast<size_t>(count);
  }
  return sent;
}

std::string RawConnection::read(size_t count) {
  std::string bytes(count, '\0');
  size_t got = 0;
  while (got < count) {
    const ssize_t some = ::recv(socket_, bytes.data() + got, count - got, 0);
    if (some <= 0) break;
    got += static_cast<size_t>(some);
  }
  bytes.resize(got);
  return bytes;
}

std::string http2_preface(uint32_t initial_window) {
  const std::string settings = std::string("\0\x04", 2) + big_endian(initial_window);
  std::string bytes = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(0x4, 0, 0, settings);
  if (initial_window > 65'535) bytes += frame(0x8, 0, 0, big_endian(initial_window - 65'535));
  return bytes;
}

std::string http2_get(uint32_t stream, std::string_view group, std::string_view key) {
  std::string block;
  for (const auto& [name, value] :
       std::initializer_list<std::pair<const char*, const char*>>{{":method", "POST"},
                                                                  {":scheme", "http"},
                                                                  {":path", "/groupcachepb.GroupCache/Get"},
                                                                  {":authority", "localhost"},
                                                                  {"content-type", "application/grpc"},
                                                                  {"te", "trailers"}}) {
    block += std::string(1, '\0') + prefixed(name) + prefixed(value);  // literal, not indexed
  }
  const std::string request = "\x0a" + prefixed(group) + "\x12" + prefixed(key);
  const std::string message = std::string(1, '\0') + big_endian(static_cast<uint32_t>(request.size())) + request;
  return frame(0x1, 0x4, stream, block) + frame(0x0, 0x1, stream, message);
}

}  // namespace gaggle::e2e
