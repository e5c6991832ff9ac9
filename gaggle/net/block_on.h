// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include "gaggle/base/context.h"
#include "gaggle/base/result.h"
#include "gaggle/net/loop.h"
#include "gaggle/net/task.h"

namespace gaggle {

// UNKNOWN with the exception's words: what an exception becomes where only a Status can go on.
Status status_of(std::exception_ptr error) noexcept;

// A task that a thread without a loop waits for; lies on that thread's stack.
template <class T>
class BlockingRunBase : public LoopWork, public TaskCompletion<T> {
 public:
  BlockingRunBase(Task<T> task, const Context& context) : task_(std::move(task)), context_(context) {}

  void wait_on(Loop& loop) {
    loop.post(*this);
    std::unique_lock lock(mutex_);
    done_changed_.wait(lock, [this] { return done_; });
    if (error_) std::rethrow_exception(error_);
  }

 protected:
  ~BlockingRunBase() override = default;
  // Under the lock: the waiting thread destroys this as soon as it may.
  template <class Store>
  void finish(Store&& store) noexcept {
    const std::lock_guard lock(mutex_);
    store();
    done_ = true;
    done_changed_.notify_one();
  }

 private:
  void run_on_loop() noexcept override { start(std::move(task_), *this, context_); }
  void on_dropped() noexcept override { this->on_abandoned(); }
  void on_exception(std::exception_ptr error) noexcept override {
    finish([&] { error_ = std::move(error); });
  }

  Task<T> task_;
  const Context& context_;
  std::mutex mutex_;
  std::condition_variable done_changed_;
  bool done_ = false;
  std::exception_ptr error_;
};

template <class T>
class BlockingRun final : public BlockingRunBase<T> {
 public:
  using BlockingRunBase<T>::BlockingRunBase;
  T take() { return std::move(*value_); }

 private:
  void on_done(T&& value) noexcept override {
    this->finish([&] { value_.emplace(std::move(value)); });
  }
  std::optional<T> value_;
};

template <>
class BlockingRun<void> final : public BlockingRunBase<void> {
 public:
  using BlockingRunBase<void>::BlockingRunBase;
  void take() {}

 private:
  void on_done() noexcept override {
    finish([] {});
  }
};

// Runs `task` on `loop`, which another thread runs, and waits for it here. What the task throws
// comes out.
//
// On any loop's thread it is refused, since a loop that blocks stops everything else on it (and for
// its own loop would never return): FAILED_PRECONDITION if T is a Status or a Result,
// std::logic_error otherwise. If the loop is destroyed first, TaskAbandoned is thrown, or UNAVAILABLE
// returned.
template <class T>
T block_on(Loop& loop, Task<T> task, const Context& context = {}) {
  constexpr bool kSaysStatus = std::is_convertible_v<Status, T>;
  if (Loop::on_any_loop_thread() || loop.is_current()) {
    constexpr const char* kWhy = "a blocking call on a loop's thread would block the loop; await it instead";
    if constexpr (kSaysStatus) {
      return Status::failed_precondition(kWhy);
    } else {
      throw std::logic_error(kWhy);
    }
  }
  BlockingRun<T> run(std::move(task), context);
  if constexpr (kSaysStatus) {
    try {
      run.wait_on(loop);
    } catch (const TaskAbandoned&) {
      return Status::unavailable("the loop ended before the call did");
    }
  } else {
    run.wait_on(loop);
  }
  return run.take();
}

}  // namespace gaggle
