// SPDX-License-Identifier: Apache-2.0
//
// The limit: a server without a protocol. It answers each request of so many bytes with so many bytes, which the
// client has chosen at the start of the connection. epoll, one thread, one write per readable event.

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <unordered_map>
#include <vector>

#include "bench/peers/loopback.h"
#include "bench/peers/tcp_pump.h"
#include "bench/server_options.h"

namespace {

struct Connection {
  explicit Connection(int fd, const std::vector<char>& zeros) : pump(fd, zeros) {}
  bench::TcpPump pump;
  std::size_t response_bytes = 0;
  bool watches_writable = false;
};

class Server {
 public:
  explicit Server(int port) {
    port_ = bench::listen_on_loopback(listener_, port);
    watch(EPOLL_CTL_ADD, listener_, nullptr, EPOLLIN);
  }

  // 0 when it can't listen.
  int port() const { return port_; }

  void run() {
    std::array<epoll_event, 256> events;
    for (;;) {
      const int count = epoll_wait(epoll_, events.data(), events.size(), -1);
      for (int i = 0; i < count; ++i) {
        auto* const connection = static_cast<Connection*>(events[static_cast<std::size_t>(i)].data.ptr);
        if (connection == nullptr) {
          accept_one();
        } else if (!serve(*connection)) {
          connections_.erase(connection->pump.fd());
        }
      }
    }
  }

 private:
  void watch(int operation, int fd, Connection* connection, std::uint32_t what) {
    epoll_event event{.events = what, .data = {.ptr = connection}};
    epoll_ctl(epoll_, operation, fd, &event);
  }

  void accept_one() {
    const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) return;
    bench::TcpSizes sizes{};
    if (recv(fd, &sizes, sizeof sizes, MSG_WAITALL) != sizeof sizes || sizes.request_bytes == 0) {
      close(fd);
      return;
    }
    bench::prepare_socket(fd);
    auto connection = std::make_unique<Connection>(fd, zeros_);
    connection->pump.set_incoming_bytes(sizes.request_bytes);
    connection->response_bytes = sizes.response_bytes;
    watch(EPOLL_CTL_ADD, fd, connection.get(), EPOLLIN);
    connections_[fd] = std::move(connection);
  }

  bool serve(Connection& connection) {
    const ssize_t requests = connection.pump.receive(buffer_);
    if (requests < 0) return false;
    connection.pump.owe(static_cast<std::uint64_t>(requests) * connection.response_bytes);
    if (!connection.pump.send_owed()) return false;
    if (connection.pump.blocked() != connection.watches_writable) {
      connection.watches_writable = connection.pump.blocked();
      watch(EPOLL_CTL_MOD, connection.pump.fd(), &connection,
            connection.watches_writable ? EPOLLIN | EPOLLOUT : EPOLLIN);
    }
    return true;
  }

  int epoll_ = epoll_create1(EPOLL_CLOEXEC);
  int listener_ = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  int port_ = 0;
  std::vector<char> buffer_ = std::vector<char>(256 * 1024);
  const std::vector<char> zeros_ = std::vector<char>(256 * 1024);
  std::unordered_map<int, std::unique_ptr<Connection>> connections_;
};

}  // namespace

int main(int argc, char** argv) {
  const bench::ServerOptions options = bench::parse_server_options(argc, argv);
  Server server(options.port);
  if (server.port() == 0) return 1;
  bench::announce_port(server.port());
  server.run();
}
