// SPDX-License-Identifier: Apache-2.0
//
// The rules of ClientStream, one test each, against a scripted server.
#include <gtest/gtest.h>

#include "gaggle/rpc/call_attempt.h"
#include "gaggle/rpc/client_stream_testing.h"

namespace gaggle {
namespace {

using namespace std::chrono_literals;

TEST(ClientStreamTest, messages_go_both_ways_in_order) {
  StreamWorld world;
  world.open(kBidiStream);
  EXPECT_EQ(world.request().header(":path"), "/test.Service/Stream");
  EXPECT_TRUE(*world.send("a"));
  EXPECT_TRUE(*world.send("b"));
  world.settle();
  EXPECT_EQ(world.request().messages(), (std::vector<std::string>{"a", "b"}));
  EXPECT_FALSE(world.request().ended);
  world.server().send_headers(world.request());
  world.server().send_message(world.request(), "1");
  world.server().send_message(world.request(), "2");
  world.settle();
  EXPECT_EQ(world.recv(), "1");
  EXPECT_EQ(world.recv(), "2");
  EXPECT_TRUE(world.now(world.stream->close_send()).is_ok());
  world.settle();
  EXPECT_TRUE(world.request().ended);
  world.server().send_trailers(world.request(), "0", {{"x-tail", "t"}});
  world.settle();
  EXPECT_TRUE(world.stream->trailer().get("x-tail").has_value());
  EXPECT_EQ(world.recv(), "(end)");
  EXPECT_EQ(world.recv(), "(end)") << "the end stays the end";
  EXPECT_EQ(world.stream->trailer().get("x-tail"), "t");
}

TEST(ClientStreamTest, messages_that_arrived_come_before_the_status) {
  StreamWorld world;
  world.open(kServerStream);
  world.server().send_headers(world.request());
  world.server().send_message(world.request(), "1");
  world.server().send_message(world.request(), "2");
  world.server().send_trailers(world.request(), "9", {{"grpc-message", "enough"}});
  world.settle();
  EXPECT_EQ(world.recv(), "1");
  EXPECT_EQ(world.recv(), "2");
  EXPECT_EQ(world.recv(), "FAILED_PRECONDITION: enough");
  EXPECT_EQ(world.recv(), "FAILED_PRECONDITION: enough");
}

TEST(ClientStreamTest, send_on_a_call_whose_client_doesnt_stream_half_closes) {
  StreamWorld world;
  world.open(kServerStream);
  EXPECT_TRUE(*world.send("ask"));
  world.settle();
  EXPECT_TRUE(world.request().ended);
  Result<bool> second = world.send("more");
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code(), StatusCode::kFailedPrecondition);
  EXPECT_TRUE(world.now(world.stream->close_send()).is_ok()) << "nothing left to do";
  world.server().answer(world.request(), "1");
  world.settle();
  EXPECT_EQ(world.recv(), "1") << "the refusal did no harm";
}

TEST(ClientStreamTest, send_waits_for_flow_control_and_goes_on_with_it) {
  StreamWorld world;
  world.network.mode = ScriptedNetwork::Mode::kAnswer;
  world.network.server_options.initial_window_bytes = 1000;
  world.open(kBidiStream);
  world.server().pipe().hold_writes(true);  // no window updates come
  const Bytes large = Bytes::copy_of(std::string(200'000, 'x'));
  Running<Result<bool>> sending(world, world.stream->send(message_of(large)));
  world.settle();
  EXPECT_FALSE(sending.done()) << "more than may be queued waits for the server";
  world.server().pipe().hold_writes(false);
  world.settle();
  ASSERT_TRUE(sending.done());
  EXPECT_TRUE(*sending.take());
  EXPECT_EQ(world.request().messages().front().size(), 200'000u);
}

TEST(ClientStreamTest, send_that_waits_wakes_when_the_call_ends) {
  StreamWorld world;
  world.network.server_options.initial_window_bytes = 1000;
  world.open(kBidiStream);
  world.server().pipe().hold_writes(true);
  const Bytes large = Bytes::copy_of(std::string(200'000, 'x'));
  Running<Result<bool>> sending(world, world.stream->send(message_of(large)));
  world.settle();
  ASSERT_FALSE(sending.done());
  world.server().trailers_only(world.request(), "8", "no more");
  world.server().pipe().hold_writes(false);
  world.settle();
  ASSERT_TRUE(sending.done());
  EXPECT_FALSE(*sending.take()) << "the peer's end is no error of send";
  EXPECT_EQ(world.recv(), "RESOURCE_EXHAUSTED: no more") << "recv has the status";
  EXPECT_FALSE(*world.send("late"));
}

TEST(ClientStreamTest, a_message_that_is_too_large_ends_the_call_with_that_status) {
  StreamWorld world;
  world.open(kBidiStream, {}, {.max_send_bytes = 3});
  EXPECT_TRUE(*world.send("abc"));
  Result<bool> sent = world.send("abcd");
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().code(), StatusCode::kResourceExhausted);
  EXPECT_TRUE(world.recv().starts_with("RESOURCE_EXHAUSTED"));
  world.settle();
  EXPECT_EQ(world.request().messages(), std::vector<std::string>{"abc"}) << "nothing of it was sent";
  EXPECT_EQ(world.request().reset, http2::ErrorCode::kCancel);
}

TEST(ClientStreamTest, a_second_send_a_second_recv_and_an_early_close_are_refused_without_harm) {
  StreamWorld world;
  world.network.server_options.initial_window_bytes = 1000;
  world.open(kBidiStream);
  world.server().pipe().hold_writes(true);
  const Bytes large = Bytes::copy_of(std::string(200'000, 'x'));
  Running<Result<bool>> sending(world, world.stream->send(message_of(large)));
  Bytes answer;
  Running<Result<bool>> receiving(world, world.stream->recv(message_of(answer)));
  world.settle();
  ASSERT_FALSE(sending.done());
  EXPECT_EQ(world.send("second").error().code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(world.now(world.stream->close_send()).code(), StatusCode::kFailedPrecondition);
  EXPECT_TRUE(world.recv().starts_with("FAILED_PRECONDITION"));
  world.server().pipe().hold_writes(false);
  world.settle();
  EXPECT_TRUE(*sending.take());
  world.server().answer(world.request(), "reply");
  world.settle();
  ASSERT_TRUE(receiving.done());
  EXPECT_TRUE(*receiving.take());
  EXPECT_EQ(answer.view(), "reply");
  EXPECT_EQ(world.request().messages().size(), 1u);
}

TEST(ClientStreamTest, nothing_is_sent_after_close_send) {
  StreamWorld world;
  world.open(kBidiStream);
  EXPECT_TRUE(world.now(world.stream->close_send()).is_ok());
  EXPECT_TRUE(world.now(world.stream->close_send()).is_ok());
  EXPECT_EQ(world.send("late").error().code(), StatusCode::kFailedPrecondition);
}

TEST(ClientStreamTest, header_waits_for_the_servers_headers) {
  StreamWorld world;
  Metadata filled;
  Peer peer;
  world.open(kBidiStream, {}, {.header = &filled, .peer = &peer});
  Running<Result<const Metadata*>> header(world, world.stream->header());
  world.settle();
  EXPECT_FALSE(header.done());
  world.server().send_headers(world.request(), {{"x-head", "h"}});
  world.settle();
  ASSERT_TRUE(header.done());
  EXPECT_EQ((*header.take())->get("x-head"), "h");
  EXPECT_EQ(filled.get("x-head"), "h");
  EXPECT_FALSE(peer.address.empty());
}

TEST(ClientStreamTest, header_of_a_call_without_headers_is_its_status_or_empty) {
  StreamWorld world;
  world.open(kBidiStream);
  world.server().trailers_only(world.request(), "5");
  world.settle();
  EXPECT_EQ(world.now(world.stream->header()).error().code(), StatusCode::kNotFound);
  world.stream.reset();
  world.open(kBidiStream);
  world.server().trailers_only(*world.server().requests.back(), "0");
  world.settle();
  auto header = world.now(world.stream->header());
  ASSERT_TRUE(header);
  EXPECT_TRUE((*header)->empty());
  EXPECT_EQ(world.recv(), "(end)");
}

TEST(ClientStreamTest, a_server_that_doesnt_stream_gives_its_message_with_the_status_only) {
  StreamWorld world;
  world.open(kClientStream);
  EXPECT_TRUE(*world.send("a"));
  EXPECT_TRUE(world.now(world.stream->close_send()).is_ok());
  Bytes answer;
  Running<Result<bool>> receiving(world, world.stream->recv(message_of(answer)));
  world.settle();
  world.server().send_headers(world.request());
  world.server().send_message(world.request(), "sum");
  world.settle();
  EXPECT_FALSE(receiving.done()) << "the status may still say no";
  world.server().send_trailers(world.request(), "0");
  world.settle();
  ASSERT_TRUE(receiving.done());
  EXPECT_TRUE(*receiving.take());
  EXPECT_EQ(answer.view(), "sum");
  EXPECT_EQ(world.recv(), "(end)");
}

TEST(ClientStreamTest, no_message_or_two_where_one_was_due_is_internal) {  // [149] [158]
  StreamWorld world;
  world.open(kClientStream);
  world.server().send_headers(world.request());
  world.server().send_trailers(world.request(), "0");
  world.settle();
  EXPECT_TRUE(world.recv().starts_with("INTERNAL"));
  world.stream.reset();
  world.open(kClientStream);
  auto& request = *world.server().requests.back();
  world.server().send_headers(request);
  world.server().send_message(request, "1");
  world.server().send_message(request, "2");
  world.settle();
  EXPECT_TRUE(world.recv().starts_with("INTERNAL"));
}

TEST(ClientStreamTest, a_message_larger_than_the_window_arrives) {
  StreamWorld world;
  world.open(kServerStream, {}, {.max_receive_bytes = 8u << 20});
  world.server().send_headers(world.request());
  world.server().send_message(world.request(), std::string(3u << 20, 'x'));
  world.server().send_message(world.request(), "small");
  world.settle();
  EXPECT_EQ(world.recv().size(), 3u << 20);
  EXPECT_EQ(world.recv(), "small");
}

TEST(ClientStreamTest, a_server_that_sends_faster_than_we_read_has_to_wait) {
  StreamWorld world;
  world.open(kServerStream);
  world.server().send_headers(world.request());
  for (int i = 0; i < 1000; ++i) world.server().send_message(world.request(), std::string(10'000, 'x'));
  world.settle();
  EXPECT_GT(world.request().stream->queued_bytes(), 9'000'000u) << "about one window has left the server";
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(world.recv().size(), 10'000u);
}

TEST(ClientStreamTest, cancel_ends_pending_operations) {
  StreamWorld world;
  world.open(kBidiStream);
  Bytes answer;
  Running<Result<bool>> receiving(world, world.stream->recv(message_of(answer)));
  Running<Result<const Metadata*>> header(world, world.stream->header());
  world.settle();
  world.stream->cancel();
  world.settle();
  ASSERT_TRUE(receiving.done());
  EXPECT_EQ(receiving.take().error().code(), StatusCode::kCancelled);
  EXPECT_EQ(header.take().error().code(), StatusCode::kCancelled);
  EXPECT_EQ(world.request().reset, http2::ErrorCode::kCancel);
}

TEST(ClientStreamTest, destroying_a_stream_cancels_its_call) {
  StreamWorld world;
  world.open(kBidiStream);
  world.stream.reset();
  world.settle();
  EXPECT_EQ(world.request().reset, http2::ErrorCode::kCancel);
  EXPECT_EQ(world.conn->counters().calls_now, 0u);
}

TEST(ClientStreamTest, the_deadline_ends_a_stream) {
  StreamWorld world;
  world.open(kBidiStream, world.in(1s));
  Bytes answer;
  Running<Result<bool>> receiving(world, world.stream->recv(message_of(answer)));
  world.advance(1s);
  ASSERT_TRUE(receiving.done());
  EXPECT_EQ(receiving.take().error().code(), StatusCode::kDeadlineExceeded);
  EXPECT_FALSE(*world.send("late"));
}

TEST(ClientStreamTest, new_stream_fails_where_there_is_no_connection) {
  StreamWorld world;
  world.network.mode = ScriptedNetwork::Mode::kRefuse;
  world.connect();
  Running<Result<std::unique_ptr<ClientStream>>> opening(world,
                                                         world.conn->new_stream(Context{}, kBidiStream, "/a/b", {}));
  world.settle();
  ASSERT_TRUE(opening.done());
  EXPECT_EQ(opening.take().error().code(), StatusCode::kUnavailable);
}

TEST(ClientStreamTest, a_refused_stream_is_sent_again_with_all_its_messages) {
  StreamWorld world;
  world.open(kBidiStream);
  EXPECT_TRUE(*world.send("a"));
  EXPECT_TRUE(*world.send("b"));
  EXPECT_TRUE(world.now(world.stream->close_send()).is_ok());
  world.settle();
  world.server().reset(world.request(0), http2::ErrorCode::kRefusedStream);
  world.settle();
  ASSERT_EQ(world.server().requests.size(), 2u);
  EXPECT_EQ(world.request(1).messages(), (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(world.request(1).ended);
  world.server().answer(world.request(1), "reply");
  world.settle();
  EXPECT_EQ(world.recv(), "reply");
  EXPECT_EQ(world.recv(), "(end)");
}

class CountingHook final : public CallOption {
 public:
  int after_calls = 0;
  Status last;
  void after(const CallInfo&, const CallAttempt& attempt) noexcept override {
    ++after_calls;
    last = attempt.status;
  }
};

TEST(ClientStreamTest, hooks_hear_of_the_end_once) {
  StreamWorld world;
  CountingHook hook;
  CallOption* own[] = {&hook};
  world.open(kServerStream, {}, {.custom = own});
  world.server().answer(world.request(), "1");
  world.settle();
  EXPECT_EQ(world.recv(), "1");
  EXPECT_EQ(hook.after_calls, 0);
  EXPECT_EQ(world.recv(), "(end)");
  EXPECT_EQ(world.recv(), "(end)");
  world.stream.reset();
  EXPECT_EQ(hook.after_calls, 1);
  EXPECT_TRUE(hook.last.is_ok());
  world.open(kServerStream, {}, {.custom = own});
  world.stream.reset();
  EXPECT_EQ(hook.after_calls, 2);
  EXPECT_EQ(hook.last.code(), StatusCode::kCancelled) << "abandoned before its end";
}

TEST(ClientStreamTest, closing_the_connection_ends_streams) {
  StreamWorld world;
  world.open(kBidiStream);
  Bytes answer;
  Running<Result<bool>> receiving(world, world.stream->recv(message_of(answer)));
  world.settle();
  world.conn.reset();
  world.settle();
  ASSERT_TRUE(receiving.done());
  EXPECT_EQ(receiving.take().error().code(), StatusCode::kCancelled);
  EXPECT_FALSE(*world.send("late")) << "a stream outlives its connection, as an ended one";
}

}  // namespace
}  // namespace gaggle
