// SPDX-License-Identifier: Apache-2.0
//
// Retries by a service config's policy: gRFC A6. What counts as a failure, when the next attempt is
// made, and what ends them.
#include <gtest/gtest.h>

#include <string>

#include "gaggle/rpc/client_testing.h"

namespace gaggle {
namespace {

using namespace std::chrono_literals;

// Waits of 100 ms, 200 ms, 400 ms, each ± 20 %; five attempts.
constexpr std::string_view kPolicy =
    R"("retryPolicy": {"maxAttempts": 5, "initialBackoff": "0.1s", "maxBackoff": "10s", "backoffMultiplier": 2,
                       "retryableStatusCodes": ["UNAVAILABLE", "ABORTED"]})";

struct RetryWorld : ClientWorld {
  std::string config;

  explicit RetryWorld(std::string_view more = {}, ClientConnOptions options = {}) {
    config = R"({"methodConfig": [{"name": [{}], )" + std::string(kPolicy) + "}]" + std::string(more) + "}";
    options.default_service_config = config;
    connect(options);
  }
  ClientConnCounters counters() const { return conn->counters(); }
  size_t attempts() { return server().requests.size(); }
  void fail(size_t index, std::string_view status = "14") {
    server().trailers_only(request(index), status);
    settle();
  }
  // A failure with a wish about the next attempt.
  void push_back(size_t index, std::string_view value, std::string_view status = "14") {
    server().send_headers(request(index),
                          {{"grpc-status", status, http2::HeaderName::kGrpcStatus}, {"grpc-retry-pushback-ms", value}},
                          "200", "application/grpc", true);
    settle();
  }
};

// --- What is retried ---

TEST(ClientRetryTest, a_call_that_failed_is_made_again_and_its_answer_is_the_calls) {
  RetryWorld world;
  Metadata header, trailer;
  UnaryRun call(world, Context{}, "ask", {.header = &header, .trailer = &trailer});
  world.settle();
  EXPECT_FALSE(world.request(0).has_header("grpc-previous-rpc-attempts"));
  world.fail(0);
  EXPECT_FALSE(call.done());
  world.advance(120ms);
  ASSERT_EQ(world.attempts(), 2u);
  EXPECT_EQ(world.request(1).header("grpc-previous-rpc-attempts"), "1") << "the server can tell";
  EXPECT_EQ(world.request(1).messages(), std::vector<std::string>{"ask"});
  EXPECT_TRUE(world.request(1).ended);
  world.server().send_headers(world.request(1), {{"x-head", "second"}});
  world.server().send_message(world.request(1), "reply");
  world.server().send_trailers(world.request(1), "0", {{"x-tail", "second"}});
  world.settle();
  ASSERT_TRUE(call.done());
  EXPECT_TRUE(call.status().is_ok());
  EXPECT_EQ(call.response.view(), "reply");
  EXPECT_EQ(header.get("x-head"), "second");
  EXPECT_EQ(trailer.get("x-tail"), "second");
  EXPECT_EQ(world.counters().calls_started, 1u);
  EXPECT_EQ(world.counters().attempts, 2u);
  EXPECT_EQ(world.counters().retries, 1u);
  EXPECT_EQ(world.counters().calls_succeeded, 1u);
}

TEST(ClientRetryTest, waits_grow_and_the_last_failure_is_the_calls) {
  RetryWorld world;
  UnaryRun call(world, Context{}, "ask");
  world.settle();
  Duration wait = 100ms;
  for (size_t attempt = 0; attempt < 4; ++attempt, wait *= 2) {
    world.fail(attempt, "10");
    world.advance(wait * 79 / 100);
    EXPECT_EQ(world.attempts(), attempt + 1) << "not before four fifths of the wait";
    world.advance(wait * 42 / 100);
    ASSERT_EQ(world.attempts(), attempt + 2) << "after six fifths at the latest";
    EXPECT_EQ(world.request(attempt + 1).header("grpc-previous-rpc-attempts"), std::to_string(attempt + 1));
  }
  EXPECT_FALSE(call.done());
  world.server().trailers_only(world.request(4), "14", "the fifth");
  world.settle();
  ASSERT_TRUE(call.done()) << "five attempts are all";
  const Status status = call.status();
  EXPECT_EQ(status.code(), StatusCode::kUnavailable);
  EXPECT_EQ(status.message(), "the fifth");
  world.advance(1min);
  EXPECT_EQ(world.attempts(), 5u);
  EXPECT_EQ(world.counters().retries, 4u);
}

