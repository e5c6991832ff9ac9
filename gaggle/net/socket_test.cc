// SPDX-License-Identifier: Apache-2.0
//
// Sockets as users of ByteStream see them: connect, listen, read, write, the end.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "gaggle/net/connect.h"
#include "gaggle/net/event.h"
#include "gaggle/net/listener.h"
#include "gaggle/net/loop_testing.h"
#include "gaggle/net/resolve.h"
#include "gaggle/net/socket_address.h"
#include "gaggle/net/socket_stream.h"

namespace gaggle {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Stream = std::unique_ptr<ByteStream>;

class WakeUp final : public Waiter {
 public:
  void on_ready() noexcept override { ++calls; }
  int calls = 0;
};

iovec piece(std::string_view text) { return {const_cast<char*>(text.data()), text.size()}; }

std::string read_once(Loop& loop, ByteStream& stream) {
  for (;;) {
    const IoResult result = stream.read(loop.read_buffer());
    if (result.is_done()) return {reinterpret_cast<const char*>(loop.read_buffer().data()), result.bytes};
    if (result.kind != IoResult::Kind::kWouldBlock) return result.kind == IoResult::Kind::kEof ? "<eof>" : "<error>";
    WakeUp ready;
    stream.wait_readable(ready);
    loop.run_until([&] { return ready.calls > 0; });
  }
}

// A listener that makes streams, and a client connected to it.
struct Connected {
  explicit Connected(const Address& address) {
    auto opened = Listener::open(loop, address, [this](AcceptedSocket accepted) {
      server = std::move(*make_socket_stream(loop, std::move(accepted.socket)));
    });
    EXPECT_TRUE(opened) << opened.error().to_string();
    listener = std::move(*opened);
    auto result = run_on(loop, connect(loop, listener->address(), {}));
    EXPECT_TRUE(result) << result.error().to_string();
    client = std::move(*result);
    loop.run_until([this] { return server != nullptr; });
  }
  Loop loop;
  std::unique_ptr<Listener> listener;
  Stream client;
  Stream server;
};

std::string socket_path() {
  return std::filesystem::temp_directory_path() / ("gaggle-socket-test-" + std::to_string(::getpid()));
}

class Sockets : public testing::TestWithParam<Address> {};
INSTANTIATE_TEST_SUITE_P(Kinds, Sockets,
                         testing::Values(Address::tcp("127.0.0.1", 0), Address::tcp("localhost", 0),
                                         Address::unix_path(socket_path()), Address::unix_path("@gaggle-socket-test")),
                         [](const auto& kind) { return std::to_string(kind.index); });

TEST_P(Sockets, carry_bytes_both_ways_and_the_end) {
  Connected pair(GetParam());
  const iovec pieces[] = {piece("two "), piece("pieces")};
  EXPECT_EQ(pair.client->write(pieces).bytes, 10u);
  EXPECT_EQ(read_once(pair.loop, *pair.server), "two pieces");
  EXPECT_EQ(pair.server->read(pair.loop.read_buffer()).kind, IoResult::Kind::kWouldBlock);
  pair.client->shutdown_write();
  EXPECT_EQ(read_once(pair.loop, *pair.server), "<eof>");
  const iovec answer[] = {piece("answer")};
  EXPECT_EQ(pair.server->write(answer).bytes, 6u) << "the other direction goes on";
  EXPECT_EQ(read_once(pair.loop, *pair.client), "answer");
  EXPECT_EQ(pair.client->peer_address(), pair.server->local_address());
}

TEST(Socket, has_no_delay) {
  Connected pair(Address::tcp("127.0.0.1", 0));
  EXPECT_EQ(pair.listener->stats().accepted, 1u);
  EXPECT_NE(pair.listener->port(), 0);
  EXPECT_EQ(pair.client->peer_address().port, pair.listener->port());
}

TEST(Socket, writing_to_a_peer_that_is_gone_is_an_error_and_no_signal) {
  Connected pair(Address::unix_path(socket_path()));
  pair.server.reset();
  const iovec bytes[] = {piece("x")};
  const IoResult result = pair.client->write(bytes);
  EXPECT_EQ(result.kind, IoResult::Kind::kError);
  EXPECT_EQ(result.error.code(), StatusCode::kUnavailable);
}

TEST(Socket, a_full_one_says_when_it_has_room_again) {
  Connected pair(Address::tcp("127.0.0.1", 0));
  const std::string block(1 << 20, 'x');
  const iovec blocks[] = {piece(block)};
  size_t sent = 0;
  IoResult result = pair.client->write(blocks);
  for (; result.is_done(); result = pair.client->write(blocks)) sent += result.bytes;
  ASSERT_EQ(result.kind, IoResult::Kind::kWouldBlock);
  WakeUp room;
  pair.client->wait_writable(room);
  pair.loop.poll();
  EXPECT_EQ(room.calls, 0);
  size_t received = 0;
  while (received < sent) received += read_once(pair.loop, *pair.server).size();
  pair.loop.run_until([&] { return room.calls > 0; });
  EXPECT_TRUE(pair.client->write(blocks).is_done());
}

TEST(Socket, more_pieces_than_the_system_takes_are_cut) {
  Connected pair(Address::unix_path(socket_path()));
  const std::vector<iovec> pieces(1500, piece("x"));
  EXPECT_EQ(pair.client->write(pieces).bytes, 1024u);
}

TEST(Socket, a_waiter_is_not_called_after_it_was_cancelled_or_the_stream_closed) {
  Connected pair(Address::tcp("127.0.0.1", 0));
  WakeUp first;
  WakeUp second;
  pair.client->wait_readable(first);
  pair.client->cancel_waits();
  const iovec bytes[] = {piece("x")};
  static_cast<void>(pair.server->write(bytes));
  pair.loop.poll();
  EXPECT_EQ(first.calls, 0);
  pair.client->wait_readable(second);  // what arrived while nobody waited isn't lost
  pair.loop.run_until([&] { return second.calls == 1; });
  pair.client->wait_readable(first);
  pair.client->close();
  pair.client->close();
  pair.loop.poll();
  EXPECT_EQ(first.calls, 0);
  EXPECT_EQ(pair.client->read(pair.loop.read_buffer()).kind, IoResult::Kind::kError);
}

TEST(Socket, may_be_destroyed_while_it_is_waited_for) {
  Connected pair(Address::tcp("127.0.0.1", 0));
  WakeUp waiter;
  pair.client->wait_readable(waiter);
  pair.client->wait_writable(waiter);
  pair.client.reset();
  pair.loop.poll();
  EXPECT_EQ(waiter.calls, 0);
  EXPECT_EQ(read_once(pair.loop, *pair.server), "<eof>");
}

TEST(Connect, refused_says_who_refused) {
  Loop loop;
  auto listener = Listener::open(loop, Address::tcp("127.0.0.1", 0), [](AcceptedSocket) {});
  const Address address = (*listener)->address();
  (*listener)->close();
  const auto result = run_on(loop, connect(loop, address, {}));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), StatusCode::kUnavailable);
  EXPECT_EQ(result.error().message(), address.to_string() + ": Connection refused");
}

