// SPDX-License-Identifier: Apache-2.0
//
// How long a connection may live: keepalive and its enforcement, idleness, age. gRFC A8, A9. All on
// virtual time.
#include <gtest/gtest.h>

#include "gaggle/rpc/server_testing.h"

namespace gaggle {
namespace {

using namespace std::chrono_literals;
using http2::ErrorCode;
using Texts = std::vector<std::string>;

// --- Keepalive ---

TEST(ServerKeepalive, by_default_a_client_silent_for_two_hours_is_asked_and_has_twenty_seconds) {
  ServerWorld world;
  world.server_pipes[0]->hold_writes(true);  // the client never hears the question
  world.world.advance(2h + 19s);
  EXPECT_EQ(world.server->counters().connections_now, 1u);
  world.world.advance(2s);
  EXPECT_EQ(world.server->counters().connections_now, 0u);
  EXPECT_EQ(world.server->counters().keepalive_timeouts, 1u);
}

TEST(ServerKeepalive, a_client_that_answers_stays) {
  ServerWorld world({.keepalive = {.time = 10s, .timeout = 5s}});
  world.world.advance(10min);
  EXPECT_FALSE(world.client().closed);
  EXPECT_GE(world.client().http2().counters().pings_received, 50u) << "it is asked every ten seconds";
}

TEST(ServerKeepalive, the_calls_of_a_client_that_is_gone_are_cancelled) {
  ServerWorld world({.keepalive = {.time = 10s, .timeout = 5s}});
  world.service.unary = TestService::wait_for_the_end;
  world.client().call("Unary", "x");
  world.settle();
  world.server_pipes[0]->hold_writes(true);
  world.world.advance(16s);
  ASSERT_EQ(world.service.ended.size(), 1u) << "time + timeout after its last sign of life";
  EXPECT_EQ(world.service.ended[0].code(), StatusCode::kCancelled);
}

// --- Enforcement ---

void ping(ServerWorld& world) {
  if (world.client().closed) return;
  const Loop::Enter enter(world.world.loop);
  world.client().http2().ping(7);
  world.client().flush();
  world.settle();
}

// How many PINGs, one each `every`, it takes to be thrown out; 100: more than it makes.
int pings_until_closed(ServerWorld& world, Duration every) {
  for (int i = 1; i <= 100; ++i) {
    ping(world);
    if (!world.client().goaways.empty()) return i;
    world.world.advance(every);
  }
  return 100;
}

TEST(ServerEnforcement, the_third_strike_ends_the_connection_and_says_why) {
  ServerWorld world({.keepalive_enforcement = {.permit_without_stream = true}});
  world.connect();
  EXPECT_EQ(pings_until_closed(world, 4min), 4) << "the first is free, two strikes are forgiven";
  EXPECT_EQ(world.client().goaway_codes, (std::vector{ErrorCode::kEnhanceYourCalm}));
  EXPECT_EQ(world.client().goaway_texts, Texts{"too_many_pings"});
  EXPECT_EQ(world.server->counters().too_many_pings, 1u);
  EXPECT_TRUE(world.clients[1]->goaways.empty()) << "others aren't to blame";
}

TEST(ServerEnforcement, five_minutes_are_polite) {
  ServerWorld world({.keepalive_enforcement = {.permit_without_stream = true}});
  EXPECT_EQ(pings_until_closed(world, 5min), 100);
}

TEST(ServerEnforcement, the_interval_is_an_option) {
  ServerWorld world({.keepalive_enforcement = {.min_time = 10s, .permit_without_stream = true}});
  EXPECT_EQ(pings_until_closed(world, 10s), 100);
  EXPECT_EQ(pings_until_closed(world, 9s), 4) << "the first of these still comes ten seconds after the last of those";
}

TEST(ServerEnforcement, without_calls_and_without_permission_only_every_two_hours) {
  ServerWorld often, seldom;
  EXPECT_EQ(pings_until_closed(often, 1h), 4);
  EXPECT_EQ(pings_until_closed(seldom, 2h), 100);
}

TEST(ServerEnforcement, with_a_call_five_minutes_need_no_permission) {
  ServerWorld world;
  world.service.unary = TestService::wait_for_gate;
  world.client().call("Unary", "x");
  EXPECT_EQ(pings_until_closed(world, 5min), 100);
}

TEST(ServerEnforcement, whatever_the_server_sends_clears_the_strikes) {
  // Clients measure the bandwidth with a PING for each answer.
  ServerWorld world;
  ClientCall& call = world.client().start(FrameClient::request("Chat"));
  for (int i = 0; i < 200; ++i) {
    world.client().send(call, FrameClient::message("x"));
    world.settle();
    ping(world);
    ping(world);
    ping(world);
  }
  EXPECT_FALSE(world.client().closed) << "one free and two strikes between any two messages";
  for (int i = 0; i < 100; ++i) {
    world.finish(world.client().call("Unary", "x"));
    ping(world);
  }
  EXPECT_FALSE(world.client().closed) << "headers and trailers count, too";
}

TEST(ServerEnforcement, running_calls_end_with_the_connection) {
  ServerWorld world;
  world.service.unary = TestService::wait_for_the_end;
  ClientCall& call = world.client().call("Unary", "x");
  world.settle();
  EXPECT_EQ(pings_until_closed(world, 1s), 4);
  world.world.advance(2s);
  EXPECT_TRUE(call.over());
  EXPECT_EQ(world.service.ended.size(), 1u);
  EXPECT_TRUE(world.client().closed);
}

// --- Idleness ---

TEST(ServerIdle, a_connection_without_calls_is_ended_gracefully) {
  ServerWorld world({.max_connection_idle = 10min});
  world.world.advance(9min);
  EXPECT_TRUE(world.client().goaways.empty());
  world.world.advance(61s);
  ASSERT_FALSE(world.client().goaways.empty());
  EXPECT_EQ(world.client().goaway_texts.front(), "max_idle");
  EXPECT_EQ(world.client().goaway_codes.front(), ErrorCode::kNoError);
  world.world.advance(2s);
  EXPECT_TRUE(world.client().closed);
  EXPECT_EQ(world.server->counters().max_idle_ends, 1u);
}

TEST(ServerIdle, calls_keep_it_also_short_ones) {
  ServerWorld world({.max_connection_idle = 10min});
  for (int i = 0; i < 20; ++i) {
    world.world.advance(9min);
    EXPECT_EQ(world.finish(world.client().call("Unary", "x")).grpc_status(), "0");
  }
  world.world.advance(10min + 2s);
  EXPECT_FALSE(world.client().goaways.empty()) << "it counts from the end of the last one";
}

TEST(ServerIdle, a_long_call_is_no_idleness_even_when_only_its_handler_still_runs) {
  ServerWorld world({.max_connection_idle = 1min});
  world.service.unary = TestService::wait_for_gate;
  ClientCall& call = world.client().call("Unary", "x");
  world.world.advance(30min);
  EXPECT_TRUE(world.client().goaways.empty());
  world.client().reset(call);
  world.world.advance(30min);
  EXPECT_TRUE(world.client().goaways.empty()) << "the handler doesn't care that its client has gone";
  world.gate.set();
  world.world.advance(62s);
  EXPECT_FALSE(world.client().goaways.empty());
}

TEST(ServerIdle, a_call_that_crosses_the_goaway_is_served) {
  ServerWorld world({.max_connection_idle = 10min}, {.delay = 50ms}, {.delay = 50ms});
  world.world.advance(10min - 20ms);
  ClientCall& call = world.client().call("Unary", "x");
  world.finish(call);
  EXPECT_EQ(call.grpc_status(), "0");
}

// --- Age ---

TEST(ServerAge, each_connection_ends_within_a_tenth_around_it_and_not_all_at_once) {
  ServerWorld world({.max_connection_age = 100s, .random_seed = 1});
  for (int i = 0; i < 19; ++i) world.connect();
  const auto told = [&] {
    return std::ranges::count_if(world.clients, [](const auto& client) { return !client->goaways.empty(); });
  };
  world.world.advance(89s);
  EXPECT_EQ(told(), 0);
  world.world.advance(11s);
  EXPECT_GT(told(), 3);
  EXPECT_LT(told(), 17);
  world.world.advance(11s);
  EXPECT_EQ(told(), 20);
  EXPECT_EQ(world.client().goaway_texts.front(), "max_age");
  EXPECT_EQ(world.server->counters().max_age_ends, 20u);
}

TEST(ServerAge, running_calls_finish_when_no_grace_was_set) {
  ServerWorld world({.max_connection_age = 100s});
  world.service.unary = TestService::wait_for_gate;
  ClientCall& call = world.client().call("Unary", "x");
  world.world.advance(1h);
  EXPECT_EQ(world.client().goaways.size(), 2u);
  EXPECT_FALSE(call.over());
  world.gate.set();
  EXPECT_EQ(world.finish(call).grpc_status(), "0");
  world.world.advance(2s);
  EXPECT_TRUE(world.client().closed);
  EXPECT_EQ(world.server->counters().max_age_cuts, 0u);
}

TEST(ServerAge, what_still_runs_after_the_grace_is_cut_off) {
  ServerWorld world({.max_connection_age = 100s, .max_connection_age_grace = 30s});
  world.service.unary = TestService::wait_for_the_end;
  ClientCall& call = world.client().call("Unary", "x");
  ASSERT_TRUE(world.world.run_until([&] { return world.client().goaways.size() == 2; }));
  EXPECT_EQ(world.client().goaway_texts, (Texts{"max_age", "max_age"})) << "two steps, each with the reason";
  world.world.advance(29s);
  EXPECT_FALSE(call.over());
  world.world.advance(2s);
  EXPECT_TRUE(call.over());
  EXPECT_EQ(world.service.ended.size(), 1u) << "the handler hears of it";
  EXPECT_EQ(world.server->counters().max_age_cuts, 1u);
  EXPECT_EQ(world.server->counters().connections_now, 0u);
}

TEST(ServerAge, the_grace_counts_from_the_second_goaway) {
  ServerWorld world({.max_connection_age = 100s, .max_connection_age_grace = 30s});
  world.service.unary = TestService::wait_for_the_end;
  world.client().call("Unary", "x");
  world.settle();
  world.server_pipes[0]->hold_writes(true);  // the PING between the two isn't answered: five seconds more
  world.world.advance(89s + 30s + 4s);
  EXPECT_EQ(world.server->counters().connections_now, 1u);
  world.world.advance(21s + 2s);
  EXPECT_EQ(world.server->counters().connections_now, 0u);
}

// --- The beginning ---

TEST(ServerConnectionTimeout, a_client_that_says_nothing_is_closed) {  // [4]
  for (const Duration timeout : {Duration(10s), Duration(3s)}) {
    ServerWorld world(timeout == 10s ? ServerOptions{} : ServerOptions{.connection_timeout = timeout});
    StreamPair pair = make_stream_pair(world.world.loop);
    {
      const Loop::Enter enter(world.world.loop);
      ASSERT_TRUE(world.server->serve(std::move(pair.server)).is_ok());
    }
    world.world.advance(timeout - 1s);
    EXPECT_EQ(world.server->counters().connections_now, 2u);
    world.world.advance(3s);
    EXPECT_EQ(world.server->counters().connections_now, 1u) << "the other one has said hello";
  }
}

TEST(ServerLifetimeOptions, out_of_range_are_refused) {
  LoopGroup loops(1);
  const ServerOptions bad[] = {{.connection_timeout = 0s},     {.keepalive = {.time = 999ms}},
                               {.keepalive = {.timeout = 0s}}, {.max_connection_idle = 0s},
                               {.max_connection_age = -1s},    {.max_connection_age_grace = -1s}};
  for (const ServerOptions& options : bad) {
    EXPECT_EQ(Server::create(loops, options).status().code(), StatusCode::kInvalidArgument);
  }
}

}  // namespace
}  // namespace gaggle