TEST(ClientRetryTest, other_failures_end_the_call) {
  RetryWorld world;
  UnaryRun call(world, Context{}, "ask");
  world.settle();
  world.fail(0, "5");
  ASSERT_TRUE(call.done());
  EXPECT_EQ(call.status().code(), StatusCode::kNotFound);
}

TEST(ClientRetryTest, headers_commit_the_call_to_their_server) {
  RetryWorld world;
  UnaryRun call(world, Context{}, "ask");
  world.settle();
  world.server().send_headers(world.request(0));
  world.server().send_trailers(world.request(0), "14");
  world.settle();
  ASSERT_TRUE(call.done()) << "the caller may have seen the headers: no other answer can follow";
  EXPECT_EQ(call.status().code(), StatusCode::kUnavailable);
  EXPECT_EQ(world.counters().retries, 0u);
}

TEST(ClientRetryTest, a_lost_connection_and_a_reset_are_failures_like_others) {
  RetryWorld world;
  UnaryRun call(world, Context{}, "ask");
  world.settle();
  world.server().close();
  world.settle();
  EXPECT_FALSE(call.done());
  world.advance(120ms);
  ASSERT_EQ(world.network.servers.size(), 2u) << "on another connection";
  EXPECT_EQ(world.request(0).header("grpc-previous-rpc-attempts"), "1");
  world.server().reset(world.request(0), http2::ErrorCode::kInternalError);
  world.settle();
  ASSERT_TRUE(call.done());
  EXPECT_EQ(call.status().code(), StatusCode::kInternal) << "which isn't on the list";
}

TEST(ClientRetryTest, an_answer_of_a_proxy_is_a_failure_like_another) {
  RetryWorld world;
  UnaryRun call(world, Context{}, "ask");
  world.settle();
  world.server().send_headers(world.request(0), {}, "503", "text/html");
  world.server().send_raw(world.request(0), "<h1>busy</h1>", true);
  world.settle();
  EXPECT_FALSE(call.done());
  world.advance(120ms);
  EXPECT_EQ(world.attempts(), 2u);
}

// A6: a pick that fails is handled by the policy.
TEST(ClientRetryTest, having_no_connection_is_a_failure_like_another) {
  RetryWorld world;
  world.network.mode = ScriptedNetwork::Mode::kRefuse;
  UnaryRun call(world, Context{}, "ask");
  world.settle();
  EXPECT_FALSE(call.done());
  world.network.mode = ScriptedNetwork::Mode::kAnswer;
  world.advance(3s);
  ASSERT_EQ(world.network.servers.size(), 1u);
  ASSERT_EQ(world.attempts(), 1u);
  EXPECT_NE(world.request(0).header("grpc-previous-rpc-attempts"), "");
}

TEST(ClientRetryTest, transparent_retries_arent_counted_as_attempts) {
  RetryWorld world;
  UnaryRun call(world, Context{}, "ask");
  world.settle();
  world.server().reset(world.request(0), http2::ErrorCode::kRefusedStream);
  world.settle();
  ASSERT_EQ(world.attempts(), 2u) << "at once";
  EXPECT_FALSE(world.request(1).has_header("grpc-previous-rpc-attempts"));
  EXPECT_EQ(world.counters().attempts, 1u);
  EXPECT_EQ(world.counters().transparent_retries, 1u);
  world.server().reset(world.request(1), http2::ErrorCode::kRefusedStream);
  world.settle();
  EXPECT_EQ(world.attempts(), 2u) << "A6: the second refusal is the policy's";
  world.advance(120ms);
  ASSERT_EQ(world.attempts(), 3u);
  EXPECT_EQ(world.request(2).header("grpc-previous-rpc-attempts"), "1");
}

// --- Time ---

