// SPDX-License-Identifier: Apache-2.0
//
// A server that is written byte by byte: what no proper one would send.
#include <gtest/gtest.h>

#include "gaggle/http2/frames_testing.h"
#include "gaggle/rpc/client_testing.h"

namespace gaggle {
namespace {

using namespace http2::testing;
using http2::ErrorCode;
using http2::FrameType;
using namespace std::chrono_literals;

const Fields kResponseHead = {{":status", "200"}, {"content-type", "application/grpc"}};

// A client, and the far end of its connection.
struct RawWorld : ClientWorld {
  RawWorld() { network.mode = ScriptedNetwork::Mode::kMute; }
  void say(std::string_view bytes) {
    const Loop::Enter enter(time.loop);
    const iovec piece{const_cast<char*>(bytes.data()), bytes.size()};
    ASSERT_EQ(network.raw.back()->write({&piece, 1}).bytes, bytes.size());
  }
  // A connection that is ready, with one call on stream 1.
  std::unique_ptr<UnaryRun> call_on_stream_1() {
    connect();
    auto call = std::make_unique<UnaryRun>(*this, Context{}, "ask");
    settle();
    say(settings());
    settle();
    return call;
  }
  void answer(uint32_t stream) {
    say(headers(stream, kResponseHead, kEndHeaders) + data(stream, framed("reply")) +
        headers(stream, {{"grpc-status", "0"}}));
    settle();
  }
};

TEST(ClientFaultsTest, informational_headers_are_skipped) {  // [129]
  RawWorld world;
  auto call = world.call_on_stream_1();
  world.say(headers(1, {{":status", "103"}, {"link", "</style>"}}, kEndHeaders));
  world.settle();
  EXPECT_FALSE(call->done());
  world.answer(1);
  ASSERT_TRUE(call->done());
  EXPECT_TRUE(call->status().is_ok());
  EXPECT_EQ(call->response.view(), "reply");
}

TEST(ClientFaultsTest, nothing_is_ready_before_the_servers_settings) {
  RawWorld world;
  world.connect();
  UnaryRun call(world, Context{}, "ask");
  world.settle();
  EXPECT_EQ(world.conn->state(), ConnectivityState::kConnecting) << "a socket that opens is no server yet";
  world.say(settings());
  world.settle();
  EXPECT_EQ(world.conn->state(), ConnectivityState::kReady);
}

TEST(ClientFaultsTest, a_port_that_accepts_and_stays_silent_fails_the_attempt) {
  RawWorld world;
  world.connect();
  UnaryRun call(world, Context{}, "ask");
  world.advance(9s);
  EXPECT_FALSE(call.done());
  world.advance(2s);
  ASSERT_TRUE(call.done()) << "a server's preface may take 10 s";
  EXPECT_EQ(call.status().code(), StatusCode::kUnavailable);
}

TEST(ClientFaultsTest, garbage_instead_of_a_server_is_unavailable) {
  RawWorld world;
  world.connect();
  UnaryRun call(world, Context{}, "ask");
  world.settle();
  world.say("HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n");
  world.settle();
  ASSERT_TRUE(call.done());
  EXPECT_EQ(call.status().code(), StatusCode::kUnavailable);
}

TEST(ClientFaultsTest, a_push_promise_breaks_the_connection_and_its_calls) {  // [65]
  RawWorld world;
  auto call = world.call_on_stream_1();
  world.say(frame(FrameType::kPushPromise, kEndHeaders, 1, u32(2) + block({{":method", "GET"}})));
  world.settle();
  ASSERT_TRUE(call->done());
  EXPECT_EQ(call->status().code(), StatusCode::kInternal);
}

TEST(ClientFaultsTest, a_second_header_section_that_isnt_the_end_is_internal) {  // [125]
  RawWorld world;
  auto call = world.call_on_stream_1();
  world.say(headers(1, kResponseHead, kEndHeaders) + headers(1, {{"x-more", "1"}}, kEndHeaders));
  world.settle();
  ASSERT_TRUE(call->done());
  EXPECT_EQ(call->status().code(), StatusCode::kInternal);
}

TEST(ClientFaultsTest, data_after_trailers_changes_nothing) {  // [157]
  RawWorld world;
  auto call = world.call_on_stream_1();
  world.answer(1);
  ASSERT_TRUE(call->done());
  world.say(data(1, "more"));
  world.settle();
  EXPECT_TRUE(call->status().is_ok());
}

TEST(ClientFaultsTest, reset_without_error_after_the_full_answer_is_success) {  // [159]
  RawWorld world;
  auto call = world.call_on_stream_1();
  world.say(headers(1, kResponseHead, kEndHeaders) + data(1, framed("reply")) + headers(1, {{"grpc-status", "0"}}) +
            rst_stream(1, ErrorCode::kNoError));
  world.settle();
  ASSERT_TRUE(call->done());
  EXPECT_TRUE(call->status().is_ok());
}

TEST(ClientFaultsTest, an_unknown_goaway_code_ends_the_connection_kindly) {  // [75]
  RawWorld world;
  auto call = world.call_on_stream_1();
  world.say(goaway(1, static_cast<ErrorCode>(0xabcdef), "whatever"));
  world.settle();
  EXPECT_FALSE(call->done()) << "stream 1 may still be answered";
  world.answer(1);
  ASSERT_TRUE(call->done());
  EXPECT_TRUE(call->status().is_ok());
}

TEST(ClientFaultsTest, a_second_goaway_cant_take_streams_back) {  // [78]
  RawWorld world;
  auto call = world.call_on_stream_1();
  world.say(goaway(0, ErrorCode::kNoError));
  world.settle();
  ASSERT_EQ(world.network.raw.size(), 2u) << "stream 1 was never processed: it goes out again elsewhere";
  world.say(settings());
  world.settle();
  EXPECT_FALSE(call->done());
  world.answer(1);
  ASSERT_TRUE(call->done());
  EXPECT_TRUE(call->status().is_ok());
  EXPECT_EQ(world.conn->counters().transparent_retries, 1u);
}

TEST(ClientFaultsTest, a_limit_that_shrinks_below_what_runs_holds_for_new_calls) {
  RawWorld world;
  auto first = world.call_on_stream_1();
  UnaryRun second(world, Context{}, "b");
  world.settle();
  world.say(settings({{http2::SettingId::kMaxConcurrentStreams, 1}}));
  world.settle();
  UnaryRun third(world, Context{}, "c");
  world.settle();
  world.answer(1);
  EXPECT_TRUE(first->done());
  // Stream 5 isn't open yet, so answering it would be a connection error.
  world.answer(3);
  ASSERT_TRUE(second.done());
  EXPECT_TRUE(second.status().is_ok());
  world.answer(5);
  ASSERT_TRUE(third.done());
  EXPECT_TRUE(third.status().is_ok()) << "it went out when the count had come down";
  EXPECT_EQ(world.network.raw.size(), 1u);
}

TEST(ClientFaultsTest, a_limit_of_zero_queues_until_the_deadline_or_a_better_limit) {  // [187]
  RawWorld world;
  world.connect();
  UnaryRun hasty(world, world.in(1s), "a");
  UnaryRun patient(world, Context{}, "b");
  world.settle();
  world.say(settings({{http2::SettingId::kMaxConcurrentStreams, 0}}));
  world.advance(1s);
  ASSERT_TRUE(hasty.done());
  EXPECT_EQ(hasty.status().code(), StatusCode::kDeadlineExceeded);
  EXPECT_FALSE(patient.done());
  world.say(settings({{http2::SettingId::kMaxConcurrentStreams, 10}}));
  world.settle();
  world.answer(1);
  ASSERT_TRUE(patient.done());
  EXPECT_TRUE(patient.status().is_ok());
}

TEST(ClientFaultsTest, a_lost_connection_names_the_reason) {  // [12]
  RawWorld world;
  auto call = world.call_on_stream_1();
  world.network.raw.back()->break_connection(Status::unavailable("connection reset by peer"));
  world.settle();
  ASSERT_TRUE(call->done());
  const Status status = call->status();
  EXPECT_EQ(status.code(), StatusCode::kUnavailable);
  EXPECT_NE(status.message().find("connection reset by peer"), std::string_view::npos) << status.to_string();
}

}  // namespace
}  // namespace gaggle
