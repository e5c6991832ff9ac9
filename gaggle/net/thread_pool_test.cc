// SPDX-License-Identifier: Apache-2.0
#include "gaggle/net/thread_pool.h"

#include <gtest/gtest.h>

#include <future>
#include <stdexcept>
#include <string>
#include <thread>

#include <asio/use_future.hpp>

#include "gaggle/net/loop_group.h"
#include "gaggle/net/run_blocking.h"
#include "gaggle/net/spawn.h"

namespace gaggle {
namespace {

Task<Result<std::thread::id>> thread_of_blocking_work(Loop& loop, ThreadPool& pool) {
  auto where = [] { return std::this_thread::get_id(); };
  Result<std::thread::id> id = co_await run_blocking(pool, where);
  if (!loop.is_current()) co_return Status::internal("went on on the wrong thread");
  co_return id;
}

TEST(RunBlocking, runs_on_the_pool_and_goes_on_on_the_loop) {
  LoopGroup loops(1);
  ThreadPool pool(1);
  const auto id = block_on(loops.loop(0), thread_of_blocking_work(loops.loop(0), pool));
  ASSERT_TRUE(id) << id.error().to_string();
  EXPECT_NE(*id, std::this_thread::get_id());
}

Task<Status> answers(ThreadPool& pool) {
  auto nothing = [] {};
  auto status = [] { return Status::not_found("a file"); };
  auto result = [] { return Result<std::string>(std::string("text")); };
  auto throws = []() -> int { throw std::runtime_error("disk on fire"); };
  Status none = co_await run_blocking(pool, nothing);
  EXPECT_TRUE(none.is_ok());
  Status found = co_await run_blocking(pool, status);
  EXPECT_EQ(found.code(), StatusCode::kNotFound);
  Result<std::string> text = co_await run_blocking(pool, result);
  EXPECT_EQ(*text, "text");
  Result<int> number = co_await run_blocking(pool, throws);
  EXPECT_EQ(number.error().code(), StatusCode::kUnknown);
  EXPECT_NE(number.error().message().find("disk on fire"), std::string_view::npos);
  co_return Status::ok();
}

TEST(RunBlocking, gives_back_what_the_function_gave) {
  LoopGroup loops(1);
  ThreadPool pool(2);
  EXPECT_TRUE(block_on(loops.loop(0), answers(pool)).is_ok());
}

// Holds a pool's thread until it's let go.
struct Gate {
  std::promise<void> entered;
  std::promise<void> open;
};
Task<Status> passes(ThreadPool& pool, Gate& gate) {
  auto wait = [&gate] {
    gate.entered.set_value();
    gate.open.get_future().wait();
  };
  co_return co_await run_blocking(pool, wait);
}
Task<Status> quick(ThreadPool& pool, std::atomic<int>& ran) {
  auto count = [&ran] { ++ran; };
  co_return co_await run_blocking(pool, count);
}

TEST(RunBlocking, a_full_queue_is_an_error_at_once) {
  LoopGroup loops(1);
  Gate gate;
  std::atomic<int> ran{0};
  ThreadPool pool(1, 2);
  Loop& loop = loops.loop(0);
  auto holder = spawn(loop, passes(pool, gate), asio::use_future);
  gate.entered.get_future().wait();
  auto first = spawn(loop, quick(pool, ran), asio::use_future);
  auto second = spawn(loop, quick(pool, ran), asio::use_future);
  EXPECT_EQ(block_on(loop, quick(pool, ran)).code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(pool.refused(), 1u);
  EXPECT_EQ(pool.queued(), 2u);
  gate.open.set_value();
  EXPECT_TRUE(holder.get().is_ok());
  EXPECT_TRUE(first.get().is_ok());
  EXPECT_TRUE(second.get().is_ok());
  EXPECT_EQ(ran.load(), 2);
}

TEST(RunBlocking, work_whose_context_ended_in_the_queue_is_not_run) {
  LoopGroup loops(1);
  Gate gate;
  std::atomic<int> ran{0};
  ThreadPool pool(1);
  Loop& loop = loops.loop(0);
  auto holder = spawn(loop, passes(pool, gate), asio::use_future);
  gate.entered.get_future().wait();
  CancelSource source;
  auto queued = spawn(loop, quick(pool, ran), source.context(), asio::use_future);
  auto turn = [](ThreadPool& where) -> Task<size_t> { co_return where.queued(); };
  EXPECT_EQ(block_on(loop, turn(pool)), 1u);
  source.cancel();
  gate.open.set_value();
  EXPECT_EQ(queued.get().code(), StatusCode::kCancelled);
  EXPECT_EQ(ran.load(), 0);
  EXPECT_TRUE(holder.get().is_ok());
}

}  // namespace
}  // namespace gaggle
