// SPDX-License-Identifier: Apache-2.0
//
// When a connection counts as made, how a silent one is noticed, and what its end tells the calls.
#include <gtest/gtest.h>

#include <string>

#include "gaggle/rpc/client_stream_testing.h"

namespace gaggle {
namespace {

using namespace std::chrono_literals;
using Mode = ScriptedNetwork::Mode;

bool mentions(const Status& status, std::string_view words) {
  return status.message().find(words) != std::string_view::npos;
}

// --- Ready or not ---

TEST(ClientConnectivityTest, a_connection_is_ready_only_after_the_servers_settings) {
  ClientWorld world;
  world.network.mode = Mode::kMute;
  ClientConn& conn = world.connect();
  UnaryRun patient(world, Context{}, "a", {.wait_for_ready = true});
  UnaryRun hasty(world, Context{}, "b");
  world.advance(5s);
  EXPECT_EQ(conn.state(), ConnectivityState::kConnecting) << "a socket alone is no server";
  EXPECT_FALSE(hasty.done());
  world.advance(15s);
  EXPECT_EQ(conn.state(), ConnectivityState::kTransientFailure) << "min_connect_timeout at the latest";
  ASSERT_TRUE(hasty.done());
  EXPECT_EQ(hasty.status().code(), StatusCode::kUnavailable);
  world.network.mode = Mode::kAnswer;
  world.advance(30s);
  ASSERT_EQ(conn.state(), ConnectivityState::kReady);
  world.server().answer(world.request(), "reply");
  world.settle();
  EXPECT_TRUE(patient.done() && patient.status().is_ok());
}

TEST(ClientConnectivityTest, sockets_without_settings_dont_reset_the_backoff) {
  ClientWorld world;
  world.network.mode = Mode::kMute;
  ClientConnOptions options;
  options.backoff = {.jitter = 0, .min_connect_timeout = 1s};
  ClientConn& conn = world.connect(options);
  conn.connect();
  // Attempts of 1 s, and 1, 1.6, 2.56, 4.096 s between them.
  world.advance(1s + 1s + 1s + 1600ms + 1s + 2560ms - 1ms);
  EXPECT_EQ(world.network.dialled.size(), 3u);
  world.advance(1ms);
  EXPECT_EQ(world.network.dialled.size(), 4u);
  world.advance(1s + 4096ms - 1ms);
  EXPECT_EQ(world.network.dialled.size(), 4u);
  world.advance(1ms);
  EXPECT_EQ(world.network.dialled.size(), 5u);
}

TEST(ClientConnectivityTest, a_ready_connection_resets_the_backoff) {
  ClientWorld world;
  world.network.mode = Mode::kRefuse;
  ClientConnOptions options;
  options.backoff.jitter = 0;
  ClientConn& conn = world.connect(options);
  conn.connect();
  world.advance(3s);
  EXPECT_EQ(world.network.dialled.size(), 3u) << "at 0, 1 and 2.6 s";
  world.network.mode = Mode::kAnswer;
  world.advance(3s);
  ASSERT_EQ(conn.state(), ConnectivityState::kReady);
  world.server().close();
  world.network.mode = Mode::kRefuse;
  world.settle();
  conn.connect();
  world.settle();
  const size_t before = world.network.dialled.size();
  world.advance(999ms);
  EXPECT_EQ(world.network.dialled.size(), before);
  world.advance(1ms);
  EXPECT_EQ(world.network.dialled.size(), before + 1) << "a second again";
}

TEST(ClientConnectivityTest, failing_stays_failing_while_it_connects_again) {  // gRFC A62
  ClientWorld world;
  world.network.mode = Mode::kRefuse;
  ClientConn& conn = world.connect();
  conn.connect();
  world.settle();
  ASSERT_EQ(conn.state(), ConnectivityState::kTransientFailure);
  world.network.mode = Mode::kSilent;
  world.advance(2s);
  EXPECT_EQ(world.network.dialled.size(), 2u);
  EXPECT_EQ(conn.state(), ConnectivityState::kTransientFailure);
  UnaryRun hasty(world, Context{}, "a");
  world.settle();
  ASSERT_TRUE(hasty.done()) << "nobody waits for an attempt that will most likely fail";
  EXPECT_TRUE(mentions(hasty.status(), "connection refused"));
}

TEST(ClientConnectivityTest, a_failed_connection_makes_the_resolver_look_again) {
  ClientWorld world;
  world.network.mode = Mode::kRefuse;
  world.connect().connect();
  world.settle();
  EXPECT_EQ(world.resolver.asked(), 1u);
  world.advance(2s);
  EXPECT_EQ(world.resolver.asked(), 2u) << "with each round of attempts";
}

// --- Goodbyes ---

TEST(ClientConnectivityTest, the_servers_words_are_in_the_status_of_calls_that_it_ends) {
  ClientWorld world;
  world.connect();
  UnaryRun call(world, Context{}, "a");
  world.settle();
  world.server().http2().goaway(http2::ErrorCode::kNoError, "max_age");
  world.server().flush();
  world.settle();
  world.server().close();
  world.settle();
  ASSERT_TRUE(call.done());
  const Status status = call.status();
  EXPECT_EQ(status.code(), StatusCode::kUnavailable);
  EXPECT_TRUE(mentions(status, "max_age")) << status.to_string();
}

TEST(ClientConnectivityTest, shutdown_is_for_good) {
  ClientWorld world;
  ClientConn& conn = world.connect();
  conn.connect();
  world.settle();
  conn.close();
  world.settle();
  conn.connect();
  conn.reset_connect_backoff();
  world.advance(1h);
  EXPECT_EQ(conn.state(), ConnectivityState::kShutdown);
  EXPECT_EQ(world.network.dialled.size(), 1u);
}

// --- Keepalive, gRFC A8 ---

ClientConnOptions with_keepalive(bool without_stream = false) {
  ClientConnOptions options;
  options.keepalive = {.time = 10s, .timeout = 5s, .permit_without_stream = without_stream};
  return options;
}

// How long until a silent server was noticed by a call.
Duration noticed_after(ClientWorld& world) {
  UnaryRun call(world, Context{}, "a", {.wait_for_ready = true});
  world.settle();
  world.server().pipe().hold_writes(true);
  Duration waited{};
  while (!call.done() && waited < 10min) {
    world.advance(1s);
    waited += 1s;
  }
  EXPECT_TRUE(call.done());
  EXPECT_EQ(call.status().code(), StatusCode::kUnavailable);
  return waited;
}

void complain(ClientWorld& world) {
  world.server().http2().goaway(http2::ErrorCode::kEnhanceYourCalm, "too_many_pings");
  world.server().flush();
  world.settle();
}

TEST(ClientKeepaliveTest, a_silent_server_is_noticed_within_time_and_timeout) {
  ClientWorld world;
  world.connect(with_keepalive());
  EXPECT_EQ(noticed_after(world), 15s);
  EXPECT_EQ(world.conn->counters().keepalive_timeouts, 1u);
}

TEST(ClientKeepaliveTest, too_many_pings_doubles_the_time_for_all_later_connections) {
  ClientWorld world;
  ClientConnOptions options = with_keepalive();
  world.connect(options);
  world.conn->connect();
  world.settle();
  complain(world);
  EXPECT_EQ(noticed_after(world), 25s) << "20 s and 5 s";
  EXPECT_EQ(noticed_after(world), 25s) << "and it stays so";
  world.conn->connect();
  world.settle();
  complain(world);
  world.resolve_to({"b:2"});
  world.settle();
  EXPECT_EQ(noticed_after(world), 45s) << "to another address, too";
}

TEST(ClientKeepaliveTest, two_connections_that_complain_of_the_same_count_once) {
  ClientWorld world;
  ClientConnOptions options = with_keepalive();
  options.balancer = "round_robin";
  world.connect(options, {"a:1", "b:2"});
  world.conn->connect();
  world.settle();
  ASSERT_EQ(world.network.servers.size(), 2u);
  for (auto& server : world.network.servers) {
    server->http2().goaway(http2::ErrorCode::kEnhanceYourCalm, "too_many_pings");
    server->flush();
  }
  world.settle();
  world.resolve_to({"c:3"});
  world.settle();
  EXPECT_EQ(noticed_after(world), 25s);
}

TEST(ClientKeepaliveTest, other_goodbyes_change_nothing) {
  ClientWorld world;
  world.connect(with_keepalive());
  world.conn->connect();
  world.settle();
  world.server().http2().goaway(http2::ErrorCode::kEnhanceYourCalm, "calm down");
  world.server().flush();
  world.settle();
  EXPECT_EQ(noticed_after(world), 15s);
}

TEST(ClientKeepaliveTest, without_a_call_it_asks_only_if_permitted) {
  for (const bool permitted : {false, true}) {
    ClientWorld world;
    ClientConn& conn = world.connect(with_keepalive(permitted));
    conn.connect();
    world.settle();
    world.server().pipe().hold_writes(true);
    world.advance(10min);
    EXPECT_EQ(conn.counters().keepalive_timeouts, permitted ? 1u : 0u);
    EXPECT_EQ(conn.state(), permitted ? ConnectivityState::kIdle : ConnectivityState::kReady);
  }
}

TEST(ClientKeepaliveTest, a_connection_that_was_silent_is_asked_soon_when_a_call_comes) {
  ClientWorld world;
  world.connect(with_keepalive());
  world.conn->connect();
  world.advance(10min);
  EXPECT_EQ(noticed_after(world), 5s) << "the silence before the call counts";
}

// A watch of etcd, on which nothing happens for half a day.
TEST(ClientKeepaliveTest, hours_of_silence_on_a_stream_cost_pings_and_nothing_else) {
  StreamWorld world;
  world.connect(with_keepalive());
  world.open(kBidiStream);
  ASSERT_TRUE(*world.send("watch"));
  world.advance(12h);
  const uint64_t pings = world.server().http2().counters().pings_received;
  EXPECT_GE(pings, 12u * 3600 / 16) << "every 10 s, or so";
  EXPECT_LE(pings, 12u * 3600 / 10) << "a server that permits one every 10 s mustn't complain";
  EXPECT_EQ(world.network.dialled.size(), 1u) << "over the same connection";
  world.server().send_headers(world.request());
  world.server().send_message(world.request(), "an event");
  EXPECT_EQ(world.recv(), "an event");
  world.advance(12h);
  world.server().pipe().hold_writes(true);
  world.advance(15s);
  EXPECT_EQ(world.conn->counters().keepalive_timeouts, 1u) << "and it's noticed as soon as ever that nobody is there";
  EXPECT_TRUE(world.recv().starts_with("UNAVAILABLE"));
}

}  // namespace
}  // namespace gaggle
