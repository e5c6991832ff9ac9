// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/large_messages.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <thread>
#include <utility>

#include "gaggle/base/free_lists.h"
#include "gaggle/net/loop.h"
#include "gaggle/rpc/server_testing.h"

namespace gaggle {
namespace {

constexpr size_t kMiB = size_t{1} << 20;

// How many of its kind live, and how often one was cleared.
struct Counted {
  static inline int alive = 0;
  static inline int cleared = 0;
  Counted() { ++alive; }
  ~Counted() { --alive; }
};

const MessageType* counted_type() {
  static constexpr MessageType kType = {
      .name = "Counted",
      .create = [] { return static_cast<void*>(new Counted); },
      .destroy = [](void* object) noexcept { delete static_cast<Counted*>(object); },
      .clear = [](void*) noexcept { ++Counted::cleared; },
      .byte_size = nullptr,
      .serialize = nullptr,
      .parse = nullptr,
  };
  return &kType;
}

struct LargeMessagesTest : ::testing::Test {
  Loop loop;
  Loop::Enter enter{loop};
  Ref<LargeMessages> large = make_ref<LargeMessages>(loop);

  LargeMessagesTest() { Counted::cleared = 0; }
  ~LargeMessagesTest() override {
    large = nullptr;
    EXPECT_EQ(Counted::alive, 0);
  }
  static Message make() { return {counted_type(), counted_type()->create()}; }
};

TEST_F(LargeMessagesTest, serve_the_next_of_their_type_the_latest_first) {
  const Message first = make();
  const Message second = make();
  large->give_back(first, kMiB);
  large->give_back(second, 2 * kMiB);
  EXPECT_EQ(Counted::cleared, 2);
  EXPECT_EQ(large->kept_bytes(), 3 * kMiB);
  EXPECT_EQ(large->take(message_type<Text>()).message.object, nullptr);
  const LargeMessages::Kept taken = large->take(counted_type());
  EXPECT_EQ(taken.message.object, second.object);
  EXPECT_EQ(taken.memory_bytes, 2 * kMiB);
  EXPECT_EQ(large->kept_bytes(), kMiB);
  large->give_back(second, 2 * kMiB);
}

TEST_F(LargeMessagesTest, are_kept_up_to_a_bound) {
  for (int i = 0; i < 20; ++i) large->give_back(make(), kMiB);
  EXPECT_EQ(Counted::alive, 16);
  large->clear();
  EXPECT_EQ(Counted::alive, 0);
  EXPECT_EQ(large->kept_bytes(), 0u);
  large->give_back(make(), LargeMessages::kMaxMessageBytes + 1);
  EXPECT_EQ(Counted::alive, 0) << "a giant would take the place of all others";
  large->give_back(make(), SIZE_MAX);
  EXPECT_EQ(Counted::alive, 0) << "of unknown size";
}

TEST_F(LargeMessagesTest, come_back_when_the_last_piece_has_left) {
  Bytes owner = large->lend(make(), kMiB);
  Bytes piece = owner.sibling({});
  owner = {};
  EXPECT_EQ(large->kept_bytes(), 0u);
  EXPECT_EQ(Counted::cleared, 0);
  piece = {};
  EXPECT_EQ(large->kept_bytes(), kMiB);
}

TEST_F(LargeMessagesTest, end_where_they_are_elsewhere_than_on_the_loop) {
  Bytes owner = large->lend(make(), kMiB);
  std::thread([&owner] { owner = {}; }).join();
  EXPECT_EQ(Counted::alive, 0);
  EXPECT_EQ(large->kept_bytes(), 0u);
}

TEST_F(LargeMessagesTest, may_outlive_the_loops_part) {
  large->give_back(make(), kMiB);
  Bytes owner = large->lend(make(), kMiB);
  large->close();
  EXPECT_EQ(Counted::alive, 1) << "the one that was lent";
  large = nullptr;
  owner = {};
  EXPECT_EQ(Counted::alive, 0);
}

// --- In the server ---

// Where the texts of the latest call lay.
const void* latest_request = nullptr;
const void* latest_answer = nullptr;

Task<Status> note_and_echo(TestService&, ServerContext&, const Text& request, Text& response) {
  response.value.assign(request.value);
  latest_request = request.value.data();
  latest_answer = response.value.data();
  co_return request.value.starts_with('!') ? Status::internal("as asked") : Status::ok();
}

TEST(ServerMessages, that_were_large_lend_their_memory_to_the_next_large_ones) {
  ServerWorld world;
  world.service.unary = note_and_echo;
  const std::string large(kMiB, 'x');
  world.finish(world.client().call("Unary", large));
  const std::set<const void*> first{latest_request, latest_answer};
  for (const std::string& text : {large, "!" + large.substr(1), large}) {
    const ClientCall& call = world.finish(world.client().call("Unary", text));
    if (call.grpc_status() == "0") {
      EXPECT_EQ(call.messages().at(0), text);
    }
    EXPECT_EQ((std::set{latest_request, latest_answer}), first) << "from the wire, or unsent, they have come back";
  }
}

TEST(ServerMessages, that_were_large_dont_serve_small_calls) {
  ServerWorld world;
  world.service.unary = note_and_echo;
  const std::string large(kMiB, 'x');
  const std::string small = "small, and not in the string's own place";
  world.finish(world.client().call("Unary", large));
  const std::set<const void*> first{latest_request, latest_answer};
  world.finish(world.client().call("Unary", small));
  EXPECT_FALSE(first.contains(latest_request));
  EXPECT_TRUE(first.contains(latest_answer)) << "nobody knew that it would be small";
  world.finish(world.client().call("Unary", small));
  EXPECT_FALSE(first.contains(latest_answer));
  world.finish(world.client().call("Unary", large));
  EXPECT_TRUE(first.contains(latest_request)) << "both are there still";
}

TEST(ServerMessages, that_were_large_are_freed_when_a_connection_has_been_quiet) {
  ServerWorld world;
  world.service.unary = note_and_echo;
  const std::string large(kMiB, 'x');
  world.finish(world.client().call("Unary", large));
  const void* const first = latest_request;
  world.world.advance(std::chrono::seconds{1});
  // Freed memory isn't handed out again by the sanitizer's allocator; elsewhere it may be.
  world.finish(world.client().call("Unary", large));
  if (!kRecyclesMemory) {
    EXPECT_NE(latest_request, first);
  }
}

}  // namespace
}  // namespace gaggle