TEST(ClientRetryTest, the_deadline_spans_all_attempts) {
  RetryWorld world;
  UnaryRun call(world, world.in(150ms), "ask");
  world.settle();
  world.fail(0);
  world.advance(120ms);
  ASSERT_EQ(world.attempts(), 2u);
  const std::string left = world.request(1).header("grpc-timeout");
  EXPECT_LT(std::stoll(left), 80'000'000) << left << ": what is left of it";
  world.fail(1);
  world.advance(30ms);
  ASSERT_TRUE(call.done()) << "in the middle of a wait";
  const Status status = call.status();
  EXPECT_EQ(status.code(), StatusCode::kDeadlineExceeded);
  EXPECT_NE(status.message().find("UNAVAILABLE"), std::string_view::npos) << status.to_string();
  world.advance(1min);
  EXPECT_EQ(world.attempts(), 2u);
}

TEST(ClientRetryTest, a_cancelled_call_isnt_made_again) {
  RetryWorld world;
  UnaryRun call(world, Context{}, "ask");
  world.settle();
  world.fail(0);
  call.source.cancel();
  world.settle();
  ASSERT_TRUE(call.done());
  EXPECT_EQ(call.status().code(), StatusCode::kCancelled);
  world.advance(1min);
  EXPECT_EQ(world.attempts(), 1u);
}

TEST(ClientRetryTest, closing_the_connection_ends_a_wait) {
  RetryWorld world;
  UnaryRun call(world, Context{}, "ask");
  world.settle();
  world.fail(0);
  world.conn->close();
  world.settle();
  ASSERT_TRUE(call.done());
  EXPECT_EQ(call.status().code(), StatusCode::kCancelled);
}

// --- Pushback ---

TEST(ClientRetryTest, the_server_says_when) {
  RetryWorld world;
  UnaryRun call(world, Context{}, "ask");
  world.settle();
  world.fail(0);
  world.advance(120ms);
  world.push_back(1, "1000");
  world.advance(999ms);
  EXPECT_EQ(world.attempts(), 2u);
  world.advance(1ms);
  EXPECT_EQ(world.attempts(), 3u) << "exactly, without jitter";
  world.fail(2);
  world.advance(120ms);
  EXPECT_EQ(world.attempts(), 4u) << "A6: the next wait is the initial one again";
}

TEST(ClientRetryTest, the_server_says_at_once) {
  RetryWorld world;
  UnaryRun call(world, Context{}, "ask");
  world.settle();
  world.push_back(0, "0");
  world.advance(0ms);
  EXPECT_EQ(world.attempts(), 2u);
}

TEST(ClientRetryTest, the_server_says_never) {
  for (const std::string_view value : {"-1", "soon", "", "99999999999", "1.5", "10 "}) {
    RetryWorld world;
    UnaryRun call(world, Context{}, "ask");
    world.settle();
    world.push_back(0, value);
    EXPECT_TRUE(call.done()) << value;
  }
}

TEST(ClientRetryTest, pushback_makes_nothing_retryable) {
  RetryWorld world;
  UnaryRun call(world, Context{}, "ask");
  world.settle();
  world.push_back(0, "10", "5");
  ASSERT_TRUE(call.done());
  EXPECT_EQ(call.status().code(), StatusCode::kNotFound);
}

// --- Limits ---

TEST(ClientRetryTest, a_call_may_want_fewer_attempts) {
  RetryWorld world;
  UnaryRun two(world, Context{}, "ask", {.max_attempts = 2});
  UnaryRun one(world, Context{}, "ask", {.max_attempts = 1});
  world.settle();
  world.fail(0);
  world.fail(1);
  EXPECT_FALSE(two.done());
  EXPECT_TRUE(one.done());
  world.advance(120ms);
  ASSERT_EQ(world.attempts(), 3u);
  world.fail(2);
  EXPECT_TRUE(two.done());
}

