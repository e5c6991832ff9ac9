// SPDX-License-Identifier: Apache-2.0
//
// Calls that end before their handlers do: cancellation, deadlines, lost connections, and the slots
// that stay taken until the handlers have ended.
#include <gtest/gtest.h>

#include "gaggle/net/sleep.h"
#include "gaggle/rpc/server_testing.h"

namespace gaggle {
namespace {

using namespace std::chrono_literals;

TEST(ServerCancel, a_reset_reaches_what_the_handler_awaits) {  // [161]
  ServerWorld world;
  world.service.unary = TestService::wait_for_the_end;
  ClientCall& call = world.client().call("Unary", "x");
  world.settle();
  ASSERT_EQ(world.service.running, 1);
  world.client().reset(call);
  world.settle();
  ASSERT_EQ(world.service.ended.size(), 1u) << "cancelled once";
  EXPECT_EQ(world.service.ended[0].code(), StatusCode::kCancelled);
  EXPECT_EQ(world.server->counters().calls_failed, 1u);
}

TEST(ServerCancel, cancelled_at_every_state_of_a_call) {  // [161]
  ServerWorld world;
  FrameClient& client = world.client();
  // Before anything but the headers has come; in the middle of the message; before END_STREAM.
  for (const size_t bytes : {0u, 3u, 5u, 7u, 10u}) {
    ClientCall& call = client.start(FrameClient::request("Unary"));
    client.send(call, FrameClient::message("hello").substr(0, bytes));
    world.settle();
    client.reset(call);
    world.settle();
  }
  EXPECT_EQ(world.service.started, 0) << "no handler runs for a call that was never complete";
  // Headers, message and reset in one read.
  ClientCall& quick = client.call("Unary", "x");
  client.reset(quick);
  world.settle();
  // A stream that waits in recv, and one in the middle of a message.
  for (const size_t bytes : {0u, 3u, 7u, 10u}) {
    ClientCall& call = client.start(FrameClient::request("Chat"));
    client.send(call, FrameClient::message("hello").substr(0, bytes));
    world.settle();
    client.reset(call);
    world.settle();
  }
  ASSERT_EQ(world.service.ended.size(), 4u);
  for (const Status& status : world.service.ended) EXPECT_EQ(status.code(), StatusCode::kCancelled);
  EXPECT_EQ(world.server->counters().calls_now, 0u);
  EXPECT_EQ(world.finish(client.call("Unary", "x")).grpc_status(), "0");
}

TEST(ServerCancel, every_second_of_a_thousand_cancelled_leaves_the_others_alone) {
  ServerWorld world({.max_concurrent_streams = 1000});
  world.service.unary = TestService::wait_for_gate;
  std::vector<ClientCall*> calls;
  for (int i = 0; i < 1000; ++i) calls.push_back(&world.client().call("Unary", std::to_string(i)));
  world.settle();
  ASSERT_EQ(world.service.running, 1000);
  for (size_t i = 0; i < 1000; i += 2) world.client().reset(*calls[i]);
  world.settle();
  world.gate.set();
  world.settle();
  for (size_t i = 1; i < 1000; i += 2) {
    ASSERT_EQ(calls[i]->grpc_status(), "0") << i;
    ASSERT_EQ(calls[i]->messages(), std::vector<std::string>{std::to_string(i)});
  }
  EXPECT_EQ(world.server->counters().calls_succeeded, 500u);
}

TEST(ServerCancel, a_deadline_ends_what_the_handler_waits_for) {
  ServerWorld world;
  world.service.stream = [](TestService& service, ServerStream& stream) -> Task<Status> {
    EXPECT_EQ(stream.context().remaining(), 250ms) << "the handler sees how long it has";
    Text text;
    Result<bool> received = co_await stream.recv(message_of(text));
    service.ended.push_back(received.status());
    co_return received.status();
  };
  ClientCall& call = world.client().start(FrameClient::request("Chat", {{"grpc-timeout", "250m"}}));
  world.world.advance(249ms);
  EXPECT_FALSE(call.over());
  world.world.advance(1ms);
  ASSERT_TRUE(call.over());
  ASSERT_EQ(world.service.ended.size(), 1u);
  EXPECT_EQ(world.service.ended[0].code(), StatusCode::kDeadlineExceeded);
  EXPECT_EQ(call.grpc_status(), "4") << "a reset could overtake the client's own clock and read as CANCELLED";
}

TEST(ServerCancel, a_deadline_is_enforced_though_the_handler_does_not_care) {  // [224]
  ServerWorld world;
  world.service.unary = TestService::wait_for_gate;
  ClientCall& call = world.client().call("Unary", "x", {{"grpc-timeout", "1S"}});
  world.world.advance(1s);
  EXPECT_FALSE(call.over()) << "the handler is first to be asked";
  world.world.advance(20ms);
  EXPECT_EQ(call.reset, http2::ErrorCode::kCancel) << "the client hears though the handler says nothing";
  EXPECT_EQ(world.service.running, 1);
  EXPECT_EQ(world.server->counters().calls_now, 1u) << "and the slot stays taken";
  world.gate.set();
  world.settle();
  EXPECT_EQ(world.server->counters().calls_now, 0u);
  EXPECT_EQ(world.server->counters().calls_failed, 1u);
}

TEST(ServerCancel, a_deadline_passes_while_the_request_is_on_its_way) {
  ServerWorld world;
  ClientCall& call = world.client().start(FrameClient::request("Unary", {{"grpc-timeout", "100m"}}));
  world.client().send(call, FrameClient::message("x"));
  world.world.advance(120ms);
  EXPECT_EQ(call.reset, http2::ErrorCode::kCancel);
  EXPECT_EQ(world.service.started, 0);
  EXPECT_EQ(world.server->counters().calls_now, 0u);
}

TEST(ServerCancel, an_answer_at_the_moment_of_the_deadline_has_one_outcome) {  // [162]
  ServerWorld world;
  world.service.unary = [](TestService&, ServerContext& context, const Text& request, Text& response) -> Task<Status> {
    Status slept = co_await sleep_for(context.loop(), 100ms);
    static_cast<void>(slept);
    response.value = request.value;
    co_return Status::ok();
  };
  for (int i = 0; i < 20; ++i) {
    ClientCall& call = world.client().call("Unary", "x", {{"grpc-timeout", "100m"}});
    world.world.advance(200ms);
    ASSERT_TRUE(call.ended != call.reset.has_value()) << "an answer or a reset, not both";
  }
  const ServerCounters counters = world.server->counters();
  EXPECT_EQ(counters.calls_succeeded + counters.calls_failed, 20u);
}

TEST(ServerCancel, the_client_going_away_cancels_its_calls) {  // [11]
  ServerWorld world;
  world.service.unary = TestService::wait_for_the_end;
  world.client().call("Unary", "a");
  world.client().start(FrameClient::request("Chat"));
  world.client().start(FrameClient::request("Unary"));
  world.settle();
  world.client().close();
  world.settle();
  ASSERT_EQ(world.service.ended.size(), 2u);
  for (const Status& status : world.service.ended) EXPECT_EQ(status.code(), StatusCode::kCancelled);
  EXPECT_EQ(world.server->counters().connections_now, 0u);
}

TEST(ServerCancel, a_broken_connection_leaves_nothing_behind) {  // [12]
  ServerWorld world;
  world.service.unary = TestService::wait_for_gate;
  world.client().call("Unary", "a");
  world.settle();
  world.server_pipes[0]->break_connection();
  world.settle();
  EXPECT_EQ(world.server->counters().connections_now, 1u) << "its handler still runs";
  world.gate.set();
  world.settle();
  EXPECT_EQ(world.server->counters().connections_now, 0u);
  EXPECT_EQ(world.server->counters().calls_now, 0u);
}

TEST(ServerCancel, slots_are_freed_by_handlers_not_by_resets) {  // [85]
  ServerWorld world({.max_concurrent_streams = 4});
  world.service.unary = TestService::wait_for_gate;
  for (int i = 0; i < 50; ++i) {
    ClientCall& call = world.client().call("Unary", "x");
    world.settle();
    world.client().reset(call);
    world.settle();
    ASSERT_LE(world.service.running, 4) << "a client that resets gets no more handlers for it";
  }
  EXPECT_EQ(world.service.most_running, 4);
  world.gate.set();
  world.settle();
  EXPECT_EQ(world.finish(world.client().call("Unary", "x")).grpc_status(), "0");
}

TEST(ServerCancel, rapid_resets_are_bounded_and_end_the_connection) {  // [85]
  ServerWorld world({.max_concurrent_streams = 100});
  world.service.unary = TestService::wait_for_the_end;
  FrameClient& other = world.connect();
  for (int i = 0; i < 100'000 && !world.client().closed; ++i) {
    if (world.client().http2().can_open() != http2::CanOpen::kYes) {
      world.settle();
      if (world.client().http2().can_open() != http2::CanOpen::kYes) break;
    }
    ClientCall& call = world.client().call("Unary", "x");
    world.client().reset(call);
    if (i % 16 == 0) world.settle();
  }
  world.world.advance(2s);
  EXPECT_LE(world.service.most_running, 100);
  EXPECT_EQ(world.server->counters().http2.abuse_closes, 1u);
  EXPECT_TRUE(world.client().closed);
  world.service.unary = TestService::echo;
  EXPECT_EQ(world.finish(other.call("Unary", "x")).grpc_status(), "0") << "other connections don't notice";
}

TEST(ServerCancel, a_context_that_was_kept_does_not_touch_later_calls) {
  ServerWorld world;
  static Context kept;
  world.service.unary = [](TestService&, ServerContext& context, const Text& request, Text& response) -> Task<Status> {
    if (request.value == "keep") kept = context;
    response.value = context.cancelled() ? "cancelled" : "alive";
    co_return Status::ok();
  };
  world.finish(world.client().call("Unary", "keep"));
  const Context first = kept;
  ClientCall& later = world.finish(world.client().call("Unary", "x"));
  EXPECT_EQ(later.messages().at(0), "alive");
  EXPECT_FALSE(first.cancelled()) << "a call that ended well doesn't cancel what it left behind";
  kept = {};
}

}  // namespace
}  // namespace gaggle
