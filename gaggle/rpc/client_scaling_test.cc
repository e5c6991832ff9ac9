// SPDX-License-Identifier: Apache-2.0
//
// More connections to one address while all of them are full. gRFC A105.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "gaggle/rpc/client_testing.h"
#include "gaggle/rpc/credentials/credentials.h"

namespace gaggle {
namespace {

using namespace std::chrono_literals;
using Mode = ScriptedNetwork::Mode;
using Calls = std::vector<std::unique_ptr<UnaryRun>>;

// A client of servers that take two calls at a time.
struct World : ClientWorld {
  explicit World(size_t connections, std::string_view config = {}) {
    network.server_options.limits.max_concurrent_streams = 2;
    ClientConnOptions options;
    options.max_connections_per_address = connections;
    options.backoff.jitter = 0;
    options.default_service_config = config;
    connect(options);
  }
  Calls calls(int count, CallOptions options = {}) {
    Calls all;
    for (int i = 0; i < count; ++i) {
      all.push_back(std::make_unique<UnaryRun>(*this, Context{}, std::to_string(i), options));
    }
    settle();
    return all;
  }
  ScriptedServer& server(size_t index) { return *network.servers.at(index); }
  size_t connections() const { return network.servers.size(); }
  void answer_all() {
    for (bool more = true; more;) {
      more = false;
      for (auto& each : network.servers) {
        for (auto& waiting : each->requests) {
          if (waiting->answered || waiting->reset) continue;
          each->answer(*waiting, "reply");
          more = true;
        }
      }
      settle();
    }
  }
};

void expect_all_ok(Calls& calls) {
  for (auto& call : calls) {
    ASSERT_TRUE(call->done());
    EXPECT_TRUE(call->status().is_ok());
  }
}

TEST(ClientScalingTest, with_one_connection_calls_wait) {
  World world(1);
  Calls calls = world.calls(5);
  EXPECT_EQ(world.connections(), 1u);
  EXPECT_EQ(world.server(0).requests.size(), 2u);
  world.answer_all();
  expect_all_ok(calls);
}

TEST(ClientScalingTest, a_full_connection_gets_a_second_one) {
  World world(3);
  Calls calls = world.calls(3);
  ASSERT_EQ(world.connections(), 2u);
  EXPECT_EQ(world.server(0).requests.size(), 2u);
  ASSERT_EQ(world.server(1).requests.size(), 1u);
  EXPECT_EQ(world.server(1).request(0).messages().front(), "2") << "the one that waited";
  EXPECT_EQ(world.conn->state(), ConnectivityState::kReady) << "all the time";
  world.answer_all();
  expect_all_ok(calls);
}

TEST(ClientScalingTest, never_more_than_allowed_and_the_rest_waits_in_order) {
  World world(3);
  Calls calls = world.calls(10);
  EXPECT_EQ(world.connections(), 3u);
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(world.server(i).requests.size(), 2u);
  world.server(1).answer(world.server(1).request(0), "reply");
  world.settle();
  ASSERT_EQ(world.server(1).requests.size(), 3u) << "where there is room";
  EXPECT_EQ(world.server(1).request(2).messages().front(), "6") << "first come, first served";
  world.answer_all();
  expect_all_ok(calls);
  EXPECT_EQ(world.connections(), 3u);
}

TEST(ClientScalingTest, the_oldest_connection_with_room_is_taken) {
  World world(2);
  Calls first = world.calls(3);
  world.answer_all();
  expect_all_ok(first);
  Calls second = world.calls(2);
  EXPECT_EQ(world.server(0).requests.size(), 4u);
  EXPECT_EQ(world.server(1).requests.size(), 1u);
  world.answer_all();
  expect_all_ok(second);
}

TEST(ClientScalingTest, one_attempt_at_a_time) {
  World world(10);
  Calls calls = world.calls(2);
  world.network.mode = Mode::kSilent;
  Calls more = world.calls(20);
  EXPECT_EQ(world.network.dialled.size(), 2u);
  world.answer_all();
  expect_all_ok(more);
}

TEST(ClientScalingTest, an_attempt_that_fails_backs_off_and_hurts_nobody) {
  World world(2);
  Calls calls = world.calls(2);
  world.network.mode = Mode::kRefuse;
  Calls waiting = world.calls(1);
  EXPECT_EQ(world.network.dialled.size(), 2u);
  EXPECT_EQ(world.conn->state(), ConnectivityState::kReady);
  EXPECT_FALSE(waiting[0]->done()) << "it waits, it doesn't fail";
  world.advance(999ms);
  EXPECT_EQ(world.network.dialled.size(), 2u);
  world.network.mode = Mode::kAnswer;
  world.advance(1ms);
  ASSERT_EQ(world.connections(), 2u) << "tried again after the backoff";
  EXPECT_EQ(world.server(1).requests.size(), 1u);
  world.answer_all();
  expect_all_ok(calls);
  expect_all_ok(waiting);
}

TEST(ClientScalingTest, a_lost_connection_leaves_the_others_serving) {
  World world(2);
  Calls calls = world.calls(4);
  ASSERT_EQ(world.connections(), 2u);
  world.server(0).close();
  world.settle();
  EXPECT_EQ(world.conn->state(), ConnectivityState::kReady);
  EXPECT_TRUE(calls[0]->done() && calls[1]->done());
  EXPECT_FALSE(calls[2]->done() || calls[3]->done());
  Calls more = world.calls(1);
  ASSERT_EQ(world.connections(), 3u) << "there is one to spare again";
  world.answer_all();
  expect_all_ok(more);
}

TEST(ClientScalingTest, the_last_connection_lost_while_another_is_made_means_connecting) {
  World world(2);
  Calls calls = world.calls(2);
  world.network.mode = Mode::kMute;
  Calls waiting = world.calls(1, {.wait_for_ready = true});
  world.server(0).close();
  world.settle();
  EXPECT_EQ(world.conn->state(), ConnectivityState::kConnecting);
  EXPECT_FALSE(waiting[0]->done());
  world.network.mode = Mode::kAnswer;
  world.advance(25s);
  EXPECT_EQ(world.conn->state(), ConnectivityState::kReady) << "the next attempt worked";
  world.answer_all();
  expect_all_ok(waiting);
}

TEST(ClientScalingTest, the_last_connection_lost_in_backoff_means_failing) {
  World world(2);
  Calls calls = world.calls(2);
  world.network.mode = Mode::kRefuse;
  Calls waiting = world.calls(1);
  world.server(0).close();
  world.settle();
  EXPECT_EQ(world.conn->state(), ConnectivityState::kTransientFailure);
  ASSERT_TRUE(waiting[0]->done());
  EXPECT_EQ(waiting[0]->status().code(), StatusCode::kUnavailable);
}

TEST(ClientScalingTest, a_service_config_may_allow_more_while_calls_wait) {
  World world(1);
  Calls calls = world.calls(6);
  EXPECT_EQ(world.connections(), 1u);
  ResolverState state;
  state.endpoints.push_back({{*Address::parse("a:1")}});
  state.service_config = ServiceConfig::parse(R"({"connectionScaling": {"maxConnectionsPerSubchannel": 2}})");
  world.resolver.update(std::move(state));
  world.settle();
  EXPECT_EQ(world.connections(), 2u);
  world.answer_all();
  expect_all_ok(calls);
}

TEST(ClientScalingTest, ten_is_the_most) {
  World world(1, R"({"connectionScaling": {"maxConnectionsPerSubchannel": 1000}})");
  Calls calls = world.calls(100);
  EXPECT_EQ(world.connections(), 10u);
  world.answer_all();
  expect_all_ok(calls);
}

TEST(ClientScalingTest, zero_connections_are_an_error) {
  ClientWorld world;
  ClientConnOptions options;
  options.credentials = insecure_credentials();
  options.max_connections_per_address = 0;
  EXPECT_EQ(ClientConn::create(world.loops, "host:1", options).status().code(), StatusCode::kInvalidArgument);
  EXPECT_FALSE(ServiceConfig::parse(R"({"connectionScaling": {"maxConnectionsPerSubchannel": 0}})"));
}

}  // namespace
}  // namespace gaggle
