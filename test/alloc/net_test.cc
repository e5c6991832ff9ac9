// SPDX-License-Identifier: Apache-2.0
//
// What of loops, tasks and sockets costs no allocation once it's warm.
#include <gtest/gtest.h>

#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <cstdint>
#include <memory>
#include <string>

#include "counting_allocator.h"
#include "gaggle/base/bytes.h"
#include "gaggle/net/byte_stream.h"
#include "gaggle/net/event.h"
#include "gaggle/net/frame_pool.h"
#include "gaggle/net/loop_testing.h"
#include "gaggle/net/sleep.h"
#include "gaggle/net/socket_stream.h"
#include "gaggle/net/task.h"
#include "gaggle/net/use_task.h"

#include <sys/socket.h>

namespace gaggle {
namespace {

using std::chrono::milliseconds;

// How often `what` allocates in its second hundred of runs.
template <class What>
uint64_t allocations_of(What&& what) {
  for (int i = 0; i < 100; ++i) what();
  const uint64_t before = allocations_of_this_thread();
  for (int i = 0; i < 100; ++i) what();
  return allocations_of_this_thread() - before;
}

class Allocations : public testing::Test {
 protected:
  VirtualLoop world_;
  Loop& loop_ = world_.loop;
};

struct Ignore final : TaskCompletion<int> {
  void on_done(int&&) noexcept override { ++done; }
  void on_exception(std::exception_ptr) noexcept override {}
  int done = 0;
};

Task<int> small(int value) { co_return value; }
Task<int> nested(int value) { co_return co_await small(value) + co_await small(1); }
Task<int> sleeping(Loop& loop) {
  static_cast<void>(co_await sleep_for(loop, milliseconds{1}));
  co_return 1;
}
Task<int> waiting(AsyncEvent& event) {
  static_cast<void>(co_await event.wait());
  co_return 1;
}
Task<int> posting(Loop& loop) {
  co_await asio::post(loop.executor(), use_task);
  co_return 1;
}

TEST_F(Allocations, the_counter_counts) {
  const uint64_t before = allocations_of_this_thread();
  const auto bytes = Bytes::copy_of("one allocation");
  EXPECT_EQ(allocations_of_this_thread() - before, 1u);
  EXPECT_EQ(Bytes(bytes).slice(1).size() + 1, bytes.size());
  EXPECT_EQ(allocations_of_this_thread() - before, 1u) << "sharing costs none";
}

TEST_F(Allocations, starting_and_nesting_tasks_reuses_frames) {
  Ignore completion;
  const Context context;
  EXPECT_EQ(allocations_of([&] { start(nested(1), completion, context); }), 0u);
  EXPECT_EQ(allocations_of([&] { start(Task<int>::ready(1), completion, context); }), 0u);
  EXPECT_EQ(completion.done, 400);
}

TEST_F(Allocations, frames_beyond_the_cap_are_given_back) {
  struct Big {
    char bytes[3000];
  };
  auto task = [](Big big) -> Task<int> { co_return big.bytes[0]; };
  {
    std::vector<Task<int>> many;
    for (int i = 0; i < 2000; ++i) many.push_back(task(Big{}));
  }
  EXPECT_GT(FramePool::cached_bytes(), 0u);
  EXPECT_LE(FramePool::cached_bytes(), FramePool::kMaxCachedBytes);
}

TEST_F(Allocations, waiting_for_timers_events_and_posts_costs_none) {
  Ignore completion;
  CancelSource source;
  const Context& context = source.context();
  AsyncEvent event(loop_);
  const Loop::Enter enter(loop_);
  EXPECT_EQ(allocations_of([&] {
              start(sleeping(loop_), completion, context);
              world_.advance(milliseconds{1});
            }),
            0u);
  EXPECT_EQ(allocations_of([&] {
              event.reset();
              start(waiting(event), completion, context);
              event.set();
              world_.settle();
            }),
            0u);
  const Context plain;
  EXPECT_EQ(allocations_of([&] {
              start(posting(loop_), completion, plain);
              world_.settle();
            }),
            0u);
  EXPECT_EQ(completion.done, 600);
}

TEST_F(Allocations, turns_posted_work_and_cancellation_cost_none) {
  struct Nothing final : LoopWork {
    void run_on_loop() noexcept override {}
  };
  struct Hook final : TurnHook {
    void on_turn_end() noexcept override {}
  };
  Nothing work;
  Hook hook;
  EXPECT_EQ(allocations_of([&] {
              loop_.post(work);
              loop_.defer(hook);
              world_.settle();
            }),
            0u);
  CancelSource parent;
  CancelSource source;
  EXPECT_EQ(allocations_of([&] { source.reset(parent.context()); }), 0u);
}

TEST_F(Allocations, waiting_for_a_socket_costs_none) {
  struct Count final : Waiter {
    void on_ready() noexcept override { ++calls; }
    int calls = 0;
  };
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  auto a = std::move(*make_socket_stream(loop_, FileDescriptor(ends[0])));
  auto b = std::move(*make_socket_stream(loop_, FileDescriptor(ends[1])));
  static_cast<void>(loop_.read_buffer());
  Count ready;
  EXPECT_EQ(allocations_of([&] {
              a->wait_readable(ready);
              iovec piece{const_cast<char*>("x"), 1};
              static_cast<void>(b->write({&piece, 1}));
              world_.settle();
              static_cast<void>(a->read(loop_.read_buffer()));
            }),
            0u);
  EXPECT_EQ(ready.calls, 200);
}

}  // namespace
}  // namespace gaggle
