// SPDX-License-Identifier: Apache-2.0
//
// Connections that nobody uses: when they go idle, and what brings them back.
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

// A call and its answer.
void call_and_answer(ClientWorld& world) {
  UnaryRun call(world, Context{}, "a");
  world.settle();
  world.server().answer(*world.server().requests.back(), "reply");
  world.settle();
  ASSERT_TRUE(call.done());
  ASSERT_TRUE(call.status().is_ok());
}

TEST(ClientIdleTest, half_an_hour_without_a_call_ends_resolver_and_connections) {
  ClientWorld world;
  ClientConn& conn = world.connect();
  call_and_answer(world);
  world.advance(30min - 1s);
  EXPECT_EQ(conn.state(), ConnectivityState::kReady);
  world.advance(1s);
  EXPECT_EQ(conn.state(), ConnectivityState::kIdle);
  EXPECT_FALSE(world.resolver.in_use());
  EXPECT_TRUE(world.server().goaway_came) << "the server is told";
  EXPECT_TRUE(world.server().closed);
  EXPECT_EQ(conn.counters().idle_entries, 1u);
  call_and_answer(world);
  EXPECT_EQ(world.network.servers.size(), 2u);
  EXPECT_TRUE(world.resolver.in_use());
}

TEST(ClientIdleTest, the_time_counts_from_the_end_of_the_last_call) {
  ClientWorld world;
  ClientConnOptions options;
  options.idle_timeout = 10min;
  ClientConn& conn = world.connect(options);
  for (int i = 0; i < 5; ++i) {
    world.advance(7min);
    call_and_answer(world);
  }
  EXPECT_EQ(world.network.servers.size(), 1u) << "it was never idle for ten minutes";
  world.advance(10min - 1s);
  EXPECT_EQ(conn.state(), ConnectivityState::kReady);
  world.advance(1s);
  EXPECT_EQ(conn.state(), ConnectivityState::kIdle);
}

TEST(ClientIdleTest, an_open_call_keeps_it_however_long_it_is_silent) {
  ClientWorld world;
  ClientConn& conn = world.connect();
  UnaryRun call(world, Context{}, "a");
  world.advance(100h);
  EXPECT_EQ(conn.state(), ConnectivityState::kReady);
  world.server().answer(world.request(), "reply");
  world.settle();
  EXPECT_TRUE(call.done() && call.status().is_ok());
  world.advance(30min);
  EXPECT_EQ(conn.state(), ConnectivityState::kIdle);
}

TEST(ClientIdleTest, zero_and_max_mean_never) {
  for (const Duration never : {Duration::zero(), Duration::max()}) {
    ClientWorld world;
    ClientConnOptions options;
    options.idle_timeout = never;
    ClientConn& conn = world.connect(options);
    call_and_answer(world);
    world.advance(1000h);
    EXPECT_EQ(conn.state(), ConnectivityState::kReady);
  }
}

// Each way out of a call is an end: if one weren't counted, the connection would stay for ever.
TEST(ClientIdleTest, every_end_of_a_call_counts) {
  ClientWorld world;
  ClientConnOptions options;
  options.idle_timeout = 1min;
  ClientConn& conn = world.connect(options);
  const auto idle_after = [&](std::string_view what) {
    world.advance(1min);
    EXPECT_EQ(conn.state(), ConnectivityState::kIdle) << what;
  };
  call_and_answer(world);
  idle_after("an answer");
  {
    UnaryRun call(world, world.in(1s), "a");
    world.advance(1s);
    ASSERT_TRUE(call.done());
  }
  idle_after("a deadline");
  {
    UnaryRun call(world, Context{}, "a");
    world.settle();
    call.source.cancel();
    world.settle();
    ASSERT_TRUE(call.done());
  }
  idle_after("a cancellation");
  {
    UnaryRun call(world, Context{}, "a");
    world.settle();
    world.server().close();
    world.settle();
    ASSERT_TRUE(call.done());
  }
  idle_after("a lost connection");
  {
    UnaryRun call(world, Context{}, std::string(100, 'x'), {.max_send_bytes = 10});
    world.settle();
    ASSERT_TRUE(call.done());
  }
  idle_after("a request that is too large");
  {
    world.network.mode = Mode::kRefuse;
    UnaryRun call(world, Context{}, "a");
    world.settle();
    ASSERT_TRUE(call.done());
    world.network.mode = Mode::kAnswer;
  }
  idle_after("a connection that couldn't be made");
  {
    Task<Result<std::unique_ptr<ClientStream>>> opening =
        conn.new_stream(Context{}, kBidiStream, "/test.Service/Talk", {});
    Running<Result<std::unique_ptr<ClientStream>>> run(world, std::move(opening));
    world.settle();
    Result<std::unique_ptr<ClientStream>> stream = run.take();
    ASSERT_TRUE(stream) << stream.status().to_string();
    world.advance(2min);
    EXPECT_EQ(conn.state(), ConnectivityState::kReady) << "the stream is open";
    const Loop::Enter enter(world.time.loop);
    stream->reset();
  }
  idle_after("a stream that was dropped");
}

