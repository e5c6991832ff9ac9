// SPDX-License-Identifier: Apache-2.0
#include "gaggle/net/spawn.h"

#include <gtest/gtest.h>

#include <asio/awaitable.hpp>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/bind_executor.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/use_future.hpp>
#include <filesystem>
#include <future>
#include <stdexcept>
#include <thread>

#include "gaggle/net/loop_group.h"
#include "gaggle/net/loop_testing.h"
#include "gaggle/net/resume_on.h"
#include "gaggle/net/sleep.h"

namespace gaggle {
namespace {

using std::chrono::seconds;

Task<int> answer() { co_return 42; }
Task<Status> says(Status status) { co_return status; }
Task<Result<int>> result(int value) { co_return value; }
Task<Status> fails() {
  throw std::runtime_error("handler broke");
  co_return Status::ok();
}
Task<void> throws() {
  throw std::runtime_error("broke");
  co_return;
}
Task<Status> sleeps(Loop& loop) { co_return co_await sleep_for(loop, seconds{600}); }

TEST(Spawn, a_callback_runs_on_the_loop_and_never_inline) {
  Loop loop;
  std::optional<Status> got;
  loop.post([&] {
    spawn(loop, says(Status::aborted("a reason longer than a small string")), [&](Status status) {
      EXPECT_TRUE(loop.is_current());
      got = std::move(status);
    });
    EXPECT_FALSE(got) << "a callback inside spawn would surprise its caller";
  });
  loop.run_until([&] { return got.has_value(); });
  EXPECT_EQ(got->code(), StatusCode::kAborted);
}

TEST(Spawn, futures_carry_values_statuses_and_exceptions) {
  LoopGroup loops(1);
  Loop& loop = loops.loop(0);
  EXPECT_EQ(spawn(loop, answer(), asio::use_future).get(), 42);
  EXPECT_EQ(*spawn(loop, result(7), asio::use_future).get(), 7);
  EXPECT_EQ(spawn(loop, says(Status::not_found("x")), asio::use_future).get().code(), StatusCode::kNotFound);
  EXPECT_EQ(spawn(loop, fails(), asio::use_future).get().code(), StatusCode::kUnknown)
      << "where a Status can say it, an exception becomes one";
  EXPECT_THROW(spawn(loop, throws(), asio::use_future).get(), std::runtime_error);
  spawn(loop, Task<>::ready(), asio::use_future).get();
  spawn(loop, answer(), asio::detached);
}

size_t threads_of_this_process() {
  std::error_code ignored;
  size_t threads = 0;
  for (auto it = std::filesystem::directory_iterator("/proc/self/task", ignored);
       it != std::filesystem::directory_iterator(); it.increment(ignored)) {
    ++threads;
  }
  return threads;
}

TEST(Spawn, futures_need_no_thread_beside_the_loops) {
  LoopGroup loops(1);
  const size_t before = threads_of_this_process();
  EXPECT_EQ(spawn(loops.loop(0), answer(), asio::use_future).get(), 42);
  EXPECT_EQ(threads_of_this_process(), before) << "Asio's own executor of futures would have started one";
}

asio::awaitable<Status> awaits_tasks(Loop& loop) {
  auto first = answer();
  const int value = co_await spawn(loop, std::move(first), asio::use_awaitable);
  if (value != 42) co_return Status::internal("wrong value");
  auto second = says(Status::out_of_range("a status that is long enough to be on the heap"));
  co_return co_await spawn(loop, std::move(second), asio::use_awaitable);
}

TEST(Spawn, an_asio_awaitable_awaits_tasks) {
  Loop loop;
  std::optional<Status> got;
  asio::co_spawn(loop.io_context(), awaits_tasks(loop), [&](std::exception_ptr, Status status) { got = status; });
  loop.run_until([&] { return got.has_value(); });
  EXPECT_EQ(got->code(), StatusCode::kOutOfRange);
}

TEST(Spawn, the_handler_runs_on_its_own_executor) {
  asio::io_context mine;  // outlives the loops, whose thread posts to it
  LoopGroup loops(1);
  std::thread::id where;
  spawn(loops.loop(0), answer(),
        asio::bind_executor(mine, [&](std::exception_ptr, int) { where = std::this_thread::get_id(); }));
  mine.run();  // doesn't end before the handler ran: the operation is outstanding work
  EXPECT_EQ(where, std::this_thread::get_id());
}

TEST(Spawn, the_cancellation_slot_cancels_the_tasks_context) {
  VirtualLoop world;
  asio::cancellation_signal signal;
  std::optional<Status> got;
  spawn(world.loop, sleeps(world.loop),
        asio::bind_cancellation_slot(signal.slot(), [&](Status status) { got = status; }));
  world.settle();
  EXPECT_FALSE(got);
  signal.emit(asio::cancellation_type::terminal);
  world.settle();
  ASSERT_TRUE(got);
  EXPECT_EQ(got->code(), StatusCode::kCancelled);
  signal.emit(asio::cancellation_type::terminal);  // nobody listens any more
}

TEST(Spawn, a_context_given_to_it_is_the_tasks) {
  VirtualLoop world;
  CancelSource source;
  std::optional<Status> got;
  spawn(world.loop, sleeps(world.loop), source.context(), [&](Status status) { got = status; });
  world.settle();
  source.cancel(Status::aborted("enough"));
  world.settle();
  EXPECT_EQ(got->message(), "enough");
}

TEST(Spawn, a_loop_that_ends_first_breaks_the_promise) {
  std::future<Status> waiting;
  std::future<int> queued;
  {
    VirtualLoop world;
    waiting = spawn(world.loop, sleeps(world.loop), asio::use_future);
    world.settle();
    queued = spawn(world.loop, answer(), asio::use_future);
  }
  EXPECT_THROW(static_cast<void>(waiting.get()), std::future_error);
  EXPECT_THROW(queued.get(), std::future_error);
}

TEST(SpawnThreads, many_threads_spawn_and_cancel) {
  LoopGroup loops(2);
  std::vector<std::thread> threads;
  std::atomic<int> cancelled{0};
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 100; ++i) {
        CancelSource source;
        Loop& loop = loops.next();
        auto done = spawn(loop, sleeps(loop), source.context(), asio::use_future);
        source.cancel();
        if (done.get().code() == StatusCode::kCancelled) ++cancelled;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(cancelled.load(), 300);
}

TEST(BlockOn, waits_for_the_answer) {
  LoopGroup loops(1);
  EXPECT_EQ(block_on(loops.loop(0), answer()), 42);
  EXPECT_EQ(block_on(loops.loop(0), says(Status::aborted("x"))).code(), StatusCode::kAborted);
  EXPECT_THROW(block_on(loops.loop(0), throws()), std::runtime_error);
}

TEST(BlockOn, is_refused_on_a_loops_thread) {
  LoopGroup loops(2);
  std::promise<Status> refused;
  loops.loop(0).post([&] {
    EXPECT_THROW(block_on(loops.loop(1), answer()), std::logic_error);
    refused.set_value(block_on(loops.loop(1), says(Status::ok())));
  });
  EXPECT_EQ(refused.get_future().get().code(), StatusCode::kFailedPrecondition);
}

TEST(BlockOn, says_so_when_the_loop_ends_first) {
  auto loop = std::make_unique<Loop>();
  std::promise<Status> answered;
  std::thread blocked([&, where = loop.get()] { answered.set_value(block_on(*where, sleeps(*where))); });
  bool armed = false;
  loop->run_until([&] { return armed = loop->next_timer() != kNever; });
  loop.reset();
  EXPECT_EQ(answered.get_future().get().code(), StatusCode::kUnavailable);
  blocked.join();
}

Task<bool> there_and_back(Loop& home, Loop& away) {
  for (int i = 0; i < 200; ++i) {
    co_await resume_on(away);
    if (!away.is_current() || home.is_current()) co_return false;
    co_await resume_on(away);
    co_await resume_on(home);
    if (!home.is_current()) co_return false;
  }
  co_return true;
}
Task<bool> nested_hop(Loop& home, Loop& away) { co_return co_await there_and_back(home, away); }

TEST(ResumeOn, moves_a_task_between_loops) {
  LoopGroup loops(2);
  EXPECT_TRUE(block_on(loops.loop(0), nested_hop(loops.loop(0), loops.loop(1))));
}

TEST(LoopGroup, starts_and_stops_without_leaving_anything) {
  for (int round = 0; round < 20; ++round) {
    LoopGroup loops(3);
    std::atomic<int> ran{0};
    for (int i = 0; i < 6; ++i) loops.next().post([&] { ++ran; });
    if (round % 2 == 0) loops.stop();  // from outside, before the destructor does
  }
}

TEST(LoopGroup, chooses_by_turn_or_by_load) {
  LoopGroup loops(3);
  EXPECT_EQ(&loops.next(), &loops.loop(0));
  EXPECT_EQ(&loops.next(), &loops.loop(1));
  loops.loop(0).add_load(2);
  loops.loop(1).add_load(1);
  loops.loop(2).add_load(2);
  EXPECT_EQ(&loops.least_loaded(), &loops.loop(1));
  EXPECT_FALSE(loops.on_loop_thread());
  EXPECT_TRUE(block_on(loops.loop(2), [](LoopGroup& group) -> Task<bool> {
    co_return group.on_loop_thread() && &group.local_or_next() == &group.loop(2);
  }(loops)));
}

TEST(LoopGroup, may_be_the_users_single_loop) {
  Loop loop;
  LoopGroup loops(loop);
  EXPECT_EQ(loops.size(), 1u);
  EXPECT_EQ(&loops.least_loaded(), &loop);
  bool ran = false;
  loops.next().post([&] {
    ran = true;
    loops.stop();
  });
  loop.run();
  EXPECT_TRUE(ran);
}

}  // namespace
}  // namespace gaggle
