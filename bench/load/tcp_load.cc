// SPDX-License-Identifier: Apache-2.0
//
// Load for bench_tcp_server: requests of `payload` bytes, answers of `response_bytes`, `streams` in flight on each
// connection; all answers of one read make room for as many requests, sent in one write.

#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <deque>
#include <memory>
#include <vector>

#include "bench/load/measurement.h"
#include "bench/load/options.h"
#include "bench/peers/tcp_pump.h"

namespace {

using bench::Measurement;
using Time = Measurement::Time;

Time now() { return std::chrono::steady_clock::now(); }

struct Connection {
  Connection(int fd, const std::vector<char>& zeros) : pump(fd, zeros) {}
  bench::TcpPump pump;
  std::deque<Time> sent;  // of the requests in flight, the oldest first
  bool watches_writable = false;
};

class Load {
 public:
  explicit Load(const bench::LoadOptions& options)
      : options_(options),
        measurement_(options),
        response_bytes_(options.response_bytes != 0 ? options.response_bytes : options.payload) {}

  int run() {
    for (int i = 0; i < options_.connections; ++i) {
      if (!connect_one()) return 1;
    }
    const Time begin = now() + seconds(options_.warm_up);
    const Time end = begin + seconds(options_.seconds);
    bool begun = false;
    for (Time time = now(); time < end; time = now()) {
      if (!begun && time >= begin) {
        measurement_.begin();
        begun = true;
      }
      if (!turn()) return 1;
    }
    measurement_.end();
    measurement_.print();
    return 0;
  }

 private:
  static std::chrono::nanoseconds seconds(double count) {
    return std::chrono::nanoseconds{static_cast<std::int64_t>(count * 1e9)};
  }

  bool connect_one() {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address{.sin_family = AF_INET,
                              .sin_port = htons(static_cast<std::uint16_t>(options_.port)),
                              .sin_addr = {htonl(INADDR_LOOPBACK)},
                              .sin_zero = {}};
    const bench::TcpSizes sizes{options_.payload, response_bytes_};
    if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        send(fd, &sizes, sizeof sizes, MSG_NOSIGNAL) != sizeof sizes) {
      std::perror("connect");
      return false;
    }
    bench::prepare_socket(fd);
    connections_.push_back(std::make_unique<Connection>(fd, zeros_));
    Connection& connection = *connections_.back();
    connection.pump.set_incoming_bytes(response_bytes_);
    watch(EPOLL_CTL_ADD, connection, EPOLLIN);
    return request(connection, options_.streams);
  }

  void watch(int operation, Connection& connection, std::uint32_t what) {
    epoll_event event{.events = what, .data = {.ptr = &connection}};
    epoll_ctl(epoll_, operation, connection.pump.fd(), &event);
  }

  bool request(Connection& connection, ssize_t count) {
    connection.sent.insert(connection.sent.end(), static_cast<std::size_t>(count), now());
    connection.pump.owe(static_cast<std::uint64_t>(count) * options_.payload);
    if (!connection.pump.send_owed()) return false;
    if (connection.pump.blocked() != connection.watches_writable) {
      connection.watches_writable = connection.pump.blocked();
      watch(EPOLL_CTL_MOD, connection, connection.watches_writable ? EPOLLIN | EPOLLOUT : EPOLLIN);
    }
    return true;
  }

  bool turn() {
    std::array<epoll_event, 256> events;
    const int count = epoll_wait(epoll_, events.data(), events.size(), 100);
    for (int i = 0; i < count; ++i) {
      auto& connection = *static_cast<Connection*>(events[static_cast<std::size_t>(i)].data.ptr);
      const ssize_t answers = connection.pump.receive(buffer_);
      if (answers < 0) return false;
      const Time time = now();
      for (ssize_t answer = 0; answer < answers; ++answer) {
        measurement_.record(connection.sent.front(), time, Measurement::Outcome::kGood);
        connection.sent.pop_front();
      }
      if (!request(connection, answers)) return false;
    }
    return true;
  }

  const bench::LoadOptions& options_;
  Measurement measurement_;
  const std::uint32_t response_bytes_;
  int epoll_ = epoll_create1(EPOLL_CLOEXEC);
  std::vector<char> buffer_ = std::vector<char>(256 * 1024);
  const std::vector<char> zeros_ = std::vector<char>(256 * 1024);
  std::vector<std::unique_ptr<Connection>> connections_;
};

}  // namespace

int main(int argc, char** argv) {
  const bench::LoadOptions options = bench::parse_load_options(argc, argv);
  if (options.rate > 0) bench::not_offered("constant rate");
  if (options.payload == 0) bench::not_offered("empty requests");
  return Load(options).run();
}
