// SPDX-License-Identifier: Apache-2.0
#include "bench/peers/tcp_pump.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace bench {

TcpPump::~TcpPump() { close(fd_); }

ssize_t TcpPump::receive(std::vector<char>& buffer) {
  const ssize_t count = recv(fd_, buffer.data(), buffer.size(), 0);
  if (count < 0) return errno == EAGAIN || errno == EINTR ? 0 : -1;
  if (count == 0) return -1;
  received_ += static_cast<std::size_t>(count);
  const std::size_t messages = received_ / incoming_bytes_;
  received_ %= incoming_bytes_;
  return static_cast<ssize_t>(messages);
}

bool TcpPump::send_owed() {
  while (owed_ != 0) {
    const std::size_t size = std::min<std::uint64_t>(owed_, zeros_.size());
    const ssize_t count = send(fd_, zeros_.data(), size, MSG_NOSIGNAL);
    if (count < 0) return errno == EAGAIN || errno == EINTR;
    owed_ -= static_cast<std::uint64_t>(count);
    if (static_cast<std::size_t>(count) < size) break;
  }
  return true;
}

void prepare_socket(int fd) {
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  fcntl(fd, F_SETFL, O_NONBLOCK);
}

}  // namespace bench
