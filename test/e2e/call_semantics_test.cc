// SPDX-License-Identifier: Apache-2.0
//
// All four kinds of method, client and server, generated code over real sockets.
#include <gtest/gtest.h>
#include <unistd.h>

#include <asio/use_future.hpp>
#include <atomic>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include "call_semantics_testing.h"
#include "gaggle/net/spawn.h"

namespace gaggle::e2e {
namespace {

// --- Unary ---

TEST(CallSemanticsTest, a_unary_call_gives_its_reply_or_its_status_with_details) {
  World world;
  Reply reply;
  EXPECT_TRUE(world.unary(ask_of("me"), reply).is_ok());
  EXPECT_EQ(reply.text(), "to me");
  EXPECT_EQ(reply.remaining_ms(), -1);
  Ask ask = ask_of("grün, 100 %\n");
  ask.set_code(static_cast<int>(StatusCode::kDataLoss));
  const Status status = world.unary(ask, reply);
  EXPECT_EQ(status.code(), StatusCode::kDataLoss);
  EXPECT_EQ(status.message(), "grün, 100 %\n");
  EXPECT_EQ(status.details(), "details");
}

TEST(CallSemanticsTest, metadata_comes_back_as_header_and_trailer) {
  World world;
  Metadata sent, header, trailer;
  ASSERT_TRUE(sent.add("x-text", "a value"));
  ASSERT_TRUE(sent.add("x-raw-bin", std::string("\0\x01\xff,", 4)));
  Reply reply;
  EXPECT_TRUE(
      world.unary(ask_of("me"), reply, {}, {.metadata = &sent, .header = &header, .trailer = &trailer}).is_ok());
  EXPECT_EQ(header.get("x-text"), "a value");
  EXPECT_EQ(trailer.get("x-raw-bin"), std::string_view("\0\x01\xff,", 4));
}

TEST(CallSemanticsTest, large_messages_cross_both_ways) {
  World world;
  Ask ask = ask_of(std::string(3'000'000, 'q'));
  ask.set_reply_bytes(1'000'000);
  Reply reply;
  EXPECT_TRUE(world.unary(ask, reply).is_ok());
  EXPECT_EQ(reply.text().size(), 3'000'003u);
  ask.set_reply_bytes(5 << 20);
  EXPECT_EQ(world.unary(ask, reply).code(), StatusCode::kResourceExhausted) << "4 MiB are received by default";
  EXPECT_TRUE(world.unary(ask_of("me"), reply).is_ok()) << "the connection is none the worse";
}

TEST(CallSemanticsTest, the_deadline_reaches_the_handler_and_ends_both_sides) {
  World world;
  Reply reply;
  EXPECT_TRUE(world.unary(ask_of("me"), reply, Context{}.with_timeout(30s)).is_ok());
  EXPECT_GT(reply.remaining_ms(), 20'000);
  EXPECT_LE(reply.remaining_ms(), 30'000);
  Ask ask;
  ask.set_wait(true);
  EXPECT_EQ(world.unary(ask, reply, Context{}.with_timeout(20ms)).code(), StatusCode::kDeadlineExceeded);
  while (world.calls.cancelled == 0) std::this_thread::yield();
}

TEST(CallSemanticsTest, cancellation_reaches_what_the_handler_awaits) {
  World world;
  Ask ask;
  ask.set_wait(true);
  Reply reply;
  CancelSource source;
  std::thread canceller([&] {
    while (world.calls.waiting == 0) std::this_thread::yield();
    source.cancel();
  });
  EXPECT_EQ(world.unary(ask, reply, source.context()).code(), StatusCode::kCancelled);
  canceller.join();
  while (world.calls.cancelled == 0) std::this_thread::yield();
}

TEST(CallSemanticsTest, unix_sockets_work_alike) {
  const std::string path = "unix:/tmp/gaggle_call_semantics_" + std::to_string(::getpid());
  World world(path);
  Reply reply;
  EXPECT_TRUE(world.unary(ask_of("me"), reply).is_ok());
}

// --- Streams ---

Task<std::string> collect(CallsClient client, int count, int bad_at) {
  Result<ClientStreamingClient<Ask, Reply>> opened = co_await client.Collect(Context{});
  if (!opened) co_return opened.error().to_string();
  for (int i = 0; i < count; ++i) {
    Ask ask = ask_of(std::to_string(i));
    if (i == bad_at) ask.set_code(static_cast<int>(StatusCode::kOutOfRange));
    Result<bool> sent = co_await opened->send(ask);
    if (!sent) co_return sent.error().to_string();
    if (!*sent) break;
  }
  Reply reply;
  Status status = co_await opened->close_and_recv(reply);
  co_return status.is_ok() ? reply.text() : status.to_string();
}

TEST(CallSemanticsTest, a_client_streams_and_gets_one_reply) {
  World world;
  EXPECT_EQ(world.run(collect(world.client(), 5, -1)), "01234");
  EXPECT_EQ(world.run(collect(world.client(), 0, -1)), "");
  EXPECT_EQ(world.run(collect(world.client(), 100'000, 3)), "OUT_OF_RANGE: 3") << "the server stopped early";
}

Task<std::string> list(CallsClient client, Ask ask, int leave_after) {
  Result<ServerStreamingClient<Reply>> opened = co_await client.List(Context{}, ask);
  if (!opened) co_return opened.error().to_string();
  int count = 0;
  size_t bytes = 0;
  while (count != leave_after) {
    Reply reply;
    Result<bool> more = co_await opened->recv(reply);
    if (!more) co_return std::to_string(count) + " " + more.error().to_string();
    if (!*more) break;
    if (reply.text() != ask.text() + std::to_string(count)) co_return "out of order";
    bytes += reply.filler().size();
    ++count;
  }
  co_return std::to_string(count) + " " + std::to_string(bytes);
}

TEST(CallSemanticsTest, a_server_streams) {
  World world;
  Ask ask = ask_of("n");
  ask.set_times(1000);
  EXPECT_EQ(world.run(list(world.client(), ask, -1)), "1000 0");
  ask.set_reply_bytes(10'000);
  EXPECT_EQ(world.run(list(world.client(), ask, -1)), "1000 10000000") << "through many windows";
  ask.set_code(static_cast<int>(StatusCode::kAborted));
  ask.set_reply_bytes(0);
  EXPECT_EQ(world.run(list(world.client(), ask, -1)), "1000 ABORTED: after all") << "messages before the status";
}

TEST(CallSemanticsTest, leaving_a_stream_ends_its_handler) {
  World world;
  Ask ask = ask_of("n");
  ask.set_times(1'000'000);
  ask.set_reply_bytes(10'000);
  EXPECT_EQ(world.run(list(world.client(), ask, 3)), "3 30000");
  while (world.calls.cancelled == 0) std::this_thread::yield();
}

Task<std::string> talk(CallsClient client, int count, int bad_at) {
  Result<BidiStreamingClient<Ask, Reply>> opened = co_await client.Talk(Context{});
  if (!opened) co_return opened.error().to_string();
  for (int i = 0; i < count; ++i) {
    Ask ask = ask_of(std::to_string(i));
    if (i == bad_at) ask.set_code(static_cast<int>(StatusCode::kOutOfRange));
    Result<bool> sent = co_await opened->send(ask);
    if (!sent) co_return sent.error().to_string();
    Reply reply;
    Result<bool> more = co_await opened->recv(reply);
    if (!more) co_return more.error().to_string();
    if (reply.text() != "to " + ask.text()) co_return "somebody else's reply";
  }
  Status closed = co_await opened->close_send();
  if (!closed) co_return closed.to_string();
  Reply rest;
  Result<bool> more = co_await opened->recv(rest);
  co_return more && !*more ? "end" : "no end";
}

TEST(CallSemanticsTest, both_sides_stream) {
  World world;
  EXPECT_EQ(world.run(talk(world.client(), 1000, -1)), "end");
  EXPECT_EQ(world.run(talk(world.client(), 1000, 7)), "OUT_OF_RANGE: 7");
}

// --- Servers that go and come back ---

TEST(CallSemanticsTest, a_restarted_server_is_found_again) {
  World world;
  Reply reply;
  ASSERT_TRUE(world.unary(ask_of("a"), reply).is_ok());
  const std::string address = world.address;
  world.server->stop();
  ASSERT_TRUE(world.server->wait().is_ok());
  const Status down = world.unary(ask_of("b"), reply);
  EXPECT_EQ(down.code(), StatusCode::kUnavailable);
  EXPECT_NE(down.message().find(address), std::string_view::npos) << down.to_string();
  world.start_server(address);
  EXPECT_TRUE(world.unary(ask_of("c"), reply, Context{}.with_timeout(30s), {.wait_for_ready = true}).is_ok());
}

Task<int> failures_of(CallsClient client, const std::atomic<bool>& stop) {
  int failures = 0;
  while (!stop) {
    Ask ask = ask_of("x");
    Reply reply;
    CallOptions options{.wait_for_ready = true};
    Status status = co_await client.Unary(Context{}, ask, reply, options);
    if (!status) ++failures;
  }
  co_return failures;
}

TEST(CallSemanticsTest, rolling_restarts_lose_no_call) {  // [216]
  World world;
  std::atomic<bool> stop{false};
  std::vector<std::future<int>> callers;
  for (int i = 0; i < 8; ++i) {
    callers.push_back(std::async(
        std::launch::async, [&] { return block_on(world.client_loops.loop(0), failures_of(world.client(), stop)); }));
  }
  const std::string address = world.address;
  for (int round = 0; round < 3; ++round) {
    const uint64_t before = world.conn->counters().calls_succeeded;
    while (world.conn->counters().calls_succeeded < before + 200) std::this_thread::yield();
    world.server->shutdown(10s);
    ASSERT_TRUE(world.server->wait().is_ok());
    world.start_server(address);
    world.conn->reset_connect_backoff();
  }
  const uint64_t before = world.conn->counters().calls_succeeded;
  while (world.conn->counters().calls_succeeded < before + 200) {
    world.conn->reset_connect_backoff();
    std::this_thread::yield();
  }
  stop = true;
  for (auto& caller : callers) EXPECT_EQ(caller.get(), 0);
}

}  // namespace
}  // namespace gaggle::e2e
