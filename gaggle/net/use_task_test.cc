// SPDX-License-Identifier: Apache-2.0
#include "gaggle/net/use_task.h"

#include <gtest/gtest.h>

#include <asio/awaitable.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/local/connect_pair.hpp>
#include <asio/local/stream_protocol.hpp>
#include <asio/post.hpp>
#include <asio/read.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/thread_pool.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>

#include "gaggle/net/asio_awaitable.h"
#include "gaggle/net/loop_group.h"
#include "gaggle/net/loop_testing.h"
#include "gaggle/net/spawn.h"

namespace gaggle {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Local = asio::local::stream_protocol;

Task<std::string> sends_and_receives(Loop& loop) {
  Local::socket a(loop.io_context());
  Local::socket b(loop.io_context());
  asio::local::connect_pair(a, b);
  const std::string text = "through the socket";
  auto [write_error, written] = co_await asio::async_write(a, asio::buffer(text), use_task);
  EXPECT_FALSE(write_error);
  a.close();
  std::string received;
  auto [read_error, count] = co_await asio::async_read(b, asio::dynamic_buffer(received), use_task);
  EXPECT_EQ(read_error, asio::error::eof) << "an error is a value";
  EXPECT_EQ(count, written);
  co_return received;
}

TEST(UseTask, gives_what_the_handler_would_get) {
  Loop loop;
  EXPECT_EQ(run_on(loop, sends_and_receives(loop)), "through the socket");
}

Task<asio::error_code> waits(Loop& loop, Duration delay) {
  asio::steady_timer timer(loop.io_context(), delay);
  co_return co_await timer.async_wait(use_task);
}

TEST(UseTask, one_argument_comes_alone) {
  Loop loop;
  EXPECT_FALSE(run_on(loop, waits(loop, milliseconds{1})));
}

TEST(UseTask, a_cancelled_context_cancels_the_operation) {
  Loop loop;
  CancelSource source;
  loop.post([&] { loop.post([&] { source.cancel(); }); });
  EXPECT_EQ(run_on(loop, waits(loop, seconds{600}), source.context()), asio::error::operation_aborted);
}

TEST(UseTask, a_context_that_was_cancelled_before_cancels_it_too) {
  Loop loop;
  CancelSource source;
  source.cancel();
  EXPECT_EQ(run_on(loop, waits(loop, seconds{600}), source.context()), asio::error::operation_aborted);
}

TEST(UseTask, cancelling_from_another_thread_reaches_the_operation_on_its_loop) {
  Loop loop;
  for (int round = 0; round < 100; ++round) {
    CancelSource source;
    std::thread canceller([&] { source.cancel(); });
    EXPECT_EQ(run_on(loop, waits(loop, seconds{600}), source.context()), asio::error::operation_aborted);
    canceller.join();
  }
}

TEST(UseTask, completion_and_cancellation_may_race) {
  Loop loop;
  for (int round = 0; round < 300; ++round) {
    CancelSource source;
    std::thread canceller([&] { source.cancel(); });
    const asio::error_code error = run_on(loop, waits(loop, std::chrono::microseconds{round % 60}), source.context());
    EXPECT_TRUE(!error || error == asio::error::operation_aborted);
    canceller.join();
  }
}

Task<bool> hops_through(Loop& loop, asio::thread_pool& pool) {
  for (int i = 0; i < 200; ++i) {
    co_await asio::post(pool.get_executor(), use_task);
    if (!loop.is_current()) co_return false;
  }
  co_return true;
}

TEST(UseTask, goes_on_on_its_loop_wherever_the_operation_completed) {
  Loop loop;
  asio::thread_pool pool(1);
  EXPECT_TRUE(run_on(loop, hops_through(loop, pool)));
  pool.join();
}

// An operation that ignores executors and completes on a thread of its own.
template <class Token>
auto async_elsewhere(std::thread& thread, Token&& token) {
  return asio::async_initiate<Token, void(int)>(
      [](auto handler, std::thread* where) {
        *where = std::thread([handler = std::move(handler)]() mutable { std::move(handler)(7); });
      },
      token, &thread);
}
Task<bool> awaits_elsewhere(Loop& loop) {
  for (int i = 0; i < 100; ++i) {
    std::thread thread;
    const int answer = co_await async_elsewhere(thread, use_task);
    thread.join();
    if (answer != 7 || !loop.is_current()) co_return false;
  }
  co_return true;
}

TEST(UseTask, an_operation_that_completes_on_a_foreign_thread_is_brought_back) {
  Loop loop;
  EXPECT_TRUE(run_on(loop, awaits_elsewhere(loop)));
}

struct Tracker {
  explicit Tracker(int& alive) : alive_(alive) { ++alive_; }
  ~Tracker() { --alive_; }
  int& alive_;
};
Task<void> waits_for_ever(Loop& loop, int& alive) {
  const Tracker tracker(alive);
  static_cast<void>(co_await waits(loop, seconds{3600}));
}

TEST(UseTask, a_task_that_waits_when_its_loop_ends_is_destroyed) {
  int alive = 0;
  TaskRecord<void> record;
  const Context context;
  {
    Loop loop;
    loop.post([&] { start(waits_for_ever(loop, alive), record, context); });
    loop.poll();
    EXPECT_EQ(alive, 1);
  }
  EXPECT_EQ(alive, 0);
  EXPECT_THROW(record.take(), TaskAbandoned);
}

asio::awaitable<int> doubles(int value) {
  asio::steady_timer timer(co_await asio::this_coro::executor, milliseconds{1});
  co_await timer.async_wait(asio::use_awaitable);
  if (value < 0) throw std::runtime_error("negative");
  co_return value * 2;
}
asio::awaitable<void> hangs() {
  asio::steady_timer timer(co_await asio::this_coro::executor, seconds{600});
  co_await timer.async_wait(asio::use_awaitable);
}
Task<int> awaits_awaitable(int value) { co_return co_await doubles(value); }
Task<std::string> awaits_hanging() {
  try {
    co_await hangs();
  } catch (const std::system_error& error) {
    co_return error.code() == asio::error::operation_aborted ? "aborted" : error.what();
  }
  co_return "ended";
}

TEST(UseTask, a_task_awaits_an_asio_awaitable) {
  Loop loop;
  EXPECT_EQ(run_on(loop, awaits_awaitable(21)), 42);
  EXPECT_THROW(run_on(loop, awaits_awaitable(-1)), std::runtime_error);
}

TEST(UseTask, cancelling_reaches_into_an_asio_awaitable) {
  Loop loop;
  CancelSource source;
  loop.post([&] { loop.post([&] { source.cancel(); }); });
  EXPECT_EQ(run_on(loop, awaits_hanging(), source.context()), "aborted");
}

}  // namespace
}  // namespace gaggle
