// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/memory_quota.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "gaggle/net/sleep.h"
#include "gaggle/rpc/server_sockets_testing.h"
#include "gaggle/rpc/server_testing.h"

namespace gaggle {
namespace {

using namespace std::chrono_literals;
using Level = MemoryQuota::Level;

constexpr size_t kIdle = MemoryQuota::kConnectionBytes;
constexpr size_t kLimit = 1 << 20;

// Memory that somebody else has, until given back.
struct Elsewhere {
  explicit Elsewhere(MemoryQuota& of) : quota(of) {}
  ~Elsewhere() { take(0); }
  void take(size_t bytes) {
    quota.change(taken, bytes);
    taken = bytes;
  }
  MemoryQuota& quota;
  size_t taken = 0;
};

// Reads nothing until its call ends.
Task<Status> read_nothing(TestService&, ServerStream& stream) {
  co_return co_await sleep_for(stream.context().loop(), 24h);
}

TEST(MemoryQuota, has_four_levels) {
  MemoryQuota quota(800);
  Elsewhere used(quota);
  for (const auto& [bytes, level] : std::vector<std::pair<size_t, Level>>{{0, Level::kPlenty},
                                                                          {399, Level::kPlenty},
                                                                          {400, Level::kShort},
                                                                          {700, Level::kScarce},
                                                                          {799, Level::kScarce},
                                                                          {800, Level::kExhausted},
                                                                          {2000, Level::kExhausted}}) {
    used.take(bytes);
    EXPECT_EQ(quota.level(), level) << bytes;
  }
}

TEST(ServerMemory, connections_and_what_they_buffer_are_counted_and_given_back) {
  MemoryQuota quota(kLimit);
  {
    ServerWorld world({.memory_quota = &quota});
    EXPECT_EQ(quota.used_bytes(), kIdle);
    world.connect();
    EXPECT_EQ(quota.used_bytes(), 2 * kIdle);
    ClientCall& upload = world.client().start(FrameClient::request("Unary"));
    world.client().send(upload, FrameClient::message(std::string(100'000, 'x')).substr(0, 60'000));
    world.settle();
    EXPECT_GE(quota.used_bytes(), 2 * kIdle + 60'000) << "half a message waits for its rest";
    EXPECT_LT(quota.used_bytes(), 2 * kIdle + 61'000);
    world.client().reset(upload);
    world.settle();
    EXPECT_EQ(quota.used_bytes(), 2 * kIdle);
    EXPECT_EQ(world.finish(world.client().call("Unary", std::string(100'000, 'x'))).grpc_status(), "0");
    EXPECT_EQ(quota.used_bytes(), 2 * kIdle) << "nothing of a call stays when it has ended";
    world.clients[1]->close();
    world.settle();
    EXPECT_EQ(quota.used_bytes(), kIdle);
  }
  EXPECT_EQ(quota.used_bytes(), 0u);
}

TEST(ServerMemory, output_that_a_client_does_not_take_is_counted) {
  MemoryQuota quota(16 * kLimit);
  ServerWorld world({.memory_quota = &quota});
  world.client().consume_automatically(false);
  ClientCall& call = world.client().call("Unary", std::string(1'000'000, 'x'));
  world.settle();
  EXPECT_GT(quota.used_bytes(), 500'000u) << "the client's window is a quarter of the answer";
  world.client().reset(call);
  world.settle();
  EXPECT_EQ(quota.used_bytes(), kIdle);
}

TEST(ServerMemory, several_servers_share_one) {
  MemoryQuota quota(kLimit);
  ServerWorld a({.memory_quota = &quota}), b({.memory_quota = &quota});
  EXPECT_EQ(quota.used_bytes(), 2 * kIdle);
}

TEST(ServerMemory, when_it_is_short_windows_shrink_and_grow_again_afterwards) {
  MemoryQuota quota(8 * kLimit);
  Elsewhere elsewhere(quota);
  ServerWorld world({.memory_quota = &quota});
  world.service.stream = read_nothing;
  elsewhere.take(4 * kLimit);
  // Streams that nobody reads use up the window that the client has already.
  const auto fill = [&] {
    ClientCall& call = world.client().start(FrameClient::request("Chat"));
    world.client().send(call, std::string(200'000, '\0'));
    world.settle();
    return call.stream->queued_bytes();
  };
  size_t queued = 0;
  for (int i = 0; i < 8; ++i) queued += fill();
  EXPECT_GT(queued, 300'000u) << "of 1.6 MB the client could send one window, and then no more";
  EXPECT_EQ(quota.counters().shrunk_windows, 1u);
  elsewhere.take(0);
  for (const ClientCall& call : world.client().calls) {
    if (!call.over()) world.client().reset(const_cast<ClientCall&>(call));
  }
  world.world.advance(1s);
  world.service.stream = TestService::chat;
  EXPECT_EQ(quota.level(), Level::kPlenty);
  EXPECT_EQ(world.finish(world.client().call("Unary", std::string(1'500'000, 'x'))).grpc_status(), "0");
}

// A call with 200,000 bytes that nobody reads; gives what its client couldn't send.
size_t stuck_bytes(FrameClient& client, ServerWorld& world) {
  ClientCall& call = client.start(FrameClient::request("Chat"));
  client.send(call, std::string(200'000, '\0'));
  world.settle();
  return call.stream->queued_bytes();
}

TEST(ServerMemory, when_it_is_short_new_calls_have_small_windows_and_large_ones_afterwards) {
  constexpr size_t kStuck = 200'000 - MemoryQuota::kShortStreamWindowBytes;
  MemoryQuota quota(8 * kLimit);
  Elsewhere elsewhere(quota);
  ServerWorld world({.memory_quota = &quota});
  world.service.stream = read_nothing;
  EXPECT_EQ(stuck_bytes(world.client(), world), 0u) << "256 KiB";
  elsewhere.take(4 * kLimit);
  world.finish(world.client().call("Unary", "x"));
  for (int i = 0; i < 8; ++i) EXPECT_EQ(stuck_bytes(world.client(), world), kStuck);
  EXPECT_EQ(world.finish(world.client().call("Unary", std::string(100'000, 'x'))).grpc_status(), "0")
      << "eight of them don't stop the others";
  FrameClient& later = world.connect();
  world.settle();
  EXPECT_EQ(stuck_bytes(later, world), kStuck) << "a connection made now is born so";
  elsewhere.take(0);
  world.world.advance(1s);
  for (const ClientCall& call : world.client().calls) {
    EXPECT_TRUE(call.over() || call.stream->queued_bytes() == 0) << "those that are open grow, too";
  }
  EXPECT_EQ(stuck_bytes(later, world), 0u);
  EXPECT_EQ(quota.counters().shrunk_windows, 2u);
}

TEST(ServerMemory, over_sockets_what_nobody_reads_stays_small_and_calls_go_on) {
  constexpr int kConnections = 8;
  constexpr int kUploads = 3;
  MemoryQuota quota(16 * kLimit);
  Elsewhere elsewhere(quota);
  elsewhere.take(8 * kLimit);
  Running running(2, {.memory_quota = &quota});
  running.service.unary = plain_echo;
  running.service.stream = read_nothing;
  const std::string address = running.listen();
  Clients clients;
  size_t most = 0;
  for (int i = 0; i < kConnections; ++i) {
    FrameClient& client = clients.connect(address);
    clients.finish(client.call("Unary", "hello"));  // it knows the server's settings now
    for (int j = 0; j < kUploads; ++j) {
      const Loop::Enter enter(clients.loop);
      client.send(client.start(FrameClient::request("Chat")), std::string(250'000, '\0'));
    }
  }
  for (const auto& client : clients.clients) {
    clients.until([&] {
      most = std::max(most, quota.used_bytes());
      return std::ranges::all_of(client->calls, [](const ClientCall& call) {
        return call.over() || call.stream->queued_bytes() == 250'000 - MemoryQuota::kShortStreamWindowBytes;
      });
    });
  }
  for (const auto& client : clients.clients) {
    EXPECT_EQ(clients.finish(client->call("Unary", std::string(100'000, 'x'))).grpc_status(), "0")
        << "in the room that the uploads leave";
    most = std::max(most, quota.used_bytes());
  }
  EXPECT_LT(most, 8 * kLimit + kConnections * (kUploads * MemoryQuota::kShortStreamWindowBytes + 300'000))
      << "of the 6 MB that want to come";
  EXPECT_EQ(quota.counters().refused_calls + quota.counters().ended_calls, 0u);
  clients.clients.clear();
}

TEST(ServerMemory, when_it_is_short_calls_still_begin_and_end) {
  MemoryQuota quota(kLimit);
  Elsewhere elsewhere(quota);
  ServerWorld world({.memory_quota = &quota});
  elsewhere.take(kLimit / 2);
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(world.finish(world.client().call("Unary", std::string(100'000, 'x'))).grpc_status(), "0");
  }
}

TEST(ServerMemory, when_it_is_scarce_new_calls_and_connections_are_refused_and_running_ones_go_on) {
  MemoryQuota quota(kLimit);
  Elsewhere elsewhere(quota);
  ServerWorld world({.memory_quota = &quota});
  ClientCall& running = world.client().start(FrameClient::request("Chat"));
  world.settle();
  elsewhere.take(kLimit - 50'000);
  ClientCall& refused = world.finish(world.client().call("Unary", "x"));
  EXPECT_EQ(refused.grpc_status(), "8");
  StreamPair pair = make_stream_pair(world.world.loop);
  {
    const Loop::Enter enter(world.world.loop);
    EXPECT_EQ(world.server->serve(std::move(pair.server)).code(), StatusCode::kResourceExhausted);
  }
  world.client().send(running, FrameClient::message("still here"), true);
  EXPECT_EQ(world.finish(running).messages(), std::vector<std::string>{"still here"});
  EXPECT_EQ(running.grpc_status(), "0");
  EXPECT_EQ(quota.counters().refused_calls, 1u);
  EXPECT_EQ(quota.counters().refused_connections, 1u);
  elsewhere.take(0);
  EXPECT_EQ(world.finish(world.client().call("Unary", "x")).grpc_status(), "0") << "as soon as there is some again";
}

TEST(ServerMemory, when_it_is_exhausted_new_calls_are_reset_and_uploads_end) {
  MemoryQuota quota(kLimit);
  Elsewhere elsewhere(quota);
  ServerWorld world({.memory_quota = &quota});
  const std::string message = FrameClient::message(std::string(200'000, 'x'));
  ClientCall& upload = world.client().start(FrameClient::request("Unary"));
  ClientCall& chat = world.client().start(FrameClient::request("Chat"));
  world.client().send(upload, message.substr(0, 60'000));
  world.settle();
  elsewhere.take(kLimit);
  EXPECT_EQ(world.finish(world.client().call("Unary", "x")).reset, http2::ErrorCode::kEnhanceYourCalm)
      << "which clients show as RESOURCE_EXHAUSTED";
  world.client().send(upload, message.substr(60'000, 16'000));
  EXPECT_EQ(world.finish(upload).grpc_status(), "8");
  world.client().send(chat, FrameClient::message("a little"), true);
  EXPECT_EQ(world.finish(chat).grpc_status(), "0") << "small messages of running calls pass";
  EXPECT_EQ(quota.counters().ended_calls, 1u);
}

TEST(ServerMemory, many_uploads_that_never_end_stay_within_the_limit) {
  MemoryQuota quota(kLimit);
  ServerWorld world({.memory_quota = &quota});
  for (int i = 0; i < 10; ++i) world.connect();
  const std::string part = FrameClient::message(std::string(3'000'000, 'x')).substr(0, 250'000);
  size_t most = 0;
  for (int round = 0; round < 5; ++round) {
    for (auto& client : world.clients) {
      client->send(client->start(FrameClient::request("Unary")), part);
      world.settle();
      most = std::max(most, quota.used_bytes());
    }
  }
  EXPECT_LT(most, kLimit + 512 * 1024) << "beyond the limit only what one turn reads";
  EXPECT_GT(quota.counters().refused_calls + quota.counters().ended_calls, 0u);
}

}  // namespace
}  // namespace gaggle
