// SPDX-License-Identifier: Apache-2.0
//
// The further forms of calls, with Asio completion tokens and blocking, over real sockets.
#include <gtest/gtest.h>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/use_future.hpp>
#include <future>
#include <string>
#include <utility>

#include "call_semantics_testing.h"

namespace gaggle::e2e {
namespace {

TEST(CallFormsTest, calls_take_asio_completion_tokens) {
  asio::io_context io;  // outlives the loops, whose threads may still be on their way out of a post to it
  World world;
  CallsClient client = world.client();
  const Ask ask = ask_of("token");
  Reply by_future, by_callback, by_awaitable;
  EXPECT_TRUE(client.AsyncUnary(Context{}, ask, by_future, {}, asio::use_future).get().is_ok());
  EXPECT_EQ(by_future.text(), "to token");

  std::promise<Status> called;
  client.AsyncUnary(Context{}, ask, by_callback, {}, [&](Status status) { called.set_value(status); });
  EXPECT_TRUE(called.get_future().get().is_ok());
  EXPECT_EQ(by_callback.text(), "to token");

  Status awaited = Status::unknown("not yet");
  asio::co_spawn(
      io,
      [](CallsClient& stub, const Ask& request, Reply& reply, Status& result) -> asio::awaitable<void> {
        result = co_await stub.AsyncUnary(Context{}, request, reply, {}, asio::use_awaitable);
      }(client, ask, by_awaitable, awaited),
      asio::detached);
  io.run();
  EXPECT_TRUE(awaited.is_ok()) << awaited.to_string();
  EXPECT_EQ(by_awaitable.text(), "to token");
}

TEST(CallFormsTest, the_blocking_form_is_refused_on_a_loops_thread) {
  World world;
  std::promise<Status> refused;
  world.client_loops.loop(0).post([&] {
    const Ask ask = ask_of("x");
    Reply reply;
    refused.set_value(world.client().BlockingUnary(Context{}, ask, reply));
  });
  EXPECT_EQ(refused.get_future().get().code(), StatusCode::kFailedPrecondition);
}

TEST(CallFormsTest, every_kind_of_stream_blocks_for_threads_without_a_loop) {
  World world;
  CallsClient client = world.client();
  Reply reply;

  Ask three = ask_of("n");
  three.set_times(3);
  auto list = client.BlockingList(Context{}, three);
  ASSERT_TRUE(list) << list.status().to_string();
  EXPECT_TRUE(list->blocking_header());
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(*list->blocking_recv(reply));
    EXPECT_EQ(reply.text(), "n" + std::to_string(i));
  }
  EXPECT_FALSE(*list->blocking_recv(reply)) << "the end";

  auto collect = client.BlockingCollect(Context{});
  ASSERT_TRUE(collect) << collect.status().to_string();
  EXPECT_TRUE(*collect->blocking_send(ask_of("a")));
  EXPECT_TRUE(*collect->blocking_send(ask_of("b")));
  EXPECT_TRUE(collect->blocking_close_and_recv(reply));
  EXPECT_EQ(reply.text(), "ab");

  auto talk = client.BlockingTalk(Context{});
  ASSERT_TRUE(talk) << talk.status().to_string();
  EXPECT_TRUE(*talk->blocking_send(ask_of("you")));
  EXPECT_TRUE(*talk->blocking_recv(reply));
  EXPECT_EQ(reply.text(), "to you");
  EXPECT_TRUE(talk->blocking_close_send());
  EXPECT_FALSE(*talk->blocking_recv(reply));
}

TEST(CallFormsTest, every_kind_of_stream_takes_completion_tokens) {
  World world;
  CallsClient client = world.client();
  Reply reply;

  const Ask one = [] {
    Ask ask = ask_of("n");
    ask.set_times(1);
    return ask;
  }();
  Result<ServerStreamingClient<Reply>> list = client.AsyncList(Context{}, one, {}, asio::use_future).get();
  ASSERT_TRUE(list) << list.status().to_string();
  EXPECT_TRUE(list->async_header(asio::use_future).get());
  EXPECT_TRUE(*list->async_recv(reply, asio::use_future).get());
  EXPECT_FALSE(*list->async_recv(reply, asio::use_future).get());

  Result<ClientStreamingClient<Ask, Reply>> collect = client.AsyncCollect(Context{}, {}, asio::use_future).get();
  ASSERT_TRUE(collect) << collect.status().to_string();
  EXPECT_TRUE(*collect->async_send(one, asio::use_future).get());
  EXPECT_TRUE(collect->async_close_and_recv(reply, asio::use_future).get());
  EXPECT_EQ(reply.text(), "n");

  std::promise<Result<BidiStreamingClient<Ask, Reply>>> opened;
  client.AsyncTalk(Context{}, {},
                   [&](Result<BidiStreamingClient<Ask, Reply>> stream) { opened.set_value(std::move(stream)); });
  Result<BidiStreamingClient<Ask, Reply>> talk = opened.get_future().get();
  ASSERT_TRUE(talk) << talk.status().to_string();
  EXPECT_TRUE(*talk->async_send(one, asio::use_future).get());
  EXPECT_TRUE(talk->async_close_send(asio::use_future).get());
  EXPECT_TRUE(*talk->async_recv(reply, asio::use_future).get());
  EXPECT_EQ(reply.text(), "to n");
  EXPECT_FALSE(*talk->async_recv(reply, asio::use_future).get());
}

TEST(CallFormsTest, a_stream_is_not_opened_blocking_on_a_loops_thread) {
  World world;
  std::promise<Status> refused;
  world.client_loops.loop(0).post([&] { refused.set_value(world.client().BlockingTalk(Context{}).status()); });
  EXPECT_EQ(refused.get_future().get().code(), StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace gaggle::e2e
