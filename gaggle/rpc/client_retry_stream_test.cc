// SPDX-License-Identifier: Apache-2.0
//
// Streams that are retried: what was sent is sent again, as long as it is kept. gRFC A6.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "gaggle/rpc/client_stream_testing.h"

namespace gaggle {
namespace {

using namespace std::chrono_literals;
using Messages = std::vector<std::string>;

constexpr std::string_view kConfig =
    R"({"methodConfig": [{"name": [{}], "retryPolicy": {"maxAttempts": 4, "initialBackoff": "0.1s", "maxBackoff": "1s",
        "backoffMultiplier": 1, "retryableStatusCodes": ["UNAVAILABLE"]}}]})";

struct RetriedStream : StreamWorld {
  explicit RetriedStream(const StreamDesc& desc = kBidiStream, CallOptions options = {}, size_t total = 1 << 20) {
    connect({.default_service_config = kConfig, .retry_buffer_bytes = total});
    open(desc, {}, options);
  }
  void fail(size_t index) {
    server().trailers_only(request(index), "14");
    settle();
  }
};

TEST(ClientRetryStreamTest, what_was_sent_is_sent_again_and_the_stream_goes_on) {
  RetriedStream world;
  EXPECT_TRUE(*world.send("a"));
  EXPECT_TRUE(*world.send("b"));
  world.settle();
  world.fail(0);
  EXPECT_TRUE(*world.send("c")) << "while nobody is there to hear it";
  world.advance(120ms);
  ASSERT_EQ(world.server().requests.size(), 2u);
  EXPECT_EQ(world.request(1).messages(), (Messages{"a", "b", "c"}));
  EXPECT_EQ(world.request(1).header("grpc-previous-rpc-attempts"), "1");
  EXPECT_TRUE(*world.send("d"));
  EXPECT_TRUE(world.now(world.stream->close_send()).is_ok());
  world.settle();
  EXPECT_EQ(world.request(1).messages(), (Messages{"a", "b", "c", "d"}));
  EXPECT_TRUE(world.request(1).ended);
  world.server().answer(world.request(1), "reply");
  EXPECT_EQ(world.recv(), "reply");
  EXPECT_EQ(world.recv(), "(end)");
}

TEST(ClientRetryStreamTest, the_end_of_sending_is_repeated) {
  RetriedStream world;
  EXPECT_TRUE(*world.send("a"));
  EXPECT_TRUE(world.now(world.stream->close_send()).is_ok());
  world.settle();
  world.fail(0);
  world.advance(120ms);
  EXPECT_EQ(world.request(1).messages(), Messages{"a"});
  EXPECT_TRUE(world.request(1).ended);
}

TEST(ClientRetryStreamTest, receivers_see_the_attempt_that_counts_only) {
  RetriedStream world(kServerStream);
  EXPECT_TRUE(*world.send("ask"));
  Bytes message;
  Running<Result<bool>> receiving(world, world.stream->recv(message_of(message)));
  Running<Result<const Metadata*>> header(world, world.stream->header());
  world.settle();
  world.fail(0);
  EXPECT_FALSE(receiving.done());
  EXPECT_FALSE(header.done());
  world.advance(120ms);
  world.server().send_headers(world.request(1), {{"x-attempt", "2"}});
  world.server().send_message(world.request(1), "reply");
  world.settle();
  ASSERT_TRUE(receiving.done());
  EXPECT_EQ(message.view(), "reply");
  ASSERT_TRUE(header.done());
  EXPECT_EQ((*header.take())->get("x-attempt"), "2");
}

TEST(ClientRetryStreamTest, after_the_servers_headers_a_failure_is_final) {
  RetriedStream world;
  EXPECT_TRUE(*world.send("a"));
  world.settle();
  world.server().send_headers(world.request(0));
  world.settle();
  world.server().send_trailers(world.request(0), "14");
  EXPECT_EQ(world.recv(), "UNAVAILABLE");
  world.advance(1s);
  EXPECT_EQ(world.server().requests.size(), 1u);
}

TEST(ClientRetryStreamTest, more_than_may_be_kept_ends_retries) {
  RetriedStream world(kBidiStream, {.retry_buffer_bytes = 30});
  EXPECT_TRUE(*world.send("0123456789")) << "fifteen bytes each, with their prefixes";
  EXPECT_TRUE(*world.send("0123456789"));
  world.settle();
  world.fail(0);
  world.advance(120ms);
  ASSERT_EQ(world.server().requests.size(), 2u) << "just what may be kept";
  EXPECT_TRUE(*world.send("x"));
  world.settle();
  EXPECT_EQ(world.request(1).messages().size(), 3u) << "the message goes out all the same";
  EXPECT_EQ(world.conn->counters().retry_buffer_full, 1u);
  world.fail(1);
  EXPECT_EQ(world.recv(), "UNAVAILABLE");
}

TEST(ClientRetryStreamTest, between_attempts_a_full_buffer_holds_the_sender_back) {
  RetriedStream world(kBidiStream, {.retry_buffer_bytes = 10});
  EXPECT_TRUE(*world.send("a"));
  world.settle();
  world.fail(0);
  const Bytes large = Bytes::copy_of(std::string_view("0123456789"));
  Running<Result<bool>> sending(world, world.stream->send(message_of(large)));
  world.settle();
  EXPECT_FALSE(sending.done());
  world.advance(120ms);
  ASSERT_TRUE(sending.done());
  EXPECT_TRUE(*sending.take());
  EXPECT_EQ(world.request(1).messages(), (Messages{"a", "0123456789"}));
  world.fail(1);
  EXPECT_EQ(world.recv(), "UNAVAILABLE") << "the second attempt was the last that could be made";
}

TEST(ClientRetryStreamTest, all_streams_of_a_connection_share_one_room) {
  RetriedStream world(kBidiStream, {}, 40);
  EXPECT_TRUE(*world.send("0123456789"));
  Running<Result<std::unique_ptr<ClientStream>>> opening(
      world, world.conn->new_stream(Context{}, kBidiStream, "/test.Service/Stream", CallOptions{}));
  world.settle();
  auto other = *opening.take();
  const Bytes message = Bytes::copy_of(std::string_view("01234567890123456789"));
  Running<Result<bool>> first(world, other->send(message_of(message)));
  world.settle();
  EXPECT_EQ(world.conn->counters().retry_buffer_full, 0u) << "15 + 25 bytes are all there is";
  EXPECT_TRUE(*world.send("x"));
  EXPECT_EQ(world.conn->counters().retry_buffer_full, 1u);
  world.settle();
  world.fail(0);
  EXPECT_EQ(world.recv(), "UNAVAILABLE");
  world.fail(1);
  world.advance(120ms);
  EXPECT_EQ(world.server().requests.size(), 3u) << "the other stream is retried still";
  world.server().send_headers(world.request(2));
  world.settle();
  // Both have given their room back.
  world.open(kBidiStream);
  EXPECT_TRUE(*world.send("01234567890123456789"));
  EXPECT_EQ(world.conn->counters().retry_buffer_full, 1u);
  other.reset();
}

}  // namespace
}  // namespace gaggle
