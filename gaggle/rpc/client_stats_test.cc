// SPDX-License-Identifier: Apache-2.0
//
// What stats handlers of a client are told: which events, in which order, on every way that a call can end.
#include <gtest/gtest.h>

#include "gaggle/rpc/client_stream_testing.h"
#include "gaggle/rpc/codec_testing.h"
#include "gaggle/rpc/compressor_testing.h"
#include "gaggle/rpc/stats_testing.h"

namespace gaggle {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kRetries = R"({"methodConfig": [{"name": [{}], "retryPolicy": {"maxAttempts": 3,
    "initialBackoff": "0.1s", "maxBackoff": "1s", "backoffMultiplier": 2,
    "retryableStatusCodes": ["UNAVAILABLE"]}}]})";
constexpr std::string_view kHedges = R"({"methodConfig": [{"name": [{}], "hedgingPolicy": {"maxAttempts": 3,
    "hedgingDelay": "0.1s", "nonFatalStatusCodes": ["UNAVAILABLE"]}}]})";

struct StatsWorld : StreamWorld {
  std::shared_ptr<RecordingStats> stats = std::make_shared<RecordingStats>();

  explicit StatsWorld(ClientConnOptions options = {}, bool ready = true) {
    options.stats_handlers.push_back(stats);
    connect(std::move(options));
    if (!ready) return;
    conn->connect();
    settle();
  }
  StatsWorld(std::string_view config) : StatsWorld({.default_service_config = config}) {}
};

constexpr std::string_view kWell =
    "begin, header sent, message sent 3, header received, message received 5, trailer received, end OK";

TEST(ClientStats, a_call_that_goes_well) {
  StatsWorld world;
  UnaryRun call(world, world.in(1s), "ask");
  world.settle();
  world.advance(10ms);
  world.server().send_headers(world.request(), {{"x", "head"}});
  world.server().send_message(world.request(), "reply");
  world.server().send_trailers(world.request(), "0", {{"x", "+tail"}});
  world.settle();
  ASSERT_TRUE(call.done());
  EXPECT_EQ(world.stats->of(0), kWell);
  const RecordingStats::Call& told = world.stats->calls[0];
  EXPECT_EQ(told.method, "/test.Service/Unary");
  EXPECT_EQ(told.begin.side, stats::Side::kClient);
  EXPECT_EQ(told.begin.deadline - told.begin.time, 1s);
  EXPECT_FALSE(told.begin.client_streams || told.begin.server_streams);
  EXPECT_EQ(told.time, 10ms);
  EXPECT_EQ(told.peer, world.stats->connections.at(0).peer);
  EXPECT_EQ(told.metadata, "head+tail");
}

TEST(ClientStats, a_handler_that_throws_concerns_nobody_else) {
  auto throwing = std::make_shared<ThrowingStats>();
  StatsWorld world({.stats_handlers = {throwing}}, false);
  UnaryRun call(world, Context{}, "ask");
  world.settle();
  world.server().answer(world.request(), "reply");
  world.settle();
  ASSERT_TRUE(call.done());
  EXPECT_TRUE(call.status().is_ok());
  EXPECT_EQ(world.stats->of(0), "begin, delayed pick for the resolver, " + std::string(kWell.substr(7)));
  EXPECT_EQ(throwing->thrown, 9u) << "the connection, and each event of the call";
}

TEST(ClientStats, the_next_call_has_a_tag_of_its_own) {
  StatsWorld world;
  for (size_t i = 0; i < 2; ++i) {
    UnaryRun call(world, Context{}, "ask");
    world.settle();
    world.server().answer(world.request(i), "reply");
    world.settle();
    EXPECT_EQ(world.stats->of(i), kWell);
  }
  EXPECT_EQ(world.stats->connections.size(), 1u);
}

TEST(ClientStats, a_header_that_is_a_trailer_too_counts_as_the_trailer) {
  StatsWorld world;
  UnaryRun call(world, Context{}, "ask");
  world.settle();
  world.server().trailers_only(world.request(), "5");
  world.settle();
  EXPECT_EQ(world.stats->of(0), "begin, header sent, message sent 3, only a trailer received, end NOT_FOUND");
}

