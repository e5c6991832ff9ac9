// SPDX-License-Identifier: Apache-2.0
//
// A million awaits in one task, of each kind. They show that the stack doesn't grow with their
// number, in unoptimised builds too, where no compiler turns a resumption into a jump.
#include <gtest/gtest.h>

#include <asio/dispatch.hpp>
#include <asio/post.hpp>
#include <chrono>
#include <thread>

#include "gaggle/net/event.h"
#include "gaggle/net/loop_testing.h"
#include "gaggle/net/resume_on.h"
#include "gaggle/net/sleep.h"
#include "gaggle/net/spawn.h"
#include "gaggle/net/task.h"
#include "gaggle/net/use_task.h"

namespace gaggle {
namespace {

constexpr int kMillion = 1'000'000;

Task<int> one() { co_return 1; }
Task<int> one_below() { co_return co_await one(); }

Task<int> sums_ready_values() {
  int sum = 0;
  for (int i = 0; i < kMillion; ++i) sum += co_await Task<int>::ready(1);
  co_return sum;
}
Task<int> sums_tasks_that_end_at_once() {
  int sum = 0;
  for (int i = 0; i < kMillion; ++i) sum += co_await one_below();
  co_return sum;
}
Task<int> counts_posts(Loop& loop) {
  int count = 0;
  for (int i = 0; i < kMillion; ++i) {
    co_await asio::post(loop.executor(), use_task);
    ++count;
  }
  co_return count;
}
Task<int> counts_operations_that_complete_inside_their_start(Loop& loop) {
  int count = 0;
  for (int i = 0; i < kMillion; ++i) {
    co_await asio::dispatch(loop.executor(), use_task);
    ++count;
  }
  co_return count;
}
Task<void> sleeps_once(Loop& loop) { static_cast<void>(co_await sleep_for(loop, std::chrono::milliseconds{1})); }
Task<int> counts_sleeps(Loop& loop) {
  int count = 0;
  for (int i = 0; i < kMillion; ++i) {
    co_await sleeps_once(loop);
    ++count;
  }
  co_return count;
}
Task<int> counts_set_events(AsyncEvent& event) {
  int count = 0;
  for (int i = 0; i < kMillion; ++i) count += (co_await event.wait()).is_ok() ? 1 : 0;
  co_return count;
}

TEST(AMillionAwaits, of_values_that_are_ready) {
  VirtualLoop world;
  EXPECT_EQ(world.run(sums_ready_values()), kMillion);
}

TEST(AMillionAwaits, of_tasks_that_end_without_waiting) {
  VirtualLoop world;
  EXPECT_EQ(world.run(sums_tasks_that_end_at_once()), kMillion);
}

TEST(AMillionAwaits, of_posted_operations) {
  VirtualLoop world;
  EXPECT_EQ(world.run(counts_posts(world.loop)), kMillion);
}

TEST(AMillionAwaits, of_operations_that_complete_inside_their_start) {
  VirtualLoop world;
  Loop& loop = world.loop;
  TaskRecord<int> record;
  const Context context;
  // dispatch runs its handler at once only inside the io_context.
  loop.post([&] { start(counts_operations_that_complete_inside_their_start(loop), record, context); });
  world.settle();
  EXPECT_EQ(record.take(), kMillion);
}

TEST(AMillionAwaits, of_sleeps_on_virtual_time) {
  VirtualLoop world;
  const TimePoint before = world.clock.now();
  EXPECT_EQ(world.run(counts_sleeps(world.loop)), kMillion);
  EXPECT_EQ(world.clock.now() - before, std::chrono::milliseconds{kMillion});
}

TEST(AMillionAwaits, of_an_event_that_is_set) {
  VirtualLoop world;
  AsyncEvent event(world.loop);
  event.set();
  EXPECT_EQ(world.run(counts_set_events(event)), kMillion);
}

}  // namespace
}  // namespace gaggle