// A listener whose backlog is full answers nobody: connecting to it hangs.
struct Unresponsive {
  Unresponsive() : socket(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in any{};
    any.sin_family = AF_INET;
    any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(any);
    ::bind(socket.get(), reinterpret_cast<sockaddr*>(&any), sizeof(any));
    ::listen(socket.get(), 0);
    ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&any), &size);
    address = Address::tcp("127.0.0.1", ntohs(any.sin_port));
    for (int i = 0; i < 3; ++i) {
      fillers.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
      ::connect(fillers.back().get(), reinterpret_cast<sockaddr*>(&any), sizeof(any));
    }
  }
  FileDescriptor socket;
  std::vector<FileDescriptor> fillers;
  Address address;
};

TEST(Connect, ends_when_its_context_does) {
  Loop loop;
  const Unresponsive peer;
  const auto late = run_on(loop, connect(loop, peer.address, Context().with_timeout(milliseconds{20})));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code(), StatusCode::kDeadlineExceeded);
  CancelSource source;
  loop.post([&] { loop.post([&] { source.cancel(); }); });
  const auto cancelled = run_on(loop, connect(loop, peer.address, source.context()));
  ASSERT_FALSE(cancelled);
  EXPECT_EQ(cancelled.error().code(), StatusCode::kCancelled);
  EXPECT_EQ(run_on(loop, connect(loop, peer.address, source.context())).error().code(), StatusCode::kCancelled);
}

TEST(Resolve, knows_localhost_and_numbers) {
  Loop loop;
  const auto numbers = run_on(loop, resolve(loop, "192.0.2.1", 7));
  ASSERT_TRUE(numbers);
  EXPECT_EQ(numbers->front(), Address::tcp("192.0.2.1", 7));
  const auto local = run_on(loop, resolve(loop, "localhost", 7));
  ASSERT_TRUE(local) << local.error().to_string();
  for (const Address& address : *local) EXPECT_TRUE(address.is_numeric());
  EXPECT_EQ(run_on(loop, resolve(loop, "no-such-host.invalid", 7)).error().code(), StatusCode::kUnavailable);
}

