// SPDX-License-Identifier: Apache-2.0
//
// What a service config changes about calls, whichever way it came.
#include <gtest/gtest.h>

#include <string>

#include "gaggle/rpc/client_testing.h"
#include "gaggle/rpc/credentials/credentials.h"

namespace gaggle {
namespace {

using namespace std::chrono_literals;

std::string with_method(std::string_view fields) {
  return R"({"methodConfig": [{"name": [{"service": "test.Service"}], )" + std::string(fields) + "}]}";
}

ResolverState state_with(Result<Ref<const ServiceConfig>> config) {
  ResolverState state;
  state.endpoints.push_back({{*Address::parse("a:1")}});
  state.service_config = std::move(config);
  return state;
}

ResolverState state_with_method(std::string_view fields) {
  return state_with(ServiceConfig::parse(with_method(fields)));
}

// --- Timeouts ---

TEST(ClientConfigTest, a_methods_timeout_is_the_deadline_of_calls_without_one) {
  ClientWorld world;
  const std::string config = with_method(R"("timeout": "0.05s")");
  world.connect({.default_service_config = config});
  UnaryRun call(world, Context{}, "ask");
  world.settle();
  EXPECT_EQ(world.request().header("grpc-timeout"), "50000000n") << "the server hears of it";
  world.advance(49ms);
  EXPECT_FALSE(call.done());
  world.advance(1ms);
  ASSERT_TRUE(call.done());
  EXPECT_EQ(call.status().code(), StatusCode::kDeadlineExceeded);
}

TEST(ClientConfigTest, the_earlier_of_timeout_and_deadline_counts) {
  ClientWorld world;
  const std::string config = with_method(R"("timeout": "0.05s")");
  world.connect({.default_service_config = config});
  UnaryRun sooner(world, world.in(20ms), "ask");
  UnaryRun later(world, world.in(1s), "ask");
  UnaryRun other(world, world.in(1s), "ask", {}, "/other.Service/Unary");
  world.settle();
  EXPECT_EQ(world.request(0).header("grpc-timeout"), "20000000n");
  EXPECT_EQ(world.request(1).header("grpc-timeout"), "50000000n");
  EXPECT_EQ(world.request(2).header("grpc-timeout"), "1000000u") << "the config names another service";
}

TEST(ClientConfigTest, the_timeout_counts_from_the_calls_beginning_not_from_its_connection) {
  ClientWorld world;
  const std::string config = with_method(R"("timeout": "0.05s")");
  ClientConnOptions options{.default_service_config = config};
  world.network.mode = ScriptedNetwork::Mode::kMute;
  world.connect(options);
  UnaryRun call(world, Context{}, "ask", {.wait_for_ready = true});
  world.advance(50ms);
  ASSERT_TRUE(call.done());
  EXPECT_EQ(call.status().code(), StatusCode::kDeadlineExceeded);
}

TEST(ClientConfigTest, a_timeout_that_is_over_when_the_config_comes_ends_the_call_unsent) {
  ClientWorld world;
  ManualResolver late("late");
  const ClientConnOptions options{
      .credentials = insecure_credentials(), .resolvers = {&late}, .dialer = &world.network};
  world.conn = std::move(*ClientConn::create(world.loops, "late:///x", options));
  UnaryRun call(world, Context{}, "ask");
  world.advance(60ms);
  EXPECT_FALSE(call.done()) << "nothing is known of a timeout yet";
  late.update(state_with_method(R"("timeout": "0.05s")"));
  world.settle();
  ASSERT_TRUE(call.done());
  EXPECT_EQ(call.status().code(), StatusCode::kDeadlineExceeded);
}

// --- Readiness and sizes ---

TEST(ClientConfigTest, calls_wait_for_readiness_if_the_config_says_so_and_they_say_nothing) {
  ClientWorld world;
  const std::string config = with_method(R"("waitForReady": true)");
  world.network.mode = ScriptedNetwork::Mode::kRefuse;
  world.connect({.default_service_config = config});
  UnaryRun silent(world, Context{}, "ask");
  UnaryRun hasty(world, Context{}, "ask", {.wait_for_ready = false});
  world.settle();
  EXPECT_FALSE(silent.done());
  ASSERT_TRUE(hasty.done()) << "a call's own choice wins";
  EXPECT_EQ(hasty.status().code(), StatusCode::kUnavailable);
}

TEST(ClientConfigTest, the_smaller_limit_on_requests_counts) {
  ClientWorld world;
  const std::string config = with_method(R"("maxRequestMessageBytes": 4)");
  world.connect({.default_service_config = config});
  UnaryRun fits(world, Context{}, "1234");
  UnaryRun too_large(world, Context{}, "12345");
  UnaryRun own_larger(world, Context{}, "12345", {.max_send_bytes = 100});
  UnaryRun own_smaller(world, Context{}, "1234", {.max_send_bytes = 3});
  world.settle();
  EXPECT_EQ(world.server().requests.size(), 1u);
  EXPECT_FALSE(fits.done());
  EXPECT_EQ(too_large.status().code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(own_larger.status().code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(own_smaller.status().code(), StatusCode::kResourceExhausted);
}

TEST(ClientConfigTest, the_smaller_limit_on_responses_counts) {
  ClientWorld world;
  const std::string config = with_method(R"("maxResponseMessageBytes": 4)");
  world.connect({.default_service_config = config});
  UnaryRun fits(world, Context{}, "a");
  UnaryRun too_large(world, Context{}, "b", {.max_receive_bytes = 100});
  world.settle();
  world.server().answer(world.request(0), "1234");
  world.server().answer(world.request(1), "12345");
  world.settle();
  EXPECT_TRUE(fits.status().is_ok());
  EXPECT_EQ(too_large.status().code(), StatusCode::kResourceExhausted);
}

TEST(ClientConfigTest, streams_go_by_it_too) {
  ClientWorld world;
  const std::string config = with_method(R"("timeout": "0.05s", "maxResponseMessageBytes": 4)");
  ClientConn& conn = world.connect({.default_service_config = config});
  Running<Result<std::unique_ptr<ClientStream>>> opening(
      world, conn.new_stream(Context{}, kBidiStream, "/test.Service/Talk", CallOptions{}));
  world.settle();
  ASSERT_TRUE(opening.done());
  const auto stream = *opening.take();
  EXPECT_EQ(world.request().header("grpc-timeout"), "50000000n");
  world.server().send_headers(world.request());
  world.server().send_message(world.request(), "12345");
  Bytes message;
  Running<Result<bool>> receiving(world, stream->recv(message_of(message)));
  world.settle();
  ASSERT_TRUE(receiving.done());
  EXPECT_EQ(receiving.take().status().code(), StatusCode::kResourceExhausted);
}

// --- Where it comes from ---

TEST(ClientConfigTest, a_default_config_that_is_none_is_refused_at_once) {
  ClientWorld world;
  world.connect();
  const ClientConnOptions options{.credentials = insecure_credentials(),
                                  .default_service_config = "{\"methodConfig\": 1}",
                                  .resolvers = {&world.resolver}};
  const auto conn = ClientConn::create(world.loops, "manual:///x", options);
  ASSERT_FALSE(conn);
  EXPECT_EQ(conn.error().code(), StatusCode::kInvalidArgument);
  EXPECT_NE(conn.error().message().find("default service config, methodConfig: must be a list"), std::string_view::npos)
      << conn.error().to_string();
}

TEST(ClientConfigTest, the_resolvers_config_wins_and_changes_for_the_next_call) {
  ClientWorld world;
  const std::string config = with_method(R"("timeout": "9s")");
  world.connect({.default_service_config = config});
  world.resolver.update(state_with_method(R"("timeout": "1s")"));
  world.settle();
  UnaryRun first(world, Context{}, "ask");
  world.settle();
  EXPECT_EQ(world.request(0).header("grpc-timeout"), "1000000u");
  world.resolver.update(state_with_method(R"("timeout": "2s")"));
  world.settle();
  UnaryRun second(world, Context{}, "ask");
  world.settle();
  EXPECT_EQ(world.request(1).header("grpc-timeout"), "2000000u");
  world.advance(1s);
  EXPECT_TRUE(first.done()) << "a call keeps what it began with";
  EXPECT_FALSE(second.done());
}

TEST(ClientConfigTest, a_connection_may_ignore_what_resolvers_say) {
  ClientWorld world;
  world.connect({.disable_service_config = true});
  world.resolver.update(state_with_method(R"("timeout": "1s")"));
  world.settle();
  UnaryRun call(world, Context{}, "ask");
  world.settle();
  EXPECT_FALSE(world.request().has_header("grpc-timeout"));
}

// gRFC A21.
TEST(ClientConfigTest, a_bad_config_of_the_resolvers_fails_calls_until_a_good_one_comes) {
  ClientWorld world;
  world.connect();
  world.resolver.update(state_with(Status::invalid_argument("timeout: must be a duration")));
  UnaryRun call(world, Context{}, "ask");
  world.settle();
  ASSERT_TRUE(call.done());
  const Status status = call.status();
  EXPECT_EQ(status.code(), StatusCode::kUnavailable);
  EXPECT_NE(status.message().find("timeout: must be a duration"), std::string_view::npos) << status.to_string();
  UnaryRun waits(world, Context{}, "ask", {.wait_for_ready = true});
  world.settle();
  EXPECT_FALSE(waits.done());
  world.resolver.update(state_with_method(R"("timeout": "1s")"));
  world.settle();
  ASSERT_EQ(world.server().requests.size(), 1u);
  EXPECT_EQ(world.request().header("grpc-timeout"), "1000000u");
}

TEST(ClientConfigTest, a_bad_config_later_changes_nothing) {
  ClientWorld world;
  world.connect();
  world.resolver.update(state_with_method(R"("timeout": "1s")"));
  UnaryRun first(world, Context{}, "ask");
  world.settle();
  world.resolver.update(state_with(Status::invalid_argument("no good")));
  world.settle();
  UnaryRun second(world, Context{}, "ask");
  world.settle();
  EXPECT_EQ(world.request(1).header("grpc-timeout"), "1000000u");
}

}  // namespace
}  // namespace gaggle
