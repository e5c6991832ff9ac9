// SPDX-License-Identifier: Apache-2.0
//
// Streaming handlers: order, flow control, and the rules of server_stream.h.
#include <gtest/gtest.h>

#include "gaggle/net/sleep.h"
#include "gaggle/rpc/server_call.h"
#include "gaggle/rpc/server_testing.h"

namespace gaggle {
namespace {

Task<Status> count_up(TestService& service, ServerStream& stream) {
  Text text;
  Result<bool> more = co_await stream.recv(message_of(text));
  if (!more) co_return more.error();
  const int count = std::stoi(text.value);
  for (int i = 0; i < count; ++i) {
    text.value = std::to_string(i);
    Status sent = co_await stream.send(message_of(text));
    ++service.started;
    if (!sent) co_return sent;
  }
  co_return Status::ok();
}

Task<Status> join(TestService& service, ServerStream& stream) {
  Text joined;
  for (;;) {
    Text text;
    Result<bool> more = co_await stream.recv(message_of(text));
    if (!more) {
      service.ended.push_back(more.error());
      co_return more.error();
    }
    if (!*more) break;
    joined.value += text.value;
  }
  co_return co_await stream.send(message_of(joined));
}

// Sends 16 KiB pieces until a send fails.
Task<Status> pour(TestService& service, ServerStream& stream) {
  Text text{std::string(16 * 1024, 'p')};
  for (;;) {
    Status sent = co_await stream.send(message_of(text));
    if (!sent) {
      service.ended.push_back(sent);
      co_return sent;
    }
    ++service.started;
  }
}

Task<Status> end_early(TestService&, ServerStream& stream) {
  Text text;
  Result<bool> more = co_await stream.recv(message_of(text));
  co_return more ? Status::already_exists("enough") : more.error();
}

Task<Status> send_nothing(TestService&, ServerStream&) { co_return Status::ok(); }

Task<Status> send_twice(TestService& service, ServerStream& stream) {
  const Text text{"answer"};
  Status first = co_await stream.send(message_of(text));
  Status second = co_await stream.send(message_of(text));
  service.ended.push_back(first);
  service.ended.push_back(second);
  co_return Status::ok();
}

Task<Status> second_operations(TestService& service, ServerStream& stream) {
  // Both wait: nothing has come, and the client takes nothing.
  Text text;
  const Text big{std::string(200 * 1024, 'b')};
  auto fill = [](ServerStream& out, const Text& message) -> Task<Status> {
    co_return co_await out.send(message_of(message));
  };
  Status queued = co_await fill(stream, big);
  TaskRecord<Result<bool>> receiving;
  TaskRecord<Status> sending;
  const Context& context = co_await current_context();
  start(stream.recv(message_of(text)), receiving, context);
  start(stream.send(message_of(big)), sending, context);
  EXPECT_FALSE(receiving.ended());
  EXPECT_FALSE(sending.ended());
  Result<bool> second_recv = co_await stream.recv(message_of(text));
  Status second_send = co_await stream.send(message_of(big));
  service.ended = {queued, second_recv.status(), second_send};
  Status opened = co_await service.gate->wait();
  while (!receiving.ended() || !sending.ended()) {
    opened = co_await sleep_for(stream.context().loop(), std::chrono::milliseconds{1});
  }
  service.ended.push_back(receiving.take().status());
  service.ended.push_back(sending.take());
  service.received.push_back(text.value);
  co_return Status::ok();
}

Task<Status> headers_first(TestService& service, ServerStream& stream) {
  ServerContext& context = stream.context();
  EXPECT_TRUE(context.set_header("early", "yes"));
  EXPECT_TRUE(context.send_header());
  service.ended = {context.send_header(), context.set_header("late", "no")};
  co_return co_await service.gate->wait();
}

Task<Status> send_bad(TestService& service, ServerStream& stream) {
  const Text bad{"unencodable"};
  const Text good{"good"};
  Text text;
  Status sent = co_await stream.send(message_of(bad));
  Status after = co_await stream.send(message_of(good));
  Result<bool> received = co_await stream.recv(message_of(text));
  service.ended = {sent, after, received.status()};
  co_return Status::ok();
}

TEST(ServerStreaming, a_server_stream_sends_its_messages_in_order) {
  ServerWorld world;
  world.service.stream = count_up;
  ClientCall& call = world.finish(world.client().call("ServerStream", "1000"));
  ASSERT_EQ(call.messages().size(), 1000u);
  for (size_t i = 0; i < 1000; ++i) ASSERT_EQ(call.messages()[i], std::to_string(i));
  EXPECT_EQ(call.grpc_status(), "0");
}

TEST(ServerStreaming, a_client_stream_is_read_to_its_end) {
  ServerWorld world;
  world.service.stream = join;
  ClientCall& call = world.client().start(FrameClient::request("ClientStream"));
  for (const char* part : {"a", "b", "", "c"}) world.client().send(call, FrameClient::message(part));
  world.settle();
  EXPECT_FALSE(call.over());
  world.client().send(call, "", true);
  world.finish(call);
  EXPECT_EQ(call.messages(), std::vector<std::string>{"abc"});
  EXPECT_EQ(call.grpc_status(), "0");
}

TEST(ServerStreaming, both_directions_run_at_once) {
  ServerWorld world;
  ClientCall& call = world.client().start(FrameClient::request("Chat"));
  for (int i = 0; i < 50; ++i) {
    world.client().send(call, FrameClient::message(std::to_string(i)));
    world.settle();
    ASSERT_EQ(call.messages().size(), static_cast<size_t>(i) + 1) << "each is answered before the next is sent";
  }
  world.client().send(call, "", true);
  EXPECT_EQ(world.finish(call).grpc_status(), "0");
}

TEST(ServerStreaming, a_message_larger_than_the_window_arrives) {
  ServerWorld world;
  ClientCall& call = world.client().start(FrameClient::request("Chat"));
  world.client().send(call, FrameClient::message(std::string(2'000'000, 'x')), true);
  EXPECT_EQ(world.finish(call).messages().at(0).size(), 2'000'000u);
}

TEST(ServerStreaming, a_million_bytes_of_small_messages_are_no_abuse) {
  ServerWorld world;
  ClientCall& call = world.client().start(FrameClient::request("Chat"));
  for (int i = 0; i < 20'000; ++i) {
    world.client().send(call, FrameClient::message("0123456789"));
    if (i % 10 == 0) world.settle();
  }
  world.client().send(call, "", true);
  world.finish(call);
  EXPECT_EQ(call.grpc_status(), "0");
  EXPECT_EQ(call.messages().size(), 20'000u);
  EXPECT_EQ(world.server->counters().http2.abuse_closes, 0u);
}

TEST(ServerStreaming, a_handler_that_is_faster_than_its_client_waits) {
  ServerWorld world;
  world.service.stream = pour;
  world.client().consume_automatically(false);
  ClientCall& call = world.client().call("ServerStream", "go");
  world.settle();
  const int sent = world.service.started;
  EXPECT_GT(sent, 4) << "the window is filled";
  EXPECT_LT(sent, 64) << "window and queue are 320 KiB, not more";
  world.world.advance(std::chrono::seconds{10});
  EXPECT_EQ(world.service.started, sent) << "then it waits";
  world.client().consume(call, 200 * 1024);
  world.settle();
  EXPECT_GT(world.service.started, sent) << "and goes on when the client has read";
  world.client().reset(call);
  world.settle();
  ASSERT_EQ(world.service.ended.size(), 1u);
  EXPECT_EQ(world.service.ended[0].code(), StatusCode::kCancelled) << "a waiting send wakes when the call ends";
}

TEST(ServerStreaming, an_early_end_sends_trailers_and_then_a_reset_without_error) {
  ServerWorld world;
  world.service.stream = end_early;
  ClientCall& call = world.client().start(FrameClient::request("Chat"));
  world.client().send(call, FrameClient::message("x"));
  world.settle();
  EXPECT_TRUE(call.ended) << "the status came";
  EXPECT_EQ(call.grpc_status(), "6");
  EXPECT_EQ(call.reset, http2::ErrorCode::kNoError) << "and after it: nothing more is wanted";
}

TEST(ServerStreaming, cardinality_is_watched) {  // [149] [150]
  ServerWorld world;
  world.service.stream = count_up;
  ClientCall& two = world.client().start(FrameClient::request("ServerStream"));
  world.client().send(two, FrameClient::message("1") + FrameClient::message("2"), true);
  EXPECT_EQ(world.finish(two).grpc_status(), "12");
  ClientCall& none = world.client().start(FrameClient::request("ServerStream"), true);
  EXPECT_EQ(world.finish(none).grpc_status(), "12");
  world.service.stream = send_nothing;
  ClientCall& silent = world.client().start(FrameClient::request("ClientStream"), true);
  EXPECT_EQ(world.finish(silent).grpc_status(), "13") << "a method that has one response sent none";
  world.service.stream = send_twice;
  ClientCall& twice = world.finish(world.client().start(FrameClient::request("ClientStream"), true));
  EXPECT_EQ(twice.grpc_status(), "13");
  EXPECT_EQ(world.service.ended[1].code(), StatusCode::kInternal);
}

TEST(ServerStreaming, an_ok_without_messages_has_headers_and_trailers) {
  ServerWorld world;
  world.service.stream = send_nothing;
  ClientCall& call = world.finish(world.client().start(FrameClient::request("Chat"), true));
  EXPECT_EQ(call.grpc_status(), "0");
  EXPECT_EQ(call.header_value(":status"), "200");
}

TEST(ServerStreaming, what_cannot_be_read_ends_the_call) {  // [140] [141] [143] [148] [164]
  for (const auto& [content, status] :
       std::vector<std::pair<std::string, std::string>>{{std::string("\1\0\0\0\1x", 6), "13"},
                                                        {std::string("\7\0\0\0\1x", 6), "13"},
                                                        {std::string("\0\xff\xff\xff\xff", 5), "8"},
                                                        {FrameClient::message("\xff"), "13"},
                                                        {FrameClient::message("hello").substr(0, 8), "13"}}) {
    ServerWorld world;
    world.service.stream = join;
    ClientCall& call = world.client().start(FrameClient::request("ClientStream"));
    world.client().send(call, FrameClient::message("good") + content, true);
    EXPECT_EQ(world.finish(call).grpc_status(), status);
    ASSERT_EQ(world.service.ended.size(), 1u) << "the handler is told by recv";
  }
}

TEST(ServerStreaming, a_second_operation_of_a_kind_is_refused_without_harm) {
  ServerWorld world;
  world.service.stream = second_operations;
  world.client().consume_automatically(false);
  ClientCall& call = world.client().start(FrameClient::request("Chat"));
  world.settle();
  ASSERT_EQ(world.service.ended.size(), 3u);
  EXPECT_TRUE(world.service.ended[0].is_ok());
  EXPECT_EQ(world.service.ended[1].code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(world.service.ended[2].code(), StatusCode::kFailedPrecondition);
  world.client().send(call, FrameClient::message("at last"));
  world.client().consume_automatically(true);
  world.client().consume(call, call.content.size());
  world.gate.set();
  world.finish(call);
  ASSERT_EQ(world.service.ended.size(), 5u);
  EXPECT_TRUE(world.service.ended[3].is_ok()) << world.service.ended[3].to_string();
  EXPECT_TRUE(world.service.ended[4].is_ok()) << world.service.ended[4].to_string();
  EXPECT_EQ(world.service.received.at(0), "at last");
  EXPECT_EQ(call.messages().size(), 2u) << "the first operations were not disturbed";
}

TEST(ServerStreaming, headers_may_leave_before_the_first_message) {
  ServerWorld world;
  world.service.stream = headers_first;
  ClientCall& call = world.client().start(FrameClient::request("Chat"));
  world.settle();
  EXPECT_EQ(call.header_value("early"), "yes");
  EXPECT_FALSE(call.over());
  EXPECT_EQ(world.service.ended.at(0).code(), StatusCode::kFailedPrecondition) << "they leave once";
  EXPECT_EQ(world.service.ended.at(1).code(), StatusCode::kFailedPrecondition);
  world.gate.set();
  EXPECT_EQ(world.finish(call).grpc_status(), "0");
}

TEST(ServerStreaming, headers_wait_for_the_first_message_otherwise) {
  ServerWorld world;
  ClientCall& call = world.client().start(FrameClient::request("Chat"));
  world.settle();
  EXPECT_TRUE(call.header.empty()) << "a failure can still be Trailers-Only";
}

TEST(ServerStreaming, a_message_that_cannot_be_sent_ends_the_call_with_its_status) {
  ServerWorld world;
  world.service.stream = send_bad;
  ClientCall& call = world.finish(world.client().start(FrameClient::request("Chat")));
  EXPECT_EQ(call.grpc_status(), "13");
  EXPECT_TRUE(call.messages().empty());
  ASSERT_EQ(world.service.ended.size(), 3u);
  for (const Status& status : world.service.ended) EXPECT_EQ(status.code(), StatusCode::kInternal);
}

TEST(ServerStreaming, a_stream_that_waits_takes_little) {
  EXPECT_LE(sizeof(ServerCall), 328u) << "there may be a hundred thousand open streams";
}

}  // namespace
}  // namespace gaggle
