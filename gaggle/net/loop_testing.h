// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <exception>
#include <memory>
#include <optional>
#include <utility>

#include "gaggle/base/clock.h"
#include "gaggle/net/loop.h"
#include "gaggle/net/task.h"

namespace gaggle {

// A loop on virtual time, for tests: time passes only when nothing is ready, and then jumps to the
// next timer. A minute of sleeps takes no time, and every run is the same.
//
//   VirtualLoop world;
//   Status status = world.run(sleeps_for_a_minute(world.loop));
struct VirtualLoop {
  ManualClock clock;
  Loop loop{LoopOptions{.clock = &clock}};

  // Everything that can happen without time passing.
  void settle() {
    while (loop.poll() != 0) {
    }
  }
  // Lets time pass, timer by timer, and everything happen meanwhile.
  void advance(Duration by) {
    const TimePoint end = clock.now() + by;
    settle();
    while (loop.next_timer() <= end) jump_to(loop.next_timer());
    jump_to(end);
  }
  // Until `done()`; false when nothing can happen any more before it is, or more than `at_most` of
  // virtual time would pass.
  template <class Predicate>
  bool run_until(Predicate&& done, Duration at_most = std::chrono::hours{1}) {
    const TimePoint end = clock.now() + at_most;
    settle();
    while (!done()) {
      if (loop.next_timer() > end) return false;
      jump_to(loop.next_timer());
    }
    return true;
  }
  // Runs a task to its end and gives its value; throws what it throws, TaskAbandoned when it hangs.
  template <class T>
  T run(Task<T> task, const Context& context = {});

 private:
  void jump_to(TimePoint when) {
    if (when > clock.now()) clock.advance(when - clock.now());
    loop.advance_to_clock();
    settle();
  }
};

// Keeps how a task ended.
template <class T>
class TaskRecord final : public TaskCompletion<T> {
 public:
  bool ended() const noexcept { return value_.has_value() || error_; }
  T take() {
    if (error_) std::rethrow_exception(error_);
    if (!value_) throw TaskAbandoned{};
    return std::move(*value_);
  }
  void on_done(T&& value) noexcept override { value_.emplace(std::move(value)); }
  void on_exception(std::exception_ptr error) noexcept override { error_ = std::move(error); }

 private:
  std::optional<T> value_;
  std::exception_ptr error_;
};
template <>
class TaskRecord<void> final : public TaskCompletion<void> {
 public:
  bool ended() const noexcept { return done_ || error_; }
  void take() {
    if (error_) std::rethrow_exception(error_);
    if (!done_) throw TaskAbandoned{};
  }
  void on_done() noexcept override { done_ = true; }
  void on_exception(std::exception_ptr error) noexcept override { error_ = std::move(error); }

 private:
  bool done_ = false;
  std::exception_ptr error_;
};

template <class T>
T VirtualLoop::run(Task<T> task, const Context& context) {
  // On the heap: a task that hangs may still tell it when the loop goes.
  auto* record = new TaskRecord<T>;
  {
    const Loop::Enter enter(loop);
    start(std::move(task), *record, context);
  }
  run_until([record] { return record->ended(); });
  if (!record->ended()) throw TaskAbandoned{};  // the record is leaked: the test has failed
  std::unique_ptr<TaskRecord<T>> owned(record);
  return owned->take();
}

// Runs a task to its end on a loop on the machine's clock, and gives its value; throws what it throws.
template <class T>
T run_on(Loop& loop, Task<T> task, const Context& context = {}) {
  TaskRecord<T> record;
  loop.post([&] { start(std::move(task), record, context); });
  loop.run_until([&] { return record.ended(); });
  return record.take();
}

}  // namespace gaggle