TEST(ClientStats, an_answer_without_its_message_ends_the_attempt_with_what_the_caller_gets) {
  StatsWorld world;
  UnaryRun call(world, Context{}, "ask");
  world.settle();
  world.server().send_headers(world.request());
  world.server().send_trailers(world.request(), "0");
  world.settle();
  EXPECT_EQ(world.stats->of(0), "begin, header sent, message sent 3, header received, trailer received, end INTERNAL");
}

// --- Ends that nobody answered ---

TEST(ClientStats, deadline_cancellation_and_reset_end_it_without_a_trailer) {
  StatsWorld world;
  UnaryRun late(world, world.in(1s), "ask");
  UnaryRun unwanted(world, Context{}, "ask");
  UnaryRun broken(world, Context{}, "ask");
  world.settle();
  unwanted.source.cancel();
  world.server().reset(world.request(2), http2::ErrorCode::kInternalError);
  world.advance(1s);
  EXPECT_EQ(world.stats->of(0), "begin, header sent, message sent 3, end DEADLINE_EXCEEDED");
  EXPECT_EQ(world.stats->calls[0].time, 1s);
  EXPECT_EQ(world.stats->of(1), "begin, header sent, message sent 3, end CANCELLED");
  EXPECT_EQ(world.stats->of(2), "begin, header sent, message sent 3, end INTERNAL");
}

TEST(ClientStats, a_lost_connection_ends_after_its_calls) {
  StatsWorld world;
  UnaryRun call(world, Context{}, "ask");
  world.settle();
  world.server().close();
  world.settle();
  EXPECT_EQ(world.stats->of(0), "begin, header sent, message sent 3, end UNAVAILABLE");
  ASSERT_TRUE(world.stats->connections.at(0).ended);
  EXPECT_EQ(world.stats->connections[0].calls_at_end, 0u);
  EXPECT_EQ(world.stats->connections[0].why, StatusCode::kUnavailable);
}

TEST(ClientStats, closing_ends_all_that_runs_or_waits) {
  StatsWorld world;
  UnaryRun running(world, Context{}, "ask");
  world.settle();
  world.conn->close();
  world.settle();
  EXPECT_EQ(world.stats->of(0), "begin, header sent, message sent 3, end CANCELLED");
  EXPECT_TRUE(world.stats->connections.at(0).ended);
  EXPECT_EQ(world.stats->connections[0].why, StatusCode::kCancelled);
}

TEST(ClientStats, what_was_never_tried_is_no_attempt) {
  StatsWorld world;
  UnaryRun call(world, world.in(-1s), "ask");
  world.settle();
  ASSERT_TRUE(call.done());
  EXPECT_TRUE(world.stats->calls.empty());
}

TEST(ClientStats, what_may_not_be_sent_has_no_header) {
  StatsWorld world;
  UnaryRun call(world, Context{}, "ask", {.max_send_bytes = 2});
  world.settle();
  EXPECT_EQ(world.stats->of(0), "begin, end RESOURCE_EXHAUSTED");
}

// --- Waiting ---

TEST(ClientStats, the_first_call_waits_for_the_resolver) {
  StatsWorld world({}, false);
  UnaryRun call(world, Context{}, "ask");
  world.settle();
  EXPECT_TRUE(world.stats->of(0).starts_with("begin, delayed pick")) << world.stats->of(0);
  EXPECT_TRUE(world.stats->of(0).ends_with("header sent, message sent 3")) << world.stats->of(0);
}

