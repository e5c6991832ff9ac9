// SPDX-License-Identifier: Apache-2.0
//
// What stats handlers of a server are told: which events, in which order, on every way that a call can end.
#include <gtest/gtest.h>

#include "gaggle/rpc/compressor_testing.h"
#include "gaggle/rpc/memory_quota.h"
#include "gaggle/rpc/server_tap.h"
#include "gaggle/rpc/server_testing.h"
#include "gaggle/rpc/stats_testing.h"

namespace gaggle {
namespace {

using namespace std::chrono_literals;

std::shared_ptr<RecordingStats> recorder() { return std::make_shared<RecordingStats>(); }

// `stats` outlives what it watches, and says then that all of it has ended.
struct StatsWorld {
  std::shared_ptr<RecordingStats> stats = recorder();
  ServerWorld server;

  explicit StatsWorld(ServerOptions options = {}) : server(with(std::move(options), stats)) {}
  static ServerOptions with(ServerOptions options, std::shared_ptr<RecordingStats> stats) {
    options.stats_handlers = {std::move(stats)};
    return options;
  }
  FrameClient& client() { return server.client(); }
  void settle() { server.settle(); }
};

constexpr std::string_view kWell =
    "begin, header received, message received 3, header sent, message sent 3, trailer sent, end OK";

TEST(ServerStats, a_call_that_goes_well) {
  StatsWorld world;
  world.server.service.unary = TestService::wait_for_gate;
  ClientCall& call = world.client().call("Unary", "ask", {{"x", "head"}, {"grpc-timeout", "1S"}});
  world.settle();
  world.server.world.advance(10ms);
  world.server.gate.set();
  world.server.finish(call);
  EXPECT_EQ(world.stats->of(0), kWell);
  const RecordingStats::Call& told = world.stats->calls.at(0);
  EXPECT_EQ(told.method, "/test.Service/Unary");
  EXPECT_EQ(told.begin.side, stats::Side::kServer);
  EXPECT_TRUE(told.begin.static_method);
  EXPECT_EQ(told.begin.deadline - told.begin.time, 1s);
  EXPECT_EQ(told.begin.connection, &world.stats->connections.at(0));
  EXPECT_EQ(told.time, 10ms);
  EXPECT_EQ(told.peer, world.stats->connections[0].peer);
  EXPECT_EQ(told.metadata, "head");
}

TEST(ServerStats, a_handler_that_throws_concerns_nobody_else) {
  auto throwing = std::make_shared<ThrowingStats>();
  StatsWorld world({.stats_handlers = {}});
  ServerOptions options;
  options.stats_handlers = {throwing, world.stats};
  ServerWorld server(options);
  EXPECT_EQ(server.finish(server.client().call("Unary", "ask")).grpc_status(), "0");
  EXPECT_EQ(world.stats->of(0), kWell);
  EXPECT_EQ(throwing->thrown, 8u) << "the connection, and each event of the call";
}

TEST(ServerStats, the_next_call_has_a_tag_of_its_own) {
  StatsWorld world;
  for (size_t i = 0; i < 2; ++i) {
    world.server.finish(world.client().call("Unary", "ask"));
    EXPECT_EQ(world.stats->of(i), kWell);
  }
  EXPECT_EQ(world.stats->connections.size(), 1u);
}

TEST(ServerStats, an_error_is_a_trailer_only) {
  StatsWorld world;
  world.server.service.unary = [](TestService&, ServerContext&, const Text&, Text&) {
    return Task<Status>::ready(Status::not_found("no"));
  };
  world.server.finish(world.client().call("Unary", "ask"));
  EXPECT_EQ(world.stats->of(0), "begin, header received, message received 3, only a trailer sent, end NOT_FOUND");
}

TEST(ServerStats, a_response_that_cannot_be_encoded_is_no_message) {
  StatsWorld world;
  world.server.service.unary = [](TestService&, ServerContext&, const Text&, Text& response) {
    response.value = "unencodable";
    return Task<Status>::ready(Status::ok());
  };
  world.server.finish(world.client().call("Unary", "ask"));
  EXPECT_EQ(world.stats->of(0), "begin, header received, message received 3, only a trailer sent, end INTERNAL");
}

// --- Refusals ---

TEST(ServerStats, calls_of_no_method_begin_and_end_at_once) {
  StatsWorld world;
  world.server.finish(world.client().call("Nope", "ask"));
  TestFields get = FrameClient::request("Unary");
  get[0] = {":method", "GET"};
  world.server.finish(world.client().start(get));
  EXPECT_EQ(world.stats->of(0), "begin, header received, only a trailer sent, end UNIMPLEMENTED");
  EXPECT_EQ(world.stats->calls[0].method, "/test.Service/Nope");
  EXPECT_FALSE(world.stats->calls[0].begin.static_method) << "a stranger has chosen it";
  EXPECT_EQ(world.stats->of(1), "begin, header received, only a trailer sent, end INTERNAL");
}

TEST(ServerStats, so_do_those_that_a_tap_turns_away) {
  struct Obedient final : ServerTap {
    TapVerdict inspect(const TapInfo& call) override {
      if (call.header("tap") == "drop") return TapVerdict::drop();
      return TapVerdict::reject(Status::permission_denied("not you"));
    }
  } tap;
  StatsWorld world({.tap = &tap});
  world.server.finish(world.client().call("Unary", "ask"));
  world.server.finish(world.client().call("Unary", "ask", {{"tap", "drop"}}));
  EXPECT_EQ(world.stats->of(0), "begin, header received, only a trailer sent, end PERMISSION_DENIED");
  EXPECT_EQ(world.stats->of(1), "begin, header received, end UNAVAILABLE") << "nothing but a reset";
  EXPECT_EQ(world.stats->calls.size(), 2u);
}

TEST(ServerStats, and_those_whose_request_is_none) {
  StatsWorld world;
  FrameClient& client = world.client();
  world.server.finish(client.start(FrameClient::request("Unary"), true));
  world.server.finish(client.call("Unary", "\xff"));
  world.server.finish(client.call("Unary", "ask", {{"grpc-timeout", "0n"}}));
  EXPECT_EQ(world.stats->of(0), "begin, header received, only a trailer sent, end UNIMPLEMENTED");
  EXPECT_EQ(world.stats->of(1), "begin, header received, only a trailer sent, end INTERNAL");
  EXPECT_EQ(world.stats->of(2), "begin, header received, only a trailer sent, end DEADLINE_EXCEEDED");
}

// --- Ends before the answer ---

TEST(ServerStats, deadline_and_cancellation_end_it_without_a_trailer) {
  StatsWorld world;
  world.server.service.unary = TestService::wait_for_gate;
  world.client().call("Unary", "ask", {{"grpc-timeout", "1S"}});
  ClientCall& unwanted = world.client().call("Unary", "ask");
  world.settle();
  world.client().reset(unwanted);
  world.server.world.advance(2s);
  EXPECT_EQ(world.stats->open_calls(), 2u) << "their handlers don't care";
  world.server.gate.set();
  world.settle();
  EXPECT_EQ(world.stats->of(0), "begin, header received, message received 3, end DEADLINE_EXCEEDED");
  EXPECT_EQ(world.stats->of(1), "begin, header received, message received 3, end CANCELLED");
}

TEST(ServerStats, a_connection_ends_after_the_last_handler) {
  StatsWorld world;
  world.server.service.unary = TestService::wait_for_gate;
  world.client().call("Unary", "ask");
  world.settle();
  world.client().close();
  world.settle();
  EXPECT_FALSE(world.stats->connections.at(0).ended) << "the call's tag may point to the connection's";
  world.server.gate.set();
  world.settle();
  EXPECT_EQ(world.stats->of(0), "begin, header received, message received 3, end CANCELLED");
  ASSERT_TRUE(world.stats->connections[0].ended);
  EXPECT_EQ(world.stats->connections[0].calls_at_end, 0u);
}

TEST(ServerStats, a_stop_ends_everything) {
  StatsWorld world;
  world.server.service.unary = TestService::wait_for_the_end;
  world.client().call("Unary", "ask");
  world.settle();
  world.server.server->stop();
  world.settle();
  EXPECT_EQ(world.stats->of(0), "begin, header received, message received 3, end CANCELLED");
  EXPECT_TRUE(world.stats->connections.at(0).ended);
}

TEST(ServerStats, so_does_the_end_of_the_loop) {
  std::shared_ptr<RecordingStats> stats;
  {
    StatsWorld world;
    stats = world.stats;
    world.server.service.unary = TestService::wait_for_the_end;
    world.client().call("Unary", "ask");
    world.settle();
  }
  EXPECT_EQ(stats->of(0), "begin, header received, message received 3, end CANCELLED");
  EXPECT_TRUE(stats->connections.at(0).ended);
}

// --- Messages ---

TEST(ServerStats, a_stream_tells_each_message) {
  StatsWorld world;
  ClientCall& call = world.client().start(FrameClient::request("Chat"));
  world.client().send(call, FrameClient::message("a"));
  world.settle();
  world.client().send(call, FrameClient::message("bb"), true);
  world.server.finish(call);
  EXPECT_EQ(world.stats->of(0),
            "begin, header received, message received 1, header sent, message sent 1, message received 2, message "
            "sent 2, trailer sent, end OK");
  EXPECT_TRUE(world.stats->calls[0].begin.client_streams && world.stats->calls[0].begin.server_streams);
}

TEST(ServerStats, compressed_messages_have_both_sizes) {
  StatsWorld world({.compress_like_request = true});
  ClientCall& call = world.client().start(
      FrameClient::request("Unary", {{"grpc-encoding", "gzip"}, {"grpc-accept-encoding", "gzip"}}));
  world.client().send(call, compressed_message("gzip", std::string(1000, 'l')), true);
  world.server.finish(call);
  EXPECT_EQ(world.stats->of(0),
            "begin, header received gzip, message received 1000 made smaller, header sent gzip, message sent 1000 "
            "made smaller, trailer sent, end OK");
}

// --- Handlers ---

TEST(ServerStats, a_handler_of_the_service_finds_the_tag) {
  static const StatsHandler* wanted = nullptr;
  static void* found = nullptr;
  StatsWorld world;
  wanted = world.stats.get();
  world.server.service.unary = [](TestService&, ServerContext& context, const Text&, Text&) {
    found = context.stats_tag(*wanted);
    const StatsHandler other;
    EXPECT_EQ(context.stats_tag(other), nullptr);
    return Task<Status>::ready(Status::ok());
  };
  world.server.finish(world.client().call("Unary", "ask"));
  EXPECT_EQ(found, &world.stats->calls.at(0));
}

TEST(ServerStats, methods_that_nobody_registered_are_chosen_by_strangers) {
  struct Nothing final : StreamHandler {
    Task<Status> operator()(ServerStream&) override { co_return Status::aborted("no"); }
  } unknown;
  StatsWorld world({.unknown_service = &unknown});
  world.server.finish(world.client().call("Nope", "ask"));
  EXPECT_EQ(world.stats->of(0), "begin, header received, only a trailer sent, end ABORTED");
  EXPECT_FALSE(world.stats->calls[0].begin.static_method);
}

TEST(ServerStats, a_handler_that_is_null_is_refused) {
  VirtualLoop world;
  LoopGroup loops{world.loop};
  const auto server = Server::create(loops, {.stats_handlers = {nullptr}});
  ASSERT_FALSE(server);
  EXPECT_EQ(server.error().code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace gaggle
