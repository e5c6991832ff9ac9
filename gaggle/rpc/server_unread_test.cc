// SPDX-License-Identifier: Apache-2.0
//
// Answers that a client doesn't let out cost a bounded amount of memory, and hold up nobody else.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>

#include "gaggle/rpc/server_testing.h"

namespace gaggle {
namespace {

constexpr size_t kAnswerBytes = 1 << 20;
constexpr size_t kUnread = 4 << 20;

Task<Status> answer_large(TestService& service, ServerContext&, const Text&, Text& response) {
  ++service.started;
  response.value.assign(kAnswerBytes, 'x');
  co_return Status::ok();
}

ServerOptions options() {
  ServerOptions result;
  result.http2.unread_answer_bytes = kUnread;
  return result;
}

class UnreadAnswers : public testing::Test {
 protected:
  // A client that asks for a hundred of them and reads none.
  void SetUp() override {
    world.service.unary = answer_large;
    world.client().consume_automatically(false);
    for (int i = 0; i < kCalls; ++i) world.client().call("Unary", "x");
    world.settle();
  }

  static constexpr int kCalls = 100;
  ServerWorld world{options()};
};

TEST_F(UnreadAnswers, hold_the_calls_behind_them) {
  EXPECT_GE(world.service.started, 4) << "so much may wait";
  EXPECT_LE(world.service.started, 6) << "and no more, whatever was asked for in one write";
  EXPECT_GE(world.server->counters().http2.held_calls, static_cast<uint64_t>(kCalls - world.service.started));
  world.world.advance(std::chrono::seconds{10});
  EXPECT_LE(world.service.started, 6);
}

TEST_F(UnreadAnswers, are_sent_and_their_successors_started_as_the_client_reads) {
  std::map<const ClientCall*, size_t> taken;
  for (int rounds = 0; rounds < 10 * kCalls; ++rounds) {
    for (ClientCall& call : world.client().calls) {
      const size_t part = std::min<size_t>(64 * 1024, call.content.size() - taken[&call]);
      if (part == 0) continue;
      world.client().consume(call, part);
      taken[&call] += part;
    }
    world.settle();
  }
  for (ClientCall& call : world.client().calls) {
    EXPECT_EQ(call.grpc_status(), "0");
    EXPECT_EQ(call.content.size(), kAnswerBytes + 5);
  }
}

TEST_F(UnreadAnswers, hold_up_no_other_client) {
  FrameClient& other = world.connect();
  EXPECT_EQ(world.finish(other.call("Unary", "x")).grpc_status(), "0");
}

TEST_F(UnreadAnswers, make_room_when_their_calls_are_given_up) {
  const int before = world.service.started;
  for (int i = 0; i < 3; ++i) world.client().reset(world.client().calls[static_cast<size_t>(i)]);
  world.settle();
  EXPECT_EQ(world.service.started, before + 3);
}

TEST_F(UnreadAnswers, leave_calls_that_wait_behind_them_free_to_end) {
  ClientCall& last = world.client().calls.back();
  ASSERT_FALSE(last.over());
  world.client().reset(last);
  world.settle();
  EXPECT_EQ(world.server->counters().calls_now, static_cast<uint64_t>(kCalls - world.service.started - 1));
}

TEST_F(UnreadAnswers, go_with_their_connection) {
  const int before = world.service.started;
  world.client().close();
  world.settle();
  EXPECT_EQ(world.service.started, before) << "nobody is there to answer";
  EXPECT_EQ(world.server->counters().calls_now, 0u);
  EXPECT_EQ(world.server->counters().connections_now, 0u);
}

}  // namespace
}  // namespace gaggle