TEST(ClientStats, a_pick_that_waits_is_told_once) {
  StatsWorld world({}, false);
  world.network.mode = ScriptedNetwork::Mode::kRefuse;
  world.conn->connect();
  world.settle();
  UnaryRun fails(world, Context{}, "ask");
  UnaryRun waits(world, Context{}, "ask", {.wait_for_ready = true});
  world.settle();
  EXPECT_EQ(world.stats->of(0), "begin, end UNAVAILABLE");
  EXPECT_EQ(world.stats->of(1), "begin waiting for ready");
  EXPECT_TRUE(world.stats->connections.empty()) << "what can't be connected is no connection";
  world.network.mode = ScriptedNetwork::Mode::kAnswer;
  world.advance(3s);
  EXPECT_EQ(world.stats->of(1), "begin waiting for ready, delayed pick, header sent, message sent 3");
}

// --- Several attempts ---

TEST(ClientStats, a_retry_is_another_attempt) {
  StatsWorld world(kRetries);
  UnaryRun call(world, Context{}, "ask");
  world.settle();
  world.server().trailers_only(world.request(0), "14");
  world.settle();
  EXPECT_EQ(world.stats->open_calls(), 0u) << "nothing is tried between two attempts";
  world.advance(130ms);
  ASSERT_EQ(world.server().requests.size(), 2u);
  world.server().answer(world.request(1), "reply");
  world.settle();
  EXPECT_EQ(world.stats->of(0), "begin, header sent, message sent 3, only a trailer received, end UNAVAILABLE");
  EXPECT_EQ(
      world.stats->of(1),
      "begin after 1, header sent, message sent 3, header received, message received 5, trailer received, end OK");
}

TEST(ClientStats, of_hedges_one_wins_and_the_others_are_cancelled) {
  StatsWorld world(kHedges);
  UnaryRun call(world, Context{}, "ask");
  world.advance(200ms);
  ASSERT_EQ(world.server().requests.size(), 3u);
  world.server().answer(world.request(1), "reply");
  world.settle();
  EXPECT_EQ(world.stats->of(0), "begin, header sent, message sent 3, end CANCELLED");
  EXPECT_EQ(world.stats->of(1),
            "begin after 1 as a hedge, header sent, message sent 3, header received, message received 5, trailer "
            "received, end OK");
  EXPECT_EQ(world.stats->of(2), "begin after 2 as a hedge, header sent, message sent 3, end CANCELLED");
}

TEST(ClientStats, a_hedge_that_fails_for_good_is_the_only_one_that_failed) {
  StatsWorld world(kHedges);
  UnaryRun call(world, Context{}, "ask");
  world.advance(100ms);
  ASSERT_EQ(world.server().requests.size(), 2u);
  world.server().trailers_only(world.request(1), "7");
  world.settle();
  ASSERT_TRUE(call.done());
  EXPECT_TRUE(world.stats->of(0).ends_with("end CANCELLED")) << world.stats->of(0);
  EXPECT_TRUE(world.stats->of(1).ends_with("end PERMISSION_DENIED")) << world.stats->of(1);
}

TEST(ClientStats, what_a_server_never_saw_begins_again) {
  StatsWorld world;
  UnaryRun call(world, Context{}, "ask");
  world.settle();
  world.server().reset(world.request(0), http2::ErrorCode::kRefusedStream);
  world.settle();
  ASSERT_EQ(world.server().requests.size(), 2u);
  world.server().reset(world.request(1), http2::ErrorCode::kRefusedStream);
  world.settle();
  ASSERT_TRUE(call.done());
  EXPECT_EQ(world.stats->of(0), "begin, header sent, message sent 3, end UNAVAILABLE");
  EXPECT_EQ(world.stats->of(1), "begin again, header sent, message sent 3, end UNAVAILABLE");
  EXPECT_EQ(world.stats->calls.size(), 2u);
}

// --- Messages ---

TEST(ClientStats, compressed_messages_have_both_sizes) {
  StatsWorld world;
  const std::string text(1000, 'l');
  UnaryRun call(world, Context{}, text, {.compressor = "gzip"});
  world.settle();
  world.server().send_headers(world.request(), {{"grpc-encoding", "zstd"}});
  world.server().send_raw(world.request(), compressed_message("zstd", text + text));
  world.server().send_trailers(world.request(), "0");
  world.settle();
  EXPECT_EQ(world.stats->of(0),
            "begin, header sent gzip, message sent 1000 made smaller, header received zstd, message received 2000 "
            "made smaller, trailer received, end OK");
}

