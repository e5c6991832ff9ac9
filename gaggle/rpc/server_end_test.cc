// SPDX-License-Identifier: Apache-2.0
//
// How servers end: gracefully, by force, from inside, with their loop.
#include <gtest/gtest.h>

#include "gaggle/net/sleep.h"
#include "gaggle/rpc/server_testing.h"

namespace gaggle {
namespace {

using namespace std::chrono_literals;

TEST(ServerEnd, a_drain_lets_running_calls_finish) {  // [216] [220]
  ServerWorld world;
  world.service.unary = TestService::wait_for_gate;
  ClientCall& running = world.client().call("Unary", "running");
  world.settle();
  world.server->shutdown(30s);
  world.settle();
  ASSERT_GE(world.client().goaways.size(), 2u) << "first: open no more; then: these are the last";
  EXPECT_EQ(world.client().goaways.front(), 0x7fff'ffffu);
  EXPECT_FALSE(running.over());
  EXPECT_FALSE(world.client().closed);
  world.gate.set();
  world.finish(running);
  EXPECT_EQ(running.grpc_status(), "0");
  world.world.advance(1s);
  EXPECT_TRUE(world.client().closed) << "nothing is left to do";
  EXPECT_EQ(world.server->counters().connections_now, 0u);
}

TEST(ServerEnd, calls_that_cross_the_first_goaway_are_served) {
  ServerWorld world;
  world.server->shutdown(30s);
  ClientCall& crossing = world.client().call("Unary", "on its way");
  world.settle();
  EXPECT_EQ(crossing.grpc_status(), "0");
}

TEST(ServerEnd, what_has_not_finished_within_the_grace_is_cancelled) {
  ServerWorld world;
  world.service.unary = TestService::wait_for_the_end;
  ClientCall& call = world.client().call("Unary", "x");
  world.settle();
  world.server->shutdown(30s);
  world.world.advance(29s);
  EXPECT_FALSE(call.over());
  world.world.advance(2s);
  EXPECT_EQ(call.reset, http2::ErrorCode::kCancel);
  ASSERT_EQ(world.service.ended.size(), 1u);
  EXPECT_EQ(world.service.ended[0].code(), StatusCode::kCancelled);
  EXPECT_EQ(world.server->counters().connections_now, 0u);
}

TEST(ServerEnd, a_second_shutdown_shortens_the_grace) {  // [221]
  ServerWorld world;
  world.service.unary = TestService::wait_for_the_end;
  ClientCall& call = world.client().call("Unary", "x");
  world.settle();
  world.server->shutdown(1h);
  world.settle();
  world.server->shutdown(2h);
  world.world.advance(1s);
  EXPECT_FALSE(call.over());
  world.server->stop();
  world.settle();
  EXPECT_TRUE(call.over());
  EXPECT_EQ(world.server->counters().connections_now, 0u);
}

TEST(ServerEnd, after_shutdown_nothing_new_comes) {
  ServerWorld world;
  world.server->shutdown(1h);
  world.settle();
  EXPECT_EQ(world.server->listen("127.0.0.1:0").status().code(), StatusCode::kFailedPrecondition);
  StreamPair pair = make_stream_pair(world.world.loop);
  EXPECT_EQ(world.server->serve(std::move(pair.server)).code(), StatusCode::kFailedPrecondition);
}

TEST(ServerEnd, a_handler_may_stop_its_own_server) {  // [225]
  static Server* server = nullptr;
  ServerWorld world;
  server = world.server.get();
  world.service.unary = [](TestService& service, ServerContext& context, const Text&, Text&) -> Task<Status> {
    server->stop();
    service.ended.push_back(server->wait());
    Status slept = co_await sleep_for(context.loop(), std::chrono::hours{1});
    service.ended.push_back(slept);
    co_return slept;
  };
  world.client().call("Unary", "x");
  world.settle();
  ASSERT_EQ(world.service.ended.size(), 2u);
  EXPECT_EQ(world.service.ended[0].code(), StatusCode::kFailedPrecondition) << "waiting here would wait for itself";
  EXPECT_EQ(world.service.ended[1].code(), StatusCode::kCancelled);
  EXPECT_EQ(world.server->counters().connections_now, 0u);
}

TEST(ServerEnd, a_handler_may_destroy_its_own_server) {
  struct Owned {
    VirtualLoop world;
    LoopGroup loops{world.loop};
    TestService service;
    std::unique_ptr<Server> server;
    std::unique_ptr<FrameClient> client;
  };
  static Owned* owned = nullptr;
  Owned here;
  owned = &here;
  here.service.unary = [](TestService& service, ServerContext& context, const Text&, Text&) -> Task<Status> {
    owned->server.reset();
    Status slept = co_await sleep_for(context.loop(), std::chrono::hours{1});
    service.ended.push_back(slept);
    co_return slept;
  };
  here.server = *Server::create(here.loops);
  ASSERT_TRUE(here.server->register_service(TestService::desc(), here.service).is_ok());
  StreamPair pair = make_stream_pair(here.world.loop);
  here.client = std::make_unique<FrameClient>(std::move(pair.client));
  ASSERT_TRUE(here.server->serve(std::move(pair.server)).is_ok());
  here.client->call("Unary", "x");
  here.world.settle();
  ASSERT_EQ(here.service.ended.size(), 1u);
  EXPECT_EQ(here.service.ended[0].code(), StatusCode::kCancelled);
  EXPECT_TRUE(here.client->closed);
}

TEST(ServerEnd, a_loop_that_is_destroyed_takes_handlers_and_connections_along) {
  TestService service;
  {
    VirtualLoop world;
    LoopGroup loops(world.loop);
    AsyncEvent gate(world.loop);
    service.gate = &gate;
    service.unary = TestService::wait_for_the_end;
    std::unique_ptr<Server> server = *Server::create(loops);
    ASSERT_TRUE(server->register_service(TestService::desc(), service).is_ok());
    StreamPair pair = make_stream_pair(world.loop);
    FrameClient client(std::move(pair.client));
    ASSERT_TRUE(server->serve(std::move(pair.server)).is_ok());
    client.call("Unary", "x");
    client.start(FrameClient::request("Chat"));
    world.settle();
    ASSERT_EQ(service.started, 2);
    server.reset();  // nobody runs the loop any more, so this doesn't wait
  }
  EXPECT_TRUE(service.ended.empty()) << "the handlers were destroyed where they waited; the sanitizer finds leaks";
}

TEST(ServerEnd, connections_beyond_the_limit_are_refused) {  // [18]
  ServerWorld world({.max_connections = 2});
  world.connect();
  const Loop::Enter enter(world.world.loop);
  StreamPair pair = make_stream_pair(world.world.loop);
  EXPECT_EQ(world.server->serve(std::move(pair.server)).code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(world.server->counters().connections_refused, 1u);
  world.client().close();
  world.settle();
  StreamPair second = make_stream_pair(world.world.loop);
  EXPECT_TRUE(world.server->serve(std::move(second.server)).is_ok()) << "one has gone, one may come";
}

}  // namespace
}  // namespace gaggle
