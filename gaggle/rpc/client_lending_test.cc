// SPDX-License-Identifier: Apache-2.0
//
// Large messages that a client sends out of where the caller has them: not a byte later than it may.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "gaggle/rpc/client_stream_testing.h"
#include "gaggle/rpc/server_testing.h"

namespace gaggle {
namespace {

using namespace std::chrono_literals;

// A call whose request is overwritten, and freed, as soon as it's over: whatever leaves afterwards must be a copy.
struct LendingRun {
  std::unique_ptr<Text> request = std::make_unique<Text>();
  Text response;
  CancelSource source;
  TaskRecord<Status> record;
  Context background;

  LendingRun(ClientWorld& world, size_t bytes, Duration timeout = 60s) {
    request->value.assign(bytes, 'r');
    const Loop::Enter enter(world.time.loop);
    start(call(*world.conn, source.context().with_clock(world.time.clock).with_timeout(timeout)), record, background);
  }
  Task<Status> call(ClientConn& conn, Context context) {
    Task<Status> calling = conn.invoke(context, "/test.Service/Unary", message_of(std::as_const(*request)),
                                       message_of(response), CallOptions{});
    Status status = co_await std::move(calling);
    request->value.assign(request->value.size(), '!');
    request.reset();
    co_return status;
  }
};

TEST(ClientLendingTest, a_large_request_leaves_without_a_copy) {
  ClientWorld world;
  world.connect();
  LendingRun run(world, size_t{3} << 20);
  world.settle();
  EXPECT_EQ(world.request().messages().front(), std::string(size_t{3} << 20, 'r'));
  world.server().answer(world.request(), "thanks");
  world.settle();
  EXPECT_TRUE(run.record.take().is_ok());
  EXPECT_EQ(run.response.value, "thanks");
}

TEST(ClientLendingTest, what_is_left_of_a_large_request_is_copied_when_the_call_ends_early) {
  for (const bool by_deadline : {false, true}) {
    ClientWorld world;
    world.network.server_options.initial_window_bytes = 8 << 20;
    world.network.server_options.connection_window_bytes = 8 << 20;
    world.connect();
    UnaryRun first(world, Context{}, "opens the connection");
    world.settle();
    // The socket takes 1 MiB, and then no more: what is framed waits.
    PipeStream& pipe = *world.network.client_pipes.front();
    pipe.hold_writes(true);
    // Of the lent message, something that is framed stays behind.
    UnaryRun filler(world, Context{}, std::string(100'000, 'f'));
    world.settle();
    LendingRun run(world, size_t{4} << 20, 10s);
    world.settle();
    if (by_deadline) {
      world.advance(10s);
    } else {
      run.source.cancel();
    }
    world.settle();
    ASSERT_TRUE(run.record.ended());
    EXPECT_EQ(run.record.take().code(), by_deadline ? StatusCode::kDeadlineExceeded : StatusCode::kCancelled);
    const uint64_t before = pipe.bytes_written();
    pipe.hold_writes(false);
    world.settle();
    EXPECT_GT(pipe.bytes_written(), before + 50'000) << "what was framed";
    const std::string& body = world.request(2).body;
    EXPECT_GT(body.size(), size_t{900'000});
    EXPECT_EQ(body.find_first_not_of('r', 5), std::string::npos) << "not a byte of what was written there later";
  }
}

// Sends a large message out of where it lies, and overwrites and frees it as soon as send says so.
Task<Result<bool>> send_and_forget(ClientStream& stream, size_t bytes) {
  auto message = std::make_unique<Text>(Text{std::string(bytes, 'r')});
  Task<Result<bool>> sending = stream.send(message_of(std::as_const(*message)));
  const Result<bool> sent = co_await std::move(sending);
  message->value.assign(bytes, '!');
  message.reset();
  co_return sent;
}

TEST(ClientLendingTest, a_large_message_is_lent_until_send_returns_and_not_longer) {
  StreamWorld world;
  world.open(kBidiStream);
  world.server().send_headers(world.request());  // commits the call: nothing is kept for another attempt
  world.settle();
  std::string expected;
  for (const size_t bytes : {size_t{128} << 10, size_t{200'000}, size_t{3} << 20}) {
    Running<Result<bool>> sending(world, send_and_forget(*world.stream, bytes));
    world.settle();
    ASSERT_TRUE(sending.done());
    EXPECT_TRUE(*sending.take());
    EXPECT_EQ(world.request().messages().back(), std::string(bytes, 'r'));
  }
}

TEST(ClientLendingTest, what_the_socket_hasnt_taken_of_a_lent_message_is_copied_when_the_call_ends) {
  for (const bool by_server : {false, true}) {
    StreamWorld world;
    world.network.server_options.initial_window_bytes = 8 << 20;
    world.network.server_options.connection_window_bytes = 8 << 20;
    world.open(kBidiStream);
    world.server().send_headers(world.request());
    world.settle();
    PipeStream& pipe = *world.network.client_pipes.front();
    pipe.hold_writes(true);
    // Of the lent message, something that is framed stays behind.
    UnaryRun filler(world, Context{}, std::string(100'000, 'f'));
    world.settle();
    Running<Result<bool>> sending(world, send_and_forget(*world.stream, size_t{4} << 20));
    world.settle();
    ASSERT_FALSE(sending.done()) << "the socket has taken 1 MiB";
    if (by_server) {
      world.server().send_trailers(world.request(), "8");
    } else {
      world.stream->cancel();
    }
    world.settle();
    ASSERT_TRUE(sending.done());
    EXPECT_FALSE(*sending.take());
    const uint64_t before = pipe.bytes_written();
    pipe.hold_writes(false);
    world.settle();
    EXPECT_GT(pipe.bytes_written(), before + 50'000) << "what was framed";
    const std::string& body = world.request().body;
    if (by_server) continue;  // which has let go of the stream, and looks at nothing any more
    EXPECT_GT(body.size(), size_t{900'000});
    EXPECT_EQ(body.find_first_not_of('r', 5), std::string::npos);
  }
}

}  // namespace
}  // namespace gaggle