TEST(ClientStats, a_stream_tells_each_message) {
  StatsWorld world;
  world.open(kBidiStream);
  EXPECT_TRUE(*world.send("a"));
  world.settle();
  world.server().send_headers(world.request());
  world.server().send_message(world.request(), "bb");
  world.settle();
  EXPECT_EQ(world.recv(), "bb");
  EXPECT_TRUE(*world.send("ccc"));
  world.settle();
  world.server().send_trailers(world.request(), "0");
  EXPECT_EQ(world.recv(), "(end)");
  EXPECT_EQ(world.stats->of(0),
            "begin, header sent, message sent 1, header received, message received 2, message sent 3, trailer "
            "received, end OK");
  EXPECT_TRUE(world.stats->calls[0].begin.client_streams && world.stats->calls[0].begin.server_streams);
}

TEST(ClientStats, a_stream_that_is_sent_again_tells_its_messages_again) {
  StatsWorld world(kRetries);
  world.open(kClientStream, {}, {.compressor = "gzip"});
  EXPECT_TRUE(*world.send(std::string(1000, 'l')));
  EXPECT_TRUE(*world.send("b"));
  world.settle();
  world.server().trailers_only(world.request(0), "14");
  world.advance(130ms);
  ASSERT_EQ(world.server().requests.size(), 2u);
  world.server().answer(world.request(1), "reply");
  world.settle();
  EXPECT_EQ(world.recv(), "reply");
  EXPECT_EQ(world.stats->of(0),
            "begin, header sent gzip, message sent 1000 made smaller, message sent 1, only a trailer received, end "
            "UNAVAILABLE");
  EXPECT_EQ(world.stats->of(1),
            "begin after 1, header sent gzip, message sent 1000 made smaller, message sent 1, header received, "
            "message received 5, trailer received, end OK");
}

TEST(ClientStats, the_end_waits_for_messages_that_are_still_to_be_received) {
  StatsWorld world;
  world.open(kServerStream);
  EXPECT_TRUE(*world.send("a"));
  world.settle();
  world.server().send_headers(world.request());
  world.server().send_message(world.request(), "bb");
  world.server().send_message(world.request(), "ccc");
  world.advance(10ms);
  world.server().send_trailers(world.request(), "0");
  world.settle();
  world.advance(1s);
  EXPECT_EQ(world.recv(), "bb");
  EXPECT_FALSE(world.stats->calls[0].ended);
  EXPECT_EQ(world.recv(), "ccc");
  EXPECT_EQ(world.stats->of(0),
            "begin, header sent, message sent 1, header received, trailer received, message received 2, message "
            "received 3, end OK");
  EXPECT_EQ(world.stats->calls[0].time, 10ms) << "a caller that takes its time makes no server slow";
  EXPECT_EQ(world.recv(), "(end)");
}

TEST(ClientStats, messages_that_nobody_receives_are_not_told) {
  StatsWorld world;
  world.open(kServerStream);
  EXPECT_TRUE(*world.send("a"));
  world.settle();
  world.server().send_headers(world.request());
  world.server().send_message(world.request(), "bb");
  world.server().send_trailers(world.request(), "0");
  world.settle();
  EXPECT_FALSE(world.stats->calls[0].ended);
  world.stream.reset();
  world.settle();
  EXPECT_EQ(world.stats->of(0), "begin, header sent, message sent 1, header received, trailer received, end OK");
}

TEST(ClientStats, a_message_that_cannot_be_read_ends_the_attempt_at_once) {
  StatsWorld world;
  world.open(kServerStream, {}, {.max_receive_bytes = 3});
  EXPECT_TRUE(*world.send("a"));
  world.settle();
  world.server().send_headers(world.request());
  world.server().send_message(world.request(), "larger");
  world.server().send_message(world.request(), "b");
  world.settle();
  EXPECT_TRUE(world.recv().starts_with("RESOURCE_EXHAUSTED"));
  EXPECT_EQ(world.stats->of(0), "begin, header sent, message sent 1, header received, end RESOURCE_EXHAUSTED");
}