TEST(ClientIdleTest, an_error_that_keeps_it_from_leaving_idleness_is_the_calls_error) {
  struct Broken final : ResolverBuilder {
    Status error;
    std::string_view scheme() const noexcept override { return "broken"; }
    Result<std::unique_ptr<Resolver>> build(const Target&, ResolverListener&, const ResolverOptions&) override {
      return error;
    }
  } broken;
  ClientWorld world;
  ClientConnOptions options;
  options.credentials = insecure_credentials();
  options.resolvers = {&broken};
  world.conn = std::move(*ClientConn::create(world.loops, "broken:///x", options));
  broken.error = Status::unavailable("no resolver today");
  UnaryRun patient(world, Context{}, "a", {.wait_for_ready = true});
  world.settle();
  ASSERT_TRUE(patient.done());
  EXPECT_EQ(patient.status().to_string(), "UNAVAILABLE: no resolver today");
  EXPECT_EQ(world.conn->state(), ConnectivityState::kIdle) << "the next call tries again";
  // gRFC A54.
  broken.error = Status::not_found("no such table");
  UnaryRun other(world, Context{}, "a");
  world.settle();
  ASSERT_TRUE(other.done());
  EXPECT_EQ(other.status().code(), StatusCode::kInternal) << "only a server may say NOT_FOUND";
  world.conn.reset();
}

TEST(ClientIdleTest, a_thousand_calls_that_meet_it_idle_leave_it_once) {
  ClientWorld world;
  ClientConn& conn = world.connect();
  call_and_answer(world);
  world.advance(30min);
  ASSERT_EQ(conn.state(), ConnectivityState::kIdle);
  std::vector<std::unique_ptr<UnaryRun>> calls;
  for (int i = 0; i < 1000; ++i) calls.push_back(std::make_unique<UnaryRun>(world, Context{}, "a"));
  for (int round = 0; round < 1000 && world.server().open_requests() + world.server().requests.size() != 0; ++round) {
    world.settle();
    size_t answered = 0;
    for (auto& request : world.server().requests) {
      if (request->answered) continue;
      world.server().answer(*request, "reply");
      ++answered;
    }
    if (answered == 0) break;
  }
  for (auto& call : calls) {
    ASSERT_TRUE(call->done());
    EXPECT_TRUE(call->status().is_ok());
  }
  EXPECT_EQ(conn.counters().idle_exits, 2u) << "the first call's, and one for all thousand";
  EXPECT_EQ(world.network.servers.size(), 2u);
}

TEST(ClientIdleTest, a_call_at_the_very_moment_is_never_lost) {
  for (const Duration when : {30min - 1ns, 30min + 0ns, 30min + 1ns}) {
    ClientWorld world;
    world.connect();
    call_and_answer(world);
    world.advance(when);
    call_and_answer(world);
  }
}

TEST(ClientIdleTest, a_connection_that_fails_goes_idle_too) {
  ClientWorld world;
  world.network.mode = Mode::kRefuse;
  ClientConn& conn = world.connect();
  conn.connect();
  world.advance(30min);
  EXPECT_EQ(conn.state(), ConnectivityState::kIdle);
  const size_t attempts = world.network.dialled.size();
  world.advance(10h);
  EXPECT_EQ(world.network.dialled.size(), attempts) << "nobody wants it";
}

TEST(ClientIdleTest, connect_leaves_it_and_counts_as_use) {
  ClientWorld world;
  ClientConn& conn = world.connect();
  conn.connect();
  world.advance(29min);
  conn.connect();
  world.advance(29min);
  EXPECT_EQ(conn.state(), ConnectivityState::kReady);
  world.advance(1min);
  EXPECT_EQ(conn.state(), ConnectivityState::kIdle);
}

TEST(ClientIdleTest, idleness_can_be_watched) {
  ClientWorld world;
  ClientConn& conn = world.connect();
  call_and_answer(world);
  Running<Result<ConnectivityState>> watch(world, conn.wait_for_state_change(Context{}, ConnectivityState::kReady));
  world.advance(30min);
  ASSERT_TRUE(watch.done());
  EXPECT_EQ(*watch.take(), ConnectivityState::kIdle);
}

}  // namespace
}  // namespace gaggle