TEST(Listener, an_address_in_use_is_an_error_that_names_it) {
  Loop loop;
  auto first = Listener::open(loop, Address::tcp("127.0.0.1", 0), [](AcceptedSocket) {});
  ASSERT_TRUE(first);
  const auto second = Listener::open(loop, (*first)->address(), [](AcceptedSocket) {});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code(), StatusCode::kFailedPrecondition);
  EXPECT_NE(second.error().message().find((*first)->address().to_string()), std::string_view::npos);
  (*first)->close();
  EXPECT_TRUE(Listener::open(loop, (*first)->address(), [](AcceptedSocket) {})) << "close() frees the port at once";
}

TEST(Listener, refuses_names_and_foreign_addresses) {
  Loop loop;
  EXPECT_EQ(Listener::open(loop, Address::tcp("a.name.example", 0), [](AcceptedSocket) {}).error().code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(Listener::open(loop, Address::tcp("192.0.2.1", 0), [](AcceptedSocket) {}).error().code(),
            StatusCode::kUnavailable);
}

TEST(Listener, a_socket_file_left_behind_is_replaced_and_one_in_use_is_not) {
  Loop loop;
  const Address address = Address::unix_path(socket_path());
  auto first = Listener::open(loop, address, [](AcceptedSocket) {});
  ASSERT_TRUE(first);
  EXPECT_EQ(Listener::open(loop, address, [](AcceptedSocket) {}).error().code(), StatusCode::kFailedPrecondition);
  (*first)->close();
  EXPECT_FALSE(std::filesystem::exists(address.path)) << "close() removes the file";
  {
    auto where = SocketAddress::of(address);
    const FileDescriptor crashed(::socket(AF_UNIX, SOCK_STREAM, 0));
    ASSERT_EQ(::bind(crashed.get(), where->get(), where->size), 0);
  }
  ASSERT_TRUE(std::filesystem::exists(address.path));
  EXPECT_TRUE(Listener::open(loop, address, [](AcceptedSocket) {}));
}

TEST(Listener, may_be_closed_or_destroyed_from_its_callback) {
  Loop loop;
  std::unique_ptr<Listener> listener;
  int accepted = 0;
  listener = std::move(*Listener::open(loop, Address::tcp("127.0.0.1", 0), [&](AcceptedSocket) {
    ++accepted;
    listener.reset();
  }));
  const Address address = listener->address();
  auto client = run_on(loop, connect(loop, address, {}));
  loop.run_until([&] { return accepted > 0; });
  EXPECT_EQ(listener, nullptr);
}

// Takes all descriptors that the process may have.
class Exhaustion {
 public:
  Exhaustion() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    rlimit few = before_;
    few.rlim_cur = 64;
    ::setrlimit(RLIMIT_NOFILE, &few);
    for (int fd = ::dup(0); fd >= 0; fd = ::dup(0)) taken_.emplace_back(fd);
  }
  ~Exhaustion() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  void free_one() { taken_.pop_back(); }

 private:
  rlimit before_{};
  std::vector<FileDescriptor> taken_;
};

TEST(Listener, out_of_descriptors_it_pauses_instead_of_spinning) {  // [14]
  Loop loop;
  std::vector<FileDescriptor> accepted;
  std::string log;
  ListenerOptions options;
  options.log = {
      .sink = [](void* user, LogLevel, std::string_view line) { static_cast<std::string*>(user)->append(line); },
      .user = &log};
  auto listener = Listener::open(
      loop, Address::tcp("127.0.0.1", 0), [&](AcceptedSocket socket) { accepted.push_back(std::move(socket.socket)); },
      options);
  ASSERT_TRUE(listener);
  auto where = SocketAddress::of((*listener)->address());
  const FileDescriptor client(::socket(AF_INET, SOCK_STREAM, 0));
  Exhaustion exhaustion;
  ASSERT_EQ(::connect(client.get(), where->get(), where->size), 0) << "the kernel accepts into the backlog";

  const uint64_t turns_before = loop.stats().turns;
  const TimePoint start = Clock::real().now();
  loop.run_until([&] { return (*listener)->stats().out_of_descriptors >= 3; });
  EXPECT_GE(Clock::real().now() - start, milliseconds{30}) << "pauses of 10 and 20 ms lie between three tries";
  EXPECT_LT(loop.stats().turns - turns_before, 20u) << "no spinning meanwhile";
  EXPECT_NE(log.find("Too many open files"), std::string::npos);
  EXPECT_TRUE(accepted.empty());

  exhaustion.free_one();
  loop.run_until([&] { return !accepted.empty(); });
  EXPECT_EQ((*listener)->stats().accepted, 1u) << "the client that waited is served";
}

}  // namespace
}  // namespace gaggle