TEST(ClientStats, an_answer_that_the_codec_cannot_read_ends_as_its_caller_hears) {
  const CodecRegistry codecs = with_reversing_codec();
  StatsWorld world({.codecs = &codecs});
  UnaryRun call(world, Context{}, "ask", {.content_subtype = "reversed"});
  world.settle();
  world.server().send_headers(world.request());
  world.server().send_message(world.request(), reversed("bad"));
  if (!world.request().reset) world.server().send_trailers(world.request(), "0");
  world.settle();
  ASSERT_TRUE(call.done());
  EXPECT_EQ(call.status().code(), StatusCode::kOutOfRange);
  EXPECT_EQ(world.stats->of(0), "begin, header sent, message sent 3, header received, end OUT_OF_RANGE");
  EXPECT_EQ(world.conn->counters().calls_failed, 1u);
  EXPECT_EQ(world.conn->counters().calls_succeeded, 0u);
}

// Also when the server had ended the call with OK long before.
TEST(ClientStats, a_streams_message_that_cannot_be_decoded_ends_as_its_caller_hears) {
  const CodecRegistry codecs = with_reversing_codec();
  for (const StreamDesc* desc : {&kClientStream, &kServerStream}) {
    for (const char* text : {"bad", "good"}) {
      StatsWorld world({.codecs = &codecs});
      world.open(*desc, {}, {.content_subtype = "reversed"});
      EXPECT_TRUE(*world.send("a"));
      world.settle();
      world.server().answer(world.request(), reversed(text));
      world.settle();
      EXPECT_FALSE(world.stats->calls[0].ended) << "whether it's well, nobody knows yet";
      const bool good = std::string_view(text) == "good";
      EXPECT_EQ(world.recv(), good ? "good" : "OUT_OF_RANGE: it can't read that");
      ASSERT_TRUE(world.stats->calls[0].ended);
      EXPECT_EQ(world.stats->calls[0].code, good ? StatusCode::kOk : StatusCode::kOutOfRange);
    }
  }
}

TEST(ClientStats, a_stream_that_is_destroyed_ends) {
  StatsWorld world;
  world.open(kBidiStream);
  world.stream.reset();
  world.settle();
  EXPECT_EQ(world.stats->of(0), "begin, header sent, end CANCELLED");
}

// --- Handlers ---

TEST(ClientStats, calls_that_the_runtime_makes_for_itself_are_not_told) {
  StatsWorld world(
      {.balancer = "round_robin", .default_service_config = R"({"healthCheckConfig": {"serviceName": "some"}})"});
  ASSERT_EQ(world.server().requests.size(), 1u);
  EXPECT_EQ(world.request().header(":path"), "/grpc.health.v1.Health/Watch");
  EXPECT_TRUE(world.stats->calls.empty());
}

TEST(ClientStats, several_handlers_have_tags_of_their_own) {
  const auto first = std::make_shared<RecordingStats>();
  const auto second = std::make_shared<RecordingStats>();
  ClientWorld world;
  world.connect({.stats_handlers = {first, second, std::make_shared<StatsHandler>()}});
  world.conn->connect();
  world.settle();
  UnaryRun call(world, Context{}, "ask");
  world.settle();
  world.server().answer(world.request(), "reply");
  world.settle();
  EXPECT_EQ(first->of(0), kWell);
  EXPECT_EQ(second->of(0), kWell);
}

TEST(ClientStats, a_handler_that_is_null_is_refused) {
  ClientWorld world;
  const auto conn = ClientConn::create(world.loops, "ipv4:127.0.0.1:1",
                                       {.credentials = insecure_credentials(), .stats_handlers = {nullptr}});
  ASSERT_FALSE(conn);
  EXPECT_EQ(conn.error().code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace gaggle