// A service config, which may come from DNS, gets five at most; the program may allow more.
TEST(ClientRetryTest, only_the_program_allows_more_than_five_attempts) {
  const auto attempts_of = [](CallOptions defaults, CallOptions own) {
    ClientConnOptions options;
    options.call_defaults = defaults;
    options.default_service_config =
        R"({"methodConfig": [{"name": [{}], "retryPolicy": {"maxAttempts": 100, "initialBackoff": "0.1s",
            "maxBackoff": "0.1s", "backoffMultiplier": 1, "retryableStatusCodes": ["UNAVAILABLE"]}}]})";
    ClientWorld world;
    world.connect(options);
    UnaryRun call(world, Context{}, "ask", own);
    world.settle();
    size_t attempts = 0;
    while (!call.done() && attempts < 20) {
      world.server().trailers_only(world.request(attempts++), "14");
      world.advance(120ms);
    }
    const std::string last = world.request(attempts - 1).header("grpc-previous-rpc-attempts");
    EXPECT_EQ(last, attempts == 1 ? "" : std::to_string(attempts - 1));
    return attempts;
  };
  EXPECT_EQ(attempts_of({}, {}), 5u);
  EXPECT_EQ(attempts_of({}, {.max_attempts = 12}), 12u);
  EXPECT_EQ(attempts_of({.max_attempts = 12}, {}), 12u);
  EXPECT_EQ(attempts_of({.max_attempts = 12}, {.max_attempts = 3}), 3u);
}

TEST(ClientRetryTest, a_connection_may_want_no_retries_but_transparent_ones) {
  RetryWorld world({}, {.disable_retry = true});
  UnaryRun call(world, Context{}, "ask");
  world.settle();
  world.server().reset(world.request(0), http2::ErrorCode::kRefusedStream);
  world.settle();
  ASSERT_EQ(world.attempts(), 2u);
  world.fail(1);
  EXPECT_TRUE(call.done());
}

TEST(ClientRetryTest, a_request_larger_than_its_buffer_isnt_retried) {
  RetryWorld world;
  UnaryRun small(world, Context{}, "1234", {.retry_buffer_bytes = 4});
  UnaryRun large(world, Context{}, "12345", {.retry_buffer_bytes = 4});
  world.settle();
  world.fail(0);
  world.fail(1);
  EXPECT_FALSE(small.done());
  EXPECT_TRUE(large.done());
  EXPECT_EQ(world.counters().retry_buffer_full, 1u);
}

// --- Throttling ---

TEST(ClientRetryTest, nothing_is_retried_while_most_calls_fail) {
  RetryWorld world(R"(, "retryThrottling": {"maxTokens": 4, "tokenRatio": 1})");
  UnaryRun first(world, Context{}, "ask");
  UnaryRun second(world, Context{}, "ask");
  world.settle();
  world.fail(0);
  EXPECT_FALSE(first.done()) << "3 of 4 tokens";
  world.fail(1);
  ASSERT_TRUE(second.done()) << "2 of 4 tokens: not more than half";
  EXPECT_EQ(world.counters().retries_throttled, 1u);
  world.advance(120ms);
  world.server().answer(world.request(2), "reply");
  world.settle();
  EXPECT_TRUE(first.done());
  UnaryRun third(world, Context{}, "ask");
  UnaryRun fourth(world, Context{}, "ask", {}, "/other.Service/Unary");
  world.settle();
  world.server().answer(world.request(4), "reply");
  world.settle();
  world.fail(3);
  EXPECT_FALSE(third.done()) << "2 + 1 + 1 - 1 of 4: successes give tokens back";
}

TEST(ClientRetryTest, only_failures_that_could_be_retried_cost_a_token) {
  RetryWorld world(R"(, "retryThrottling": {"maxTokens": 4, "tokenRatio": 1})");
  for (size_t i = 0; i < 5; ++i) {
    UnaryRun call(world, Context{}, "ask");
    world.settle();
    world.fail(i, "5");
  }
  UnaryRun call(world, Context{}, "ask");
  world.settle();
  world.fail(5);
  EXPECT_FALSE(call.done());
}

TEST(ClientRetryTest, a_server_that_wants_no_retries_costs_a_token) {
  RetryWorld world(R"(, "retryThrottling": {"maxTokens": 4, "tokenRatio": 1})");
  UnaryRun pushed(world, Context{}, "ask");
  UnaryRun failed(world, Context{}, "ask");
  world.settle();
  world.push_back(0, "-1", "5");
  world.fail(1);
  EXPECT_TRUE(failed.done()) << "2 of 4 tokens";
}

}  // namespace
}  // namespace gaggle
