// SPDX-License-Identifier: Apache-2.0
//
// Servers on real sockets, with loops on threads of their own. The clients run on the test's thread.
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>

#include "gaggle/net/sleep.h"
#include "gaggle/net/spawn.h"
#include "gaggle/rpc/credentials/server_credentials.h"
#include "gaggle/rpc/server_sockets_testing.h"

namespace gaggle {
namespace {

using namespace std::chrono_literals;

Task<Status> sleep_long(TestService&, ServerContext& context, const Text&, Text&) {
  co_return co_await sleep_for(context.loop(), std::chrono::hours{1});
}

TEST(ServerSockets, several_loops_share_the_connections) {
  Running running(3);
  running.service.unary = plain_echo;
  const std::string address = running.listen();
  Clients clients;
  for (int i = 0; i < 9; ++i) {
    FrameClient& client = clients.connect(address);
    EXPECT_EQ(clients.finish(client.call("Unary", "x")).grpc_status(), "0");
  }
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(running.loops.loop(i).load(), 3) << "each goes to the least loaded loop";
  EXPECT_EQ(running.server->counters().connections_now, 9u);
  EXPECT_EQ(running.server->counters().calls_succeeded, 9u);
}

TEST(ServerSockets, many_calls_at_once_over_many_connections) {
  Running running(2);
  running.service.unary = plain_echo;
  const std::string address = running.listen();
  Clients clients;
  std::vector<ClientCall*> calls;
  for (int i = 0; i < 8; ++i) {
    FrameClient& client = clients.connect(address);
    const Loop::Enter enter(clients.loop);
    for (int k = 0; k < 100; ++k) calls.push_back(&client.call("Unary", std::to_string(k)));
  }
  for (ClientCall* call : calls) EXPECT_EQ(clients.finish(*call).grpc_status(), "0");
  EXPECT_EQ(running.server->counters().calls_succeeded, 800u);
}

TEST(ServerSockets, an_address_in_use_is_an_error_that_names_it) {
  Running first(1);
  const std::string address = first.listen();
  Running second(1);
  const Result<uint16_t> port = second.server->listen(address);
  ASSERT_FALSE(port.is_ok());
  EXPECT_EQ(port.error().code(), StatusCode::kUnavailable);
  EXPECT_NE(port.error().message().find(address), std::string_view::npos) << port.error().message();
}

TEST(ServerSockets, what_is_no_address_is_refused) {
  Running running(1);
  for (const char* address : {"", "nonsense", "127.0.0.1", "127.0.0.1:99999", "127.0.0.1:x", "no.such.name:1"}) {
    EXPECT_EQ(running.server->listen(address).status().code(), StatusCode::kInvalidArgument) << address;
  }
}

TEST(ServerSockets, several_addresses_and_a_unix_socket) {
  Running running(1);
  running.service.unary = plain_echo;
  const std::string path = "unix:@gaggle-server-test-" + std::to_string(getpid());
  const std::string one = running.listen();
  const std::string two = running.listen();
  ASSERT_TRUE(running.server->listen(path).is_ok());
  Clients clients;
  for (const std::string& address : {one, two, path}) {
    EXPECT_EQ(clients.finish(clients.connect(address).call("Unary", "x")).grpc_status(), "0") << address;
  }
}

TEST(ServerSockets, stop_from_another_thread_ends_everything) {
  Running running(2);
  running.service.unary = sleep_long;
  const std::string address = running.listen();
  Clients clients;
  std::vector<ClientCall*> calls;
  for (int i = 0; i < 4; ++i) calls.push_back(&clients.connect(address).call("Unary", "x"));
  clients.until([&] { return running.server->counters().calls_now == 4; });
  running.server->stop();
  EXPECT_TRUE(running.server->wait().is_ok());
  EXPECT_EQ(running.server->counters().connections_now, 0u);
  EXPECT_EQ(running.server->counters().calls_now, 0u);
  for (ClientCall* call : calls) EXPECT_EQ(clients.finish(*call).reset, http2::ErrorCode::kCancel);
  EXPECT_TRUE(running.server->wait().is_ok()) << "waiting again is harmless";
}

TEST(ServerSockets, destruction_joins_what_still_runs) {
  Running running(2);
  running.service.unary = sleep_long;
  const std::string address = running.listen();
  Clients clients;
  ClientCall& call = clients.connect(address).call("Unary", "x");
  clients.until([&] { return running.server->counters().calls_now == 1; });
  running.server.reset();
  EXPECT_EQ(clients.finish(call).reset, http2::ErrorCode::kCancel);
  for (size_t i = 0; i < 2; ++i) EXPECT_EQ(running.loops.loop(i).load(), 0);
  Running next(1);
  EXPECT_TRUE(next.server->listen(address).is_ok()) << "the port is free again";
}

TEST(ServerSockets, a_server_that_never_listened_ends_too) {
  Running running(2);
  running.server->stop();
  EXPECT_TRUE(running.server->wait().is_ok());
}

TEST(ServerSockets, a_users_own_loop_serves) {
  Loop loop;
  LoopGroup loops(loop);
  TestService service;
  service.unary = plain_echo;
  auto server = *Server::create(loops);
  ASSERT_TRUE(server->register_service(TestService::desc(), service).is_ok());
  const Result<uint16_t> port = server->listen("localhost:0");
  ASSERT_TRUE(port.is_ok()) << "before anybody runs the loop";
  std::thread runner([&] { loop.run(); });
  Clients clients;
  EXPECT_EQ(clients.finish(clients.connect("127.0.0.1:" + std::to_string(*port)).call("Unary", "x")).grpc_status(),
            "0");
  EXPECT_TRUE(server->listen("127.0.0.1:0").is_ok()) << "and while somebody does";
  server.reset();
  loop.stop();
  runner.join();
}

TEST(ServerSockets, connections_beyond_the_limit_are_closed) {  // [18]
  Running running(1, {.max_connections = 2});
  running.service.unary = plain_echo;
  const std::string address = running.listen();
  Clients clients;
  for (int i = 0; i < 2; ++i) EXPECT_EQ(clients.finish(clients.connect(address).call("Unary", "x")).grpc_status(), "0");
  FrameClient& third = clients.connect(address);
  clients.until([&] { return third.closed; });
  EXPECT_EQ(running.server->counters().connections_refused, 1u);
  EXPECT_EQ(running.server->counters().connections_now, 2u);
}

struct WilfulCredentials final : ServerCredentials {
  Task<Result<std::unique_ptr<ByteStream>>> handshake(std::unique_ptr<ByteStream> stream, TurnGate&,
                                                      Context) const override {
    if (throws) throw std::runtime_error("no idea");
    stream.reset();
    return Task<Result<std::unique_ptr<ByteStream>>>::ready(std::move(stream));
  }
  bool throws = false;
};

TEST(ServerSockets, credentials_that_throw_or_give_nothing_cost_the_connection_only) {
  WilfulCredentials credentials[2];
  credentials[1].throws = true;
  Running running(1);
  running.service.unary = plain_echo;
  const std::string plain = running.listen();
  Clients clients;
  for (const WilfulCredentials& each : credentials) {
    const Result<uint16_t> port = running.server->listen("127.0.0.1:0", each);
    ASSERT_TRUE(port.is_ok());
    FrameClient& client = clients.connect("127.0.0.1:" + std::to_string(*port));
    EXPECT_TRUE(clients.finish(client.call("Unary", "x")).reset.has_value());
  }
  EXPECT_EQ(clients.finish(clients.connect(plain).call("Unary", "x")).grpc_status(), "0");
  EXPECT_EQ(running.server->counters().handshakes_failed, 2u);
}

TEST(ServerSockets, clients_that_vanish_leave_nothing_behind) {  // [3] [12]
  Running running(2);
  running.service.unary = sleep_long;
  const std::string address = running.listen();
  {
    Clients clients;
    for (int i = 0; i < 20; ++i) clients.connect(address).call("Unary", "x");
    clients.until([&] { return running.server->counters().calls_now == 20; });
  }
  Clients watching;
  FrameClient& watcher = watching.connect(address);
  // Each round trip gives the loops time; no sleep decides.
  while (running.server->counters().connections_now > 1) {
    ClientCall& call = watcher.call("Other", "x");
    watching.finish(call);
  }
  // The watcher's last call may have been answered a moment before it counts as ended.
  watching.until([&] { return running.server->counters().calls_now == 0; });
}

TEST(ServerSockets, counters_may_be_read_by_any_thread) {
  Running running(2);
  running.service.unary = plain_echo;
  const std::string address = running.listen();
  std::atomic<bool> done{false};
  std::thread reader([&] {
    uint64_t last = 0;
    while (!done.load()) {
      const ServerCounters counters = running.server->counters();
      EXPECT_GE(counters.calls_succeeded, last) << "monotonic";
      EXPECT_LE(counters.calls_now, 400u);
      last = counters.calls_succeeded;
    }
  });
  Clients clients;
  for (int i = 0; i < 4; ++i) {
    FrameClient& client = clients.connect(address);
    for (int k = 0; k < 50; ++k) clients.finish(client.call("Unary", "x"));
  }
  done = true;
  reader.join();
  EXPECT_EQ(running.server->counters().calls_succeeded, 200u);
}

}  // namespace
}  // namespace gaggle
