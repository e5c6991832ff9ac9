// SPDX-License-Identifier: Apache-2.0
#include "gaggle/net/task.h"

#include <gtest/gtest.h>

#include <asio/dispatch.hpp>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "gaggle/base/result.h"
#include "gaggle/net/event.h"
#include "gaggle/net/loop_testing.h"
#include "gaggle/net/when_all.h"

namespace gaggle {
namespace {

using std::chrono::seconds;

Task<int> give(int value) { co_return value; }
Task<int> add(int a, int b) { co_return co_await give(a) + co_await give(b); }
Task<void> append(std::string& to, std::string what) {
  to += what;
  co_return;
}

TEST(Task, gives_its_value_to_whoever_awaits_it) {
  VirtualLoop world;
  EXPECT_EQ(world.run(add(2, 3)), 5);
}

TEST(Task, does_nothing_until_it_is_awaited) {
  std::string log;
  {
    const Task<> dropped = append(log, "never");
  }
  EXPECT_EQ(log, "");
}

Task<std::unique_ptr<std::string>> move_only(std::string text) { co_return std::make_unique<std::string>(text); }

TEST(Task, carries_values_that_can_only_be_moved) {
  VirtualLoop world;
  EXPECT_EQ(*world.run(move_only("a string too long for the small buffer")), "a string too long for the small buffer");
}

Task<Result<int>> refuses() { co_return Status::not_found("nothing here"); }

TEST(Task, a_result_is_made_from_a_status) {
  VirtualLoop world;
  EXPECT_EQ(world.run(refuses()).error().code(), StatusCode::kNotFound);
}

Task<int> throws() {
  throw std::runtime_error("broken");
  co_return 0;
}
Task<std::string> catches() {
  try {
    co_await throws();
  } catch (const std::runtime_error& error) {
    co_return error.what();
  }
  co_return "nothing was thrown";
}

TEST(Task, an_exception_comes_out_of_the_await) {
  VirtualLoop world;
  EXPECT_EQ(world.run(catches()), "broken");
  EXPECT_THROW(world.run(throws()), std::runtime_error) << "and out of the root, if nobody catches it";
}

Task<int> awaits_ready() { co_return co_await Task<int>::ready(7); }

TEST(Task, one_made_from_a_value_needs_no_frame) {
  VirtualLoop world;
  EXPECT_TRUE(Task<int>::ready(7).is_ready());
  EXPECT_EQ(world.run(awaits_ready()), 7);
  EXPECT_EQ(world.run(Task<int>::ready(8)), 8);
  world.run(Task<>::ready());
}

TEST(Task, is_empty_once_it_was_moved_from) {
  Task<int> first = give(1);
  Task<int> second = std::move(first);
  EXPECT_FALSE(first.valid());  // NOLINT(bugprone-use-after-move): promised
  second = Task<int>::ready(2);
  EXPECT_TRUE(second.is_ready());
  VirtualLoop world;
  EXPECT_EQ(world.run(std::move(second)), 2);
}

Task<int> deep(int levels) {
  if (levels == 0) co_return 0;
  co_return 1 + co_await deep(levels - 1);
}

TEST(Task, tasks_nest) {
  VirtualLoop world;
  EXPECT_EQ(world.run(deep(1000)), 1000);
}

Task<int> deep_wait(AsyncEvent& event, int levels) {
  if (levels == 0) {
    static_cast<void>(co_await event.wait());
    co_return 0;
  }
  co_return 1 + co_await deep_wait(event, levels - 1);
}

TEST(Task, nested_tasks_that_waited_end_one_after_the_other) {
  VirtualLoop world;
  AsyncEvent event(world.loop);
  TaskRecord<int> record;
  const Context context;
  {
    const Loop::Enter enter(world.loop);
    start(deep_wait(event, 1000), record, context);
  }
  EXPECT_FALSE(record.ended());
  event.set();
  world.settle();
  EXPECT_EQ(record.take(), 1000);
}

Task<bool> works_for(const Context& expected) {
  const Context& context = co_await current_context();
  co_return &context == &expected;
}
Task<bool> child_works_for(const Context& expected) { co_return co_await works_for(expected); }
Task<bool> other_context_below(const Context& mine) {
  const Context other = mine.with_timeout(seconds{1});
  Task<bool> child = child_works_for(other);
  const bool inner = co_await in_context(other, std::move(child));
  co_return inner&& co_await works_for(mine);
}

TEST(Task, works_for_the_context_of_whoever_awaits_it) {
  VirtualLoop world;
  const Context context;
  EXPECT_TRUE(world.run(child_works_for(context), context));
  EXPECT_TRUE(world.run(other_context_below(context), context)) << "in_context changes it for the child only";
}

class Inline final : public TaskCompletion<int> {
 public:
  void on_done(int&& value) noexcept override { value_ = value; }
  void on_exception(std::exception_ptr) noexcept override { value_ = -1; }
  int value_ = 0;
};

TEST(Task, started_completes_inside_start_when_it_never_waits) {
  Inline completion;
  const Context context;
  start(add(20, 22), completion, context);
  EXPECT_EQ(completion.value_, 42);
  start(throws(), completion, context);
  EXPECT_EQ(completion.value_, -1);
}

// What is alive in a frame that never gets its answer.
struct Tracker {
  explicit Tracker(int& alive) : alive_(alive) { ++alive_; }
  Tracker(const Tracker& other) : alive_(other.alive_) { ++alive_; }
  ~Tracker() { --alive_; }
  int& alive_;
};
Task<void> hang(WaitQueue& queue, Tracker tracker) {
  const Tracker local = tracker;
  static_cast<void>(co_await queue.wait());
}
Task<void> hang_below(WaitQueue& queue, int& alive) {
  const Tracker tracker(alive);
  co_await hang(queue, tracker);
}

TEST(Task, one_whose_wait_can_never_end_is_destroyed_from_its_root) {
  int alive = 0;
  VirtualLoop world;
  TaskRecord<void> record;
  const Context context;
  {
    WaitQueue queue(world.loop);
    const Loop::Enter enter(world.loop);
    start(hang_below(queue, alive), record, context);
    EXPECT_GT(alive, 0);
  }
  EXPECT_EQ(alive, 0) << "every frame's locals were destroyed once";
  EXPECT_THROW(record.take(), TaskAbandoned);
}

Task<int> answer_after(AsyncEvent& event, int value) {
  static_cast<void>(co_await event.wait());
  if (value < 0) throw std::runtime_error("negative");
  co_return value;
}
Task<std::vector<int>> all_of(AsyncEvent& event) {
  std::vector<Task<int>> tasks;
  tasks.push_back(give(1));
  tasks.push_back(answer_after(event, 2));
  tasks.push_back(Task<int>::ready(3));
  co_return co_await when_all(std::move(tasks));
}
Task<void> one_of_them_throws(AsyncEvent& event) {
  std::vector<Task<int>> tasks;
  tasks.push_back(answer_after(event, -1));
  tasks.push_back(answer_after(event, 1));
  static_cast<void>(co_await when_all(std::move(tasks)));
}
Task<void> set_it(AsyncEvent& event) {
  event.set();
  co_return;
}
Task<void> all_void(AsyncEvent& event) {
  std::vector<Task<void>> tasks;
  tasks.push_back(set_it(event));
  tasks.push_back(Task<>::ready());
  co_await when_all(std::move(tasks));
}

TEST(WhenAll, waits_for_all_and_keeps_their_order) {
  VirtualLoop world;
  AsyncEvent event(world.loop);
  TaskRecord<std::vector<int>> record;
  const Context context;
  {
    const Loop::Enter enter(world.loop);
    start(all_of(event), record, context);
  }
  world.settle();
  EXPECT_FALSE(record.ended());
  event.set();
  world.settle();
  EXPECT_EQ(record.take(), (std::vector<int>{1, 2, 3}));
}

TEST(WhenAll, an_exception_comes_out_when_all_have_ended) {
  VirtualLoop world;
  AsyncEvent event(world.loop);
  event.set();
  EXPECT_THROW(world.run(one_of_them_throws(event)), std::runtime_error);
}

TEST(WhenAll, takes_tasks_without_values_and_no_tasks_at_all) {
  VirtualLoop world;
  AsyncEvent event(world.loop);
  world.run(all_void(event));
  EXPECT_TRUE(event.is_set());
  world.run(when_all(std::vector<Task<void>>{}));
}

}  // namespace
}  // namespace gaggle
