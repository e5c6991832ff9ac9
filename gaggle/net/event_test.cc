// SPDX-License-Identifier: Apache-2.0
#include "gaggle/net/event.h"

#include <gtest/gtest.h>

#include <asio/use_future.hpp>
#include <optional>
#include <string>
#include <thread>

#include "gaggle/net/loop_group.h"
#include "gaggle/net/loop_testing.h"
#include "gaggle/net/sleep.h"
#include "gaggle/net/spawn.h"

namespace gaggle {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Task<Status> waits(AsyncEvent& event) { co_return co_await event.wait(); }
Task<Status> queues(WaitQueue& queue, std::string& log, char name) {
  Status status = co_await queue.wait();
  log += name;
  co_return status;
}
Task<Status> sleeps(Loop& loop, Duration delay) { co_return co_await sleep_for(loop, delay); }

// A task that was started and may be looked at.
template <class T>
struct Running {
  Running(VirtualLoop& world, Task<T> task, Context its_context = {}) : context(std::move(its_context)) {
    const Loop::Enter enter(world.loop);
    start(std::move(task), record, context);
  }
  Context context;
  TaskRecord<T> record;
};

TEST(AsyncEvent, lets_everybody_through_once_it_is_set) {
  VirtualLoop world;
  AsyncEvent event(world.loop);
  Running first(world, waits(event));
  Running second(world, waits(event));
  world.settle();
  EXPECT_FALSE(first.record.ended());
  event.set();
  EXPECT_FALSE(first.record.ended()) << "waiters never run inside set()";
  world.settle();
  EXPECT_TRUE(first.record.take().is_ok());
  EXPECT_TRUE(second.record.take().is_ok());
  Running late(world, waits(event));
  EXPECT_TRUE(late.record.ended()) << "a set event doesn't suspend";
  event.reset();
  Running next(world, waits(event));
  EXPECT_FALSE(next.record.ended());
  event.set();
  world.settle();
}

TEST(WaitQueue, wakes_in_the_order_of_arrival) {
  VirtualLoop world;
  WaitQueue queue(world.loop);
  std::string log;
  Running a(world, queues(queue, log, 'a'));
  Running b(world, queues(queue, log, 'b'));
  Running c(world, queues(queue, log, 'c'));
  EXPECT_TRUE(queue.wake_one());
  world.settle();
  EXPECT_EQ(log, "a");
  queue.wake_all(Status::unavailable("closing"));
  world.settle();
  EXPECT_EQ(log, "abc");
  EXPECT_EQ(c.record.take().code(), StatusCode::kUnavailable) << "a waiter hears why it was woken";
  EXPECT_FALSE(queue.wake_one());
}

TEST(WaitQueue, a_cancelled_waiter_leaves_and_the_others_stay) {
  VirtualLoop world;
  WaitQueue queue(world.loop);
  std::string log;
  CancelSource source;
  Running a(world, queues(queue, log, 'a'));
  Running b(world, queues(queue, log, 'b'), source.context());
  Running c(world, queues(queue, log, 'c'));
  source.cancel(Status::aborted("enough"));
  world.settle();
  EXPECT_EQ(b.record.take().message(), "enough");
  queue.wake_all();
  world.settle();
  EXPECT_EQ(log, "bac");
}

TEST(WaitQueue, a_waiter_that_is_woken_and_cancelled_at_once_ends_once) {
  VirtualLoop world;
  AsyncEvent event(world.loop);
  CancelSource source;
  Running waiter(world, waits(event), source.context());
  source.cancel();
  event.set();
  world.settle();
  EXPECT_TRUE(waiter.record.take().is_ok()) << "the wake-up came first on the loop";
}

TEST(WaitQueue, a_deadline_ends_the_wait) {
  VirtualLoop world;
  const Context base = Context().with_clock(world.clock);
  AsyncEvent event(world.loop);
  Running waiter(world, waits(event), base.with_timeout(milliseconds{10}));
  Running expired(world, waits(event), base.with_timeout(milliseconds{-1}));
  EXPECT_EQ(expired.record.take().code(), StatusCode::kDeadlineExceeded) << "without waiting";
  world.advance(milliseconds{9});
  EXPECT_FALSE(waiter.record.ended());
  world.advance(milliseconds{1});
  EXPECT_EQ(waiter.record.take().code(), StatusCode::kDeadlineExceeded);
  event.set();
}

TEST(WaitQueue, a_context_that_has_ended_does_not_wait) {
  VirtualLoop world;
  AsyncEvent event(world.loop);
  CancelSource source;
  source.cancel();
  Running waiter(world, waits(event), source.context());
  EXPECT_EQ(waiter.record.take().code(), StatusCode::kCancelled);
}

TEST(Sleep, ends_when_the_time_has_come) {
  VirtualLoop world;
  Running sleeper(world, sleeps(world.loop, seconds{60}));
  world.advance(seconds{59});
  EXPECT_FALSE(sleeper.record.ended());
  world.advance(seconds{1});
  EXPECT_TRUE(sleeper.record.take().is_ok());
  Running none(world, sleeps(world.loop, Duration::zero()));
  EXPECT_TRUE(none.record.ended()) << "no time, no suspension";
}

TEST(Sleep, ends_early_when_the_context_does) {
  VirtualLoop world;
  CancelSource source;
  Running sleeper(world, sleeps(world.loop, seconds{60}), source.context());
  source.cancel();
  world.settle();
  EXPECT_EQ(sleeper.record.take().code(), StatusCode::kCancelled);
  EXPECT_EQ(world.loop.next_timer(), kNever) << "a cancelled sleep leaves no timer behind";
  Running born_dead(world, sleeps(world.loop, seconds{60}), source.context());
  EXPECT_TRUE(born_dead.record.ended());
}

TEST(Sleep, ends_at_the_deadline_of_the_context) {
  VirtualLoop world;
  const Context base = Context().with_clock(world.clock);
  Running sleeper(world, sleeps(world.loop, seconds{60}), base.with_timeout(seconds{2}));
  world.advance(seconds{2});
  EXPECT_EQ(sleeper.record.take().code(), StatusCode::kDeadlineExceeded);
}

TEST(Sleep, is_destroyed_with_its_loop) {
  std::optional<VirtualLoop> world(std::in_place);
  Running sleeper(*world, sleeps(world->loop, seconds{60}));
  world.reset();
  EXPECT_THROW(static_cast<void>(sleeper.record.take()), TaskAbandoned);
}

Task<Status> waits_on_its_own_event(Loop& loop) {
  AsyncEvent event(loop);
  co_return co_await event.wait();
}

TEST(WaitQueue, a_task_that_waits_on_its_own_event_is_destroyed_with_its_loop) {
  std::optional<VirtualLoop> world(std::in_place);
  Running waiter(*world, waits_on_its_own_event(world->loop));
  Running other(*world, waits_on_its_own_event(world->loop));
  world.reset();
  EXPECT_THROW(static_cast<void>(waiter.record.take()), TaskAbandoned);
  EXPECT_THROW(static_cast<void>(other.record.take()), TaskAbandoned);
}

Task<Status> sleeps_or_not(Loop& loop, int i) { co_return co_await sleep_for(loop, std::chrono::microseconds{i % 50}); }

TEST(SleepThreads, cancelling_from_other_threads_races_with_the_end_safely) {
  LoopGroup loops(2);
  for (int i = 0; i < 500; ++i) {
    CancelSource source;
    auto done = spawn(loops.next(), sleeps_or_not(loops.loop(static_cast<size_t>(i) % 2), i), source.context(),
                      asio::use_future);
    source.cancel();
    const StatusCode code = done.get().code();
    EXPECT_TRUE(code == StatusCode::kOk || code == StatusCode::kCancelled);
  }
}

}  // namespace
}  // namespace gaggle
