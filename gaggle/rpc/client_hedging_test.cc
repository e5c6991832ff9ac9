// SPDX-License-Identifier: Apache-2.0
//
// Hedging by a service config's policy: several attempts at once, the first answer wins. gRFC A6.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "gaggle/rpc/client_stream_testing.h"

namespace gaggle {
namespace {

using namespace std::chrono_literals;
using Messages = std::vector<std::string>;

struct HedgingWorld : StreamWorld {
  std::string config;

  explicit HedgingWorld(
      std::string_view policy = R"("maxAttempts": 3, "hedgingDelay": "0.1s", "nonFatalStatusCodes": ["UNAVAILABLE"])",
      std::string_view more = {}) {
    config = R"({"methodConfig": [{"name": [{}], "hedgingPolicy": {)" + std::string(policy) + "}}]" +
             std::string(more) + "}";
    connect({.default_service_config = config});
  }
  size_t attempts() { return server().requests.size(); }
  void fail(size_t index, std::string_view status = "14") {
    server().trailers_only(request(index), status, "attempt " + std::to_string(index));
    settle();
    advance(0ms);
  }
  void push_back(size_t index, std::string_view value) {
    server().send_headers(request(index),
                          {{"grpc-status", "14", http2::HeaderName::kGrpcStatus}, {"grpc-retry-pushback-ms", value}},
                          "200", "application/grpc", true);
    settle();
    advance(0ms);
  }
};

TEST(ClientHedgingTest, while_there_is_no_answer_one_more_attempt_each_delay) {
  HedgingWorld world;
  UnaryRun call(world, Context{}, "ask");
  world.settle();
  EXPECT_EQ(world.attempts(), 1u);
  world.advance(99ms);
  EXPECT_EQ(world.attempts(), 1u);
  world.advance(1ms);
  ASSERT_EQ(world.attempts(), 2u);
  world.advance(100ms);
  ASSERT_EQ(world.attempts(), 3u);
  world.advance(10s);
  EXPECT_EQ(world.attempts(), 3u) << "as many as the policy allows";
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(world.request(i).messages(), Messages{"ask"}) << i;
    EXPECT_TRUE(world.request(i).ended) << i;
    EXPECT_EQ(world.request(i).header("grpc-previous-rpc-attempts"), i == 0 ? "" : std::to_string(i));
  }
  EXPECT_EQ(world.conn->counters().hedges, 2u);
  EXPECT_EQ(world.conn->counters().attempts, 3u);
  EXPECT_EQ(world.conn->counters().calls_started, 1u);
}

TEST(ClientHedgingTest, the_first_answer_wins_and_the_others_are_cancelled) {
  HedgingWorld world;
  Metadata header;
  UnaryRun call(world, Context{}, "ask", {.header = &header});
  world.advance(200ms);
  ASSERT_EQ(world.attempts(), 3u);
  world.server().send_headers(world.request(1), {{"x-attempt", "1"}});
  world.settle();
  EXPECT_EQ(world.request(0).reset, http2::ErrorCode::kCancel) << "as soon as one has answered";
  EXPECT_EQ(world.request(2).reset, http2::ErrorCode::kCancel);
  EXPECT_FALSE(call.done());
  world.server().send_message(world.request(1), "reply");
  world.server().send_trailers(world.request(1), "0");
  world.settle();
  ASSERT_TRUE(call.done());
  EXPECT_TRUE(call.status().is_ok());
  EXPECT_EQ(call.response.view(), "reply");
  EXPECT_EQ(header.get("x-attempt"), "1");
  EXPECT_EQ(world.conn->counters().calls_succeeded, 1u);
}

TEST(ClientHedgingTest, an_answer_in_time_needs_no_hedge) {
  HedgingWorld world;
  UnaryRun call(world, Context{}, "ask");
  world.settle();
  world.server().answer(world.request(0), "reply");
  world.settle();
  EXPECT_TRUE(call.done());
  world.advance(10s);
  EXPECT_EQ(world.attempts(), 1u);
}

TEST(ClientHedgingTest, without_a_delay_all_go_out_at_once) {
  HedgingWorld world(R"("maxAttempts": 4)");
  UnaryRun call(world, Context{}, "ask");
  world.advance(0ms);
  EXPECT_EQ(world.attempts(), 4u);
}

TEST(ClientHedgingTest, a_failure_that_isnt_fatal_brings_the_next_one_at_once) {
  HedgingWorld world;
  UnaryRun call(world, Context{}, "ask");
  world.advance(50ms);
  world.fail(0);
  EXPECT_EQ(world.attempts(), 2u);
  world.advance(99ms);
  EXPECT_EQ(world.attempts(), 2u) << "the one after that keeps its delay";
  world.advance(1ms);
  EXPECT_EQ(world.attempts(), 3u);
}

TEST(ClientHedgingTest, any_other_failure_ends_the_call) {
  HedgingWorld world;
  UnaryRun call(world, Context{}, "ask");
  world.advance(100ms);
  ASSERT_EQ(world.attempts(), 2u);
  world.fail(1, "7");
  ASSERT_TRUE(call.done());
  EXPECT_EQ(call.status().code(), StatusCode::kPermissionDenied);
  EXPECT_EQ(world.request(0).reset, http2::ErrorCode::kCancel);
}

TEST(ClientHedgingTest, when_all_have_failed_the_last_failure_is_the_calls) {
  HedgingWorld world;
  UnaryRun call(world, Context{}, "ask");
  world.settle();
  world.fail(0);
  world.fail(1);
  EXPECT_FALSE(call.done());
  world.fail(2);
  ASSERT_TRUE(call.done());
  const Status status = call.status();
  EXPECT_EQ(status.code(), StatusCode::kUnavailable);
  EXPECT_EQ(status.message(), "attempt 2");
  world.advance(10s);
  EXPECT_EQ(world.attempts(), 3u) << "A6: there is nothing after hedging";
}

TEST(ClientHedgingTest, while_others_are_on_their_way_a_failure_is_no_end) {
  HedgingWorld world;
  UnaryRun call(world, Context{}, "ask");
  world.advance(200ms);
  ASSERT_EQ(world.attempts(), 3u);
  world.fail(2);
  world.fail(0);
  EXPECT_FALSE(call.done());
  world.server().answer(world.request(1), "reply");
  world.settle();
  ASSERT_TRUE(call.done());
  EXPECT_TRUE(call.status().is_ok());
}

// --- Pushback and throttling ---

TEST(ClientHedgingTest, a_server_that_wants_no_more_gets_no_more) {
  HedgingWorld world;
  UnaryRun call(world, Context{}, "ask");
  world.advance(100ms);
  ASSERT_EQ(world.attempts(), 2u);
  world.push_back(0, "-1");
  world.advance(10s);
  EXPECT_EQ(world.attempts(), 2u);
  EXPECT_FALSE(call.done()) << "the other attempt may succeed still";
  world.server().answer(world.request(1), "reply");
  world.settle();
  EXPECT_TRUE(call.status().is_ok());
}

TEST(ClientHedgingTest, the_server_says_when) {
  HedgingWorld world;
  UnaryRun call(world, Context{}, "ask");
  world.settle();
  world.push_back(0, "500");
  world.advance(499ms);
  EXPECT_EQ(world.attempts(), 1u);
  world.advance(1ms);
  EXPECT_EQ(world.attempts(), 2u);
  world.advance(100ms);
  EXPECT_EQ(world.attempts(), 3u) << "then by the delay again";
}

TEST(ClientHedgingTest, nothing_is_hedged_while_most_calls_fail) {
  HedgingWorld world(R"("maxAttempts": 3, "hedgingDelay": "0.1s", "nonFatalStatusCodes": ["UNAVAILABLE"])",
                     R"(, "retryThrottling": {"maxTokens": 2, "tokenRatio": 1})");
  UnaryRun first(world, Context{}, "ask");
  UnaryRun second(world, Context{}, "ask");
  world.settle();
  world.fail(0);
  ASSERT_TRUE(first.done()) << "1 of 2 tokens: not more than half";
  world.advance(10s);
  EXPECT_EQ(world.attempts(), 2u);
  EXPECT_FALSE(second.done()) << "its first attempt goes on";
  EXPECT_EQ(world.conn->counters().retries_throttled, 2u);
}

// --- Limits ---

TEST(ClientHedgingTest, the_deadline_ends_all_attempts) {
  HedgingWorld world;
  UnaryRun call(world, world.in(150ms), "ask");
  world.advance(150ms);
  ASSERT_TRUE(call.done());
  EXPECT_EQ(call.status().code(), StatusCode::kDeadlineExceeded);
  ASSERT_EQ(world.attempts(), 2u);
  EXPECT_EQ(world.request(0).reset, http2::ErrorCode::kCancel);
  EXPECT_EQ(world.request(1).reset, http2::ErrorCode::kCancel);
}

TEST(ClientHedgingTest, a_cancelled_call_ends_all_attempts) {
  HedgingWorld world;
  UnaryRun call(world, Context{}, "ask");
  world.advance(100ms);
  call.source.cancel();
  world.settle();
  ASSERT_TRUE(call.done());
  EXPECT_EQ(call.status().code(), StatusCode::kCancelled);
  EXPECT_EQ(world.request(0).reset, http2::ErrorCode::kCancel);
  EXPECT_EQ(world.request(1).reset, http2::ErrorCode::kCancel);
  world.advance(10s);
  EXPECT_EQ(world.attempts(), 2u);
}

TEST(ClientHedgingTest, a_call_may_want_fewer_attempts_and_its_request_may_be_too_large) {
  HedgingWorld world;
  UnaryRun once(world, Context{}, "ask", {.max_attempts = 1});
  UnaryRun large(world, Context{}, "12345", {.retry_buffer_bytes = 4});
  world.advance(10s);
  EXPECT_EQ(world.attempts(), 2u);
  UnaryRun twice(world, Context{}, "ask", {.max_attempts = 2});
  world.advance(10s);
  EXPECT_EQ(world.attempts(), 4u);
}

TEST(ClientHedgingTest, a_call_that_waits_for_its_connection_isnt_hedged) {
  HedgingWorld world;
  world.network.mode = ScriptedNetwork::Mode::kMute;
  UnaryRun call(world, Context{}, "ask");
  world.advance(1s);
  EXPECT_EQ(world.conn->counters().attempts, 1u) << "another attempt would wait for the same";
}

TEST(ClientHedgingTest, an_attempt_whose_connection_is_lost_has_failed) {
  HedgingWorld world;
  UnaryRun call(world, Context{}, "ask");
  world.advance(100ms);
  ASSERT_EQ(world.attempts(), 2u);
  world.server().close();
  world.advance(0ms);
  ASSERT_EQ(world.network.servers.size(), 2u) << "the third attempt connects again";
  ASSERT_EQ(world.server().requests.size(), 1u);
  EXPECT_EQ(world.request(0).header("grpc-previous-rpc-attempts"), "2");
  world.server().answer(world.request(0), "reply");
  world.settle();
  ASSERT_TRUE(call.done());
  EXPECT_TRUE(call.status().is_ok());
}

TEST(ClientHedgingTest, a_pooled_call_begins_anew) {
  HedgingWorld world;
  for (size_t round = 0; round < 3; ++round) {
    UnaryRun call(world, Context{}, "ask");
    world.advance(100ms);
    ASSERT_EQ(world.attempts(), 2 * round + 2);
    EXPECT_FALSE(world.request(2 * round).has_header("grpc-previous-rpc-attempts"));
    EXPECT_EQ(world.request(2 * round + 1).header("grpc-previous-rpc-attempts"), "1");
    world.server().answer(world.request(2 * round + 1), "reply");
    world.settle();
    ASSERT_TRUE(call.done());
    EXPECT_TRUE(call.status().is_ok());
  }
}

// --- Streams ---

TEST(ClientHedgingTest, messages_of_a_stream_go_to_all_attempts) {
  HedgingWorld world;
  world.open(kBidiStream);
  EXPECT_TRUE(*world.send("a"));
  world.advance(100ms);
  ASSERT_EQ(world.attempts(), 2u);
  EXPECT_TRUE(*world.send("b"));
  EXPECT_TRUE(world.now(world.stream->close_send()).is_ok());
  world.settle();
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(world.request(i).messages(), (Messages{"a", "b"})) << i;
    EXPECT_TRUE(world.request(i).ended) << i;
  }
  world.server().answer(world.request(0), "reply");
  EXPECT_EQ(world.recv(), "reply");
  EXPECT_EQ(world.recv(), "(end)");
  EXPECT_EQ(world.request(1).reset, http2::ErrorCode::kCancel);
}

TEST(ClientHedgingTest, a_stream_that_sends_too_much_goes_on_with_one_attempt) {
  HedgingWorld world;
  world.open(kBidiStream, {}, {.retry_buffer_bytes = 10});
  EXPECT_TRUE(*world.send("a"));
  world.advance(100ms);
  ASSERT_EQ(world.attempts(), 2u);
  EXPECT_TRUE(*world.send("0123456789"));
  world.advance(10s);
  EXPECT_EQ(world.attempts(), 2u);
  const size_t left = world.request(0).reset ? 1 : 0;
  EXPECT_EQ(world.request(1 - left).reset, http2::ErrorCode::kCancel);
  EXPECT_EQ(world.request(left).messages(), (Messages{"a", "0123456789"}));
  EXPECT_TRUE(*world.send("b"));
  world.server().answer(world.request(left), "reply");
  EXPECT_EQ(world.recv(), "reply");
  EXPECT_EQ(world.request(left).messages().size(), 3u);
}

}  // namespace
}  // namespace gaggle
