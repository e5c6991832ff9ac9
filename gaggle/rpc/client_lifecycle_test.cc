// SPDX-License-Identifier: Apache-2.0
//
// Connections that come and go under a ClientConn: waiting, failing, backing off, retrying, ending.
#include <gtest/gtest.h>

#include "gaggle/rpc/client_testing.h"

namespace gaggle {
namespace {

using namespace std::chrono_literals;
using Mode = ScriptedNetwork::Mode;

std::string text(const Status& status) { return status.to_string(); }
bool mentions(const Status& status, std::string_view words) {
  return status.message().find(words) != std::string_view::npos;
}

// --- Before there is a connection ---

TEST(ClientLifecycleTest, connect_leaves_idleness_without_a_call) {
  ClientWorld world;
  ClientConn& conn = world.connect();
  conn.connect();
  world.settle();
  EXPECT_EQ(conn.state(), ConnectivityState::kReady);
}

TEST(ClientLifecycleTest, calls_wait_until_the_resolver_has_reported_once) {
  ClientWorld world;
  ManualResolver late("late");
  ClientConnOptions options{.credentials = insecure_credentials()};
  options.resolvers = {&late};
  options.dialer = &world.network;
  world.conn = std::move(*ClientConn::create(world.loops, "late:///x", options));
  UnaryRun patient(world, Context{}, "a");
  UnaryRun hasty(world, world.in(1s), "b");
  world.advance(2s);
  EXPECT_FALSE(patient.done());
  ASSERT_TRUE(hasty.done());
  EXPECT_EQ(hasty.status().code(), StatusCode::kDeadlineExceeded) << "but never past its deadline";
  late.update({{{{*Address::parse("a:1")}}}});
  world.settle();
  world.server().answer(world.request(), "reply");
  world.settle();
  ASSERT_TRUE(patient.done());
  EXPECT_TRUE(patient.status().is_ok());
  world.conn.reset();
}

TEST(ClientLifecycleTest, a_resolver_error_fails_the_hasty_and_keeps_the_patient) {  // [175]
  ClientWorld world;
  ManualResolver late("late");
  ClientConnOptions options{.credentials = insecure_credentials()};
  options.resolvers = {&late};
  options.dialer = &world.network;
  world.conn = std::move(*ClientConn::create(world.loops, "late:///x", options));
  UnaryRun hasty(world, Context{}, "a");
  UnaryRun patient(world, Context{}, "b", {.wait_for_ready = true});
  late.fail(Status::unavailable("no such host"));
  world.settle();
  ASSERT_TRUE(hasty.done());
  const Status status = hasty.status();
  EXPECT_EQ(status.code(), StatusCode::kUnavailable);
  EXPECT_TRUE(mentions(status, "no such host")) << text(status);
  EXPECT_FALSE(patient.done());
  EXPECT_EQ(world.conn->state(), ConnectivityState::kTransientFailure);
  late.update({{{{*Address::parse("a:1")}}}});
  world.settle();
  world.server().answer(world.request(), "reply");
  world.settle();
  ASSERT_TRUE(patient.done());
  EXPECT_TRUE(patient.status().is_ok());
  world.conn.reset();
}

TEST(ClientLifecycleTest, no_address_is_unavailable) {  // [177]
  ClientWorld world;
  world.connect({}, {});
  UnaryRun call(world, Context{}, "a");
  world.settle();
  ASSERT_TRUE(call.done());
  EXPECT_EQ(call.status().code(), StatusCode::kUnavailable);
}

TEST(ClientLifecycleTest, bad_targets_and_options_are_errors_at_creation) {
  ClientWorld world;
  const auto create = [&](std::string_view target, ClientConnOptions options = {}) {
    options.credentials = insecure_credentials();
    return ClientConn::create(world.loops, target, std::move(options)).status().code();
  };
  EXPECT_EQ(create("dns:///"), StatusCode::kInvalidArgument);
  EXPECT_EQ(create("dns:///host:99999"), StatusCode::kInvalidArgument);
  EXPECT_EQ(create("unix://authority/path"), StatusCode::kInvalidArgument);
  EXPECT_EQ(create("static:///a:1,"), StatusCode::kInvalidArgument);
  EXPECT_EQ(create("host:1", {.default_scheme = "nobody"}), StatusCode::kInvalidArgument);
  EXPECT_EQ(create("host:1", {.balancer = "nobody"}), StatusCode::kInvalidArgument);
  EXPECT_EQ(create("host:1", {.keepalive = {.time = 9s}}), StatusCode::kInvalidArgument);
  EXPECT_EQ(create("host:1", {.backoff = {.jitter = 2}}), StatusCode::kInvalidArgument);
  EXPECT_EQ(create("host:1"), StatusCode::kOk);
  EXPECT_EQ(create("unix:/run/x.sock"), StatusCode::kOk);
}

TEST(ClientLifecycleTest, plain_text_has_to_be_said) {
  ClientWorld world;
  const Status status = ClientConn::create(world.loops, "host:1").status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << "forgotten credentials must not mean plain text";
  EXPECT_TRUE(mentions(status, "insecure_credentials()")) << text(status);
}

TEST(ClientLifecycleTest, a_user_agent_that_cant_travel_is_refused_before_any_call) {
  ClientWorld world;
  for (const std::string_view name :
       {std::string_view("a\r\nb"), std::string_view(" a"), std::string_view("a\0b", 3)}) {
    const Status status =
        ClientConn::create(world.loops, "host:1", {.credentials = insecure_credentials(), .user_agent = name}).status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
    EXPECT_TRUE(mentions(status, "user_agent")) << text(status);
  }
}

// --- Failing and coming back ---

TEST(ClientLifecycleTest, a_refused_connection_fails_fast_with_its_reason) {
  ClientWorld world;
  world.network.mode = Mode::kRefuse;
  world.connect();
  UnaryRun call(world, Context{}, "a");
  world.settle();
  ASSERT_TRUE(call.done());
  const Status status = call.status();
  EXPECT_EQ(status.code(), StatusCode::kUnavailable);
  EXPECT_TRUE(mentions(status, "a:1: connection refused")) << text(status);
}

TEST(ClientLifecycleTest, attempts_back_off_and_a_server_that_comes_up_is_found) {  // [185]
  ClientWorld world;
  world.network.mode = Mode::kRefuse;
  ClientConnOptions options;
  options.backoff.jitter = 0;
  world.connect(options);
  UnaryRun patient(world, Context{}, "a", {.wait_for_ready = true});
  world.settle();
  EXPECT_EQ(world.network.dialled.size(), 1u);
  world.advance(999ms);
  EXPECT_EQ(world.network.dialled.size(), 1u) << "the first wait is a second";
  world.advance(1ms);
  EXPECT_EQ(world.network.dialled.size(), 2u);
  world.advance(1599ms);
  EXPECT_EQ(world.network.dialled.size(), 2u) << "the next is 1.6 times as long";
  world.advance(1ms);
  EXPECT_EQ(world.network.dialled.size(), 3u);
  world.network.mode = Mode::kAnswer;
  world.advance(2560ms);
  EXPECT_EQ(world.conn->state(), ConnectivityState::kReady);
  world.server().answer(world.request(), "reply");
  world.settle();
  ASSERT_TRUE(patient.done());
  EXPECT_TRUE(patient.status().is_ok());
  EXPECT_EQ(world.conn->counters().connects_failed, 3u);
}

TEST(ClientLifecycleTest, reset_connect_backoff_tries_at_once) {
  ClientWorld world;
  world.network.mode = Mode::kRefuse;
  ClientConn& conn = world.connect();
  conn.connect();
  world.settle();
  world.network.mode = Mode::kAnswer;
  conn.reset_connect_backoff();
  world.settle();
  EXPECT_EQ(conn.state(), ConnectivityState::kReady);
}

TEST(ClientLifecycleTest, the_deadline_of_a_waiting_call_names_the_last_error) {
  ClientWorld world;
  world.network.mode = Mode::kRefuse;
  world.connect();
  UnaryRun call(world, world.in(500ms), "a", {.wait_for_ready = true});
  world.advance(1s);
  ASSERT_TRUE(call.done());
  const Status status = call.status();
  EXPECT_EQ(status.code(), StatusCode::kDeadlineExceeded);
  EXPECT_TRUE(mentions(status, "connection refused")) << text(status);
}

TEST(ClientLifecycleTest, a_lost_connection_goes_idle_and_the_next_call_makes_another) {
  ClientWorld world;
  ClientConn& conn = world.connect();
  conn.connect();
  world.settle();
  world.server().close();
  world.settle();
  EXPECT_EQ(conn.state(), ConnectivityState::kIdle) << "nobody needs a connection now";
  EXPECT_EQ(world.resolver.asked(), 1u) << "maybe the name stands for somebody else by now";
  UnaryRun call(world, Context{}, "a");
  world.settle();
  EXPECT_EQ(world.network.servers.size(), 2u);
  world.server().answer(world.request(), "reply");
  world.settle();
  ASSERT_TRUE(call.done());
  EXPECT_TRUE(call.status().is_ok());
  EXPECT_EQ(conn.counters().connections_lost, 1u);
}

TEST(ClientLifecycleTest, states_can_be_watched) {
  ClientWorld world;
  ClientConn& conn = world.connect();
  Running<Result<ConnectivityState>> first(world, conn.wait_for_state_change(Context{}, ConnectivityState::kIdle));
  world.settle();
  EXPECT_FALSE(first.done());
  world.network.mode = Mode::kSilent;
  conn.connect();
  world.settle();
  ASSERT_TRUE(first.done());
  EXPECT_EQ(*first.take(), ConnectivityState::kConnecting);
  Running<Result<ConnectivityState>> next(world, conn.wait_for_state_change(Context{}, ConnectivityState::kConnecting));
  world.network.mode = Mode::kAnswer;
  world.advance(25s);
  ASSERT_TRUE(next.done());
  EXPECT_EQ(*next.take(), ConnectivityState::kTransientFailure) << "an attempt ends after 20 s";
  EXPECT_EQ(conn.state(), ConnectivityState::kReady) << "and the next one found somebody";
  Running<Result<ConnectivityState>> late(world, conn.wait_for_state_change(world.in(1s), ConnectivityState::kReady));
  world.advance(2s);
  ASSERT_TRUE(late.done());
  EXPECT_EQ(late.take().error().code(), StatusCode::kDeadlineExceeded);
}

// --- The server's limit of streams ---

TEST(ClientLifecycleTest, calls_beyond_the_servers_limit_wait_in_order) {  // [186]
  ClientWorld world;
  world.network.server_options.limits.max_concurrent_streams = 1;
  world.connect();
  std::vector<std::unique_ptr<UnaryRun>> calls;
  for (int i = 0; i < 5; ++i) calls.push_back(std::make_unique<UnaryRun>(world, Context{}, std::to_string(i)));
  for (size_t i = 0; i < 5; ++i) {
    world.settle();
    ASSERT_EQ(world.server().requests.size(), i + 1) << "one at a time";
    EXPECT_EQ(world.request(i).messages().front(), std::to_string(i)) << "first come, first served";
    world.server().answer(world.request(i), "reply");
  }
  world.settle();
  for (auto& call : calls) {
    ASSERT_TRUE(call->done());
    EXPECT_TRUE(call->status().is_ok());
  }
}

TEST(ClientLifecycleTest, a_waiting_call_can_be_cancelled_and_can_expire) {  // [187]
  ClientWorld world;
  world.network.server_options.limits.max_concurrent_streams = 1;
  world.connect();
  CancelSource source;
  UnaryRun running(world, Context{}, "a");
  UnaryRun cancelled(world, source.context(), "b");
  UnaryRun expired(world, world.in(1s), "c");
  UnaryRun last(world, Context{}, "d");
  world.settle();
  source.cancel();
  world.settle();
  ASSERT_TRUE(cancelled.done());
  EXPECT_EQ(cancelled.status().code(), StatusCode::kCancelled);
  world.advance(1s);
  ASSERT_TRUE(expired.done());
  EXPECT_EQ(expired.status().code(), StatusCode::kDeadlineExceeded);
  world.server().answer(world.request(0), "reply");
  world.settle();
  ASSERT_EQ(world.server().requests.size(), 2u);
  EXPECT_EQ(world.request(1).messages().front(), "d") << "the queue closed up";
  world.server().answer(world.request(1), "reply");
  world.settle();
  EXPECT_TRUE(last.done() && last.status().is_ok());
}

// --- What a server never processed ---

TEST(ClientLifecycleTest, a_refused_stream_is_tried_once_more) {
  ClientWorld world;
  world.connect();
  UnaryRun call(world, Context{}, "a");
  world.settle();
  world.server().reset(world.request(0), http2::ErrorCode::kRefusedStream);
  world.settle();
  ASSERT_FALSE(call.done()) << "the server said that it did nothing";
  ASSERT_EQ(world.server().requests.size(), 2u);
  EXPECT_EQ(world.request(1).messages().front(), "a") << "the same request";
  world.server().reset(world.request(1), http2::ErrorCode::kRefusedStream);
  world.settle();
  ASSERT_TRUE(call.done()) << "twice is an answer";
  EXPECT_EQ(call.status().code(), StatusCode::kUnavailable);
  EXPECT_EQ(world.conn->counters().transparent_retries, 1u);
}

TEST(ClientLifecycleTest, a_drained_server_loses_no_call) {  // [77] [216]
  ClientWorld world;
  world.connect();
  UnaryRun running(world, Context{}, "a");
  world.settle();
  world.server().drain();
  world.settle();
  EXPECT_FALSE(running.done()) << "it was accepted";
  UnaryRun next(world, Context{}, "b");
  world.settle();
  ASSERT_EQ(world.network.servers.size(), 2u) << "new calls go to a new connection";
  EXPECT_EQ(world.network.servers[0]->requests.size(), 1u);
  world.server().answer(world.request(), "new");
  world.network.servers[0]->answer(world.network.servers[0]->request(0), "old");
  world.advance(10s);
  ASSERT_TRUE(running.done());
  ASSERT_TRUE(next.done());
  EXPECT_TRUE(running.status().is_ok());
  EXPECT_TRUE(next.status().is_ok());
  EXPECT_TRUE(world.network.servers[0]->closed) << "with its last call the old connection goes";
}

TEST(ClientLifecycleTest, calls_that_never_left_go_elsewhere_without_notice) {
  ClientWorld world;
  world.network.server_options.limits.max_concurrent_streams = 1;
  world.connect();
  UnaryRun running(world, Context{}, "a");
  UnaryRun queued(world, Context{}, "b");
  world.settle();
  world.server().close();
  world.settle();
  ASSERT_TRUE(running.done());
  EXPECT_EQ(running.status().code(), StatusCode::kUnavailable) << "the server may have acted on it";
  ASSERT_FALSE(queued.done());
  ASSERT_EQ(world.network.servers.size(), 2u);
  world.server().answer(world.request(), "reply");
  world.settle();
  ASSERT_TRUE(queued.done());
  EXPECT_TRUE(queued.status().is_ok());
}

// --- Keepalive ---

TEST(ClientLifecycleTest, keepalive_notices_a_server_that_went_silent) {
  ClientWorld world;
  ClientConnOptions options;
  options.keepalive = {.time = 10s, .timeout = 5s};
  world.connect(options);
  UnaryRun call(world, Context{}, "a");
  world.settle();
  world.server().pipe().hold_writes(true);
  world.advance(14s);
  EXPECT_FALSE(call.done());
  world.advance(2s);
  ASSERT_TRUE(call.done()) << "10 s of silence, then 5 s without an answer to the ping";
  const Status status = call.status();
  EXPECT_EQ(status.code(), StatusCode::kUnavailable);
  EXPECT_TRUE(mentions(status, "keepalive")) << text(status);
  EXPECT_EQ(world.conn->counters().keepalive_timeouts, 1u);
}

TEST(ClientLifecycleTest, keepalive_leaves_a_server_alone_that_answers) {
  ClientWorld world;
  ClientConnOptions options;
  options.keepalive = {.time = 10s, .timeout = 5s};
  world.connect(options);
  UnaryRun call(world, Context{}, "a");
  world.advance(10min);
  EXPECT_FALSE(call.done());
  world.server().answer(world.request(), "reply");
  world.settle();
  EXPECT_TRUE(call.done() && call.status().is_ok());
}

// --- The end ---

TEST(ClientLifecycleTest, close_ends_everything_with_cancelled) {
  ClientWorld world;
  world.network.server_options.limits.max_concurrent_streams = 1;
  ClientConn& conn = world.connect();
  UnaryRun running(world, Context{}, "a");
  UnaryRun queued(world, Context{}, "b");
  world.settle();
  conn.close();
  world.settle();
  UnaryRun late(world, Context{}, "c", {.wait_for_ready = true});
  for (UnaryRun* call : {&running, &queued, &late}) {
    ASSERT_TRUE(call->done());
    EXPECT_EQ(call->status().code(), StatusCode::kCancelled);
  }
  EXPECT_EQ(conn.state(), ConnectivityState::kShutdown);
  EXPECT_TRUE(world.server().closed);
  EXPECT_FALSE(world.resolver.in_use());
}

TEST(ClientLifecycleTest, close_ends_calls_that_wait_for_a_connection) {
  ClientWorld world;
  world.network.mode = Mode::kSilent;
  ClientConn& conn = world.connect();
  UnaryRun call(world, Context{}, "a", {.wait_for_ready = true});
  world.settle();
  conn.close();
  world.settle();
  ASSERT_TRUE(call.done());
  EXPECT_EQ(call.status().code(), StatusCode::kCancelled);
}

TEST(ClientLifecycleTest, destruction_is_close) {
  ClientWorld world;
  world.connect();
  UnaryRun call(world, Context{}, "a");
  world.settle();
  world.conn.reset();
  world.settle();
  ASSERT_TRUE(call.done());
  EXPECT_EQ(call.status().code(), StatusCode::kCancelled);
  EXPECT_TRUE(world.network.servers[0]->closed);
}

TEST(ClientLifecycleTest, a_new_address_list_lets_running_calls_finish) {  // [180]
  ClientWorld world;
  world.connect();
  UnaryRun running(world, Context{}, "a");
  world.settle();
  world.resolve_to({"b:2"});
  world.settle();
  UnaryRun next(world, Context{}, "b");
  world.settle();
  EXPECT_EQ(world.network.dialled, (std::vector<std::string>{"a:1", "b:2"}));
  world.network.servers[0]->answer(world.network.servers[0]->request(0), "old");
  world.network.servers[1]->answer(world.network.servers[1]->request(0), "new");
  world.settle();
  EXPECT_TRUE(running.done() && running.status().is_ok());
  EXPECT_TRUE(next.done() && next.status().is_ok());
  EXPECT_TRUE(world.network.servers[0]->closed);
}

TEST(ClientLifecycleTest, the_same_list_again_changes_nothing) {  // [181]
  ClientWorld world;
  world.connect();
  UnaryRun call(world, Context{}, "a");
  for (int i = 0; i < 100; ++i) {
    world.resolve_to({"a:1"});
    world.advance(10ms);
  }
  EXPECT_EQ(world.network.dialled.size(), 1u);
  world.server().answer(world.request(), "reply");
  world.settle();
  EXPECT_TRUE(call.done() && call.status().is_ok());
}

}  // namespace
}  // namespace gaggle
