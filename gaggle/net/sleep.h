// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <coroutine>

#include "gaggle/base/status.h"
#include "gaggle/net/loop_cancel.h"
#include "gaggle/net/task_promise.h"
#include "gaggle/net/timer.h"

namespace gaggle {

// What sleep_until and sleep_for make.
class SleepAwaiter final : private Timer, private LoopCancel {
 public:
  SleepAwaiter(Loop& loop, TimePoint when) noexcept : Timer(loop), when_(when) {}
  // Its address is in the loop's timers only while it is awaited.
  SleepAwaiter(SleepAwaiter&& other) noexcept : Timer(other.loop()), when_(other.when_) {}

  bool await_ready() const noexcept { return false; }
  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> handle) {
    handle_ = handle;
    promise_ = &handle.promise();
    return begin();
  }
  Status await_resume() noexcept { return std::move(result_); }

 private:
  bool begin();
  void on_timer() noexcept override;
  void on_dropped() noexcept override { promise_->abandon(); }
  void on_cancelled() noexcept override;
  void on_quiet() noexcept override { handle_.resume(); }
  void on_lost() noexcept override { promise_->abandon(); }

  TimePoint when_;
  std::coroutine_handle<> handle_;
  TaskPromiseBase* promise_ = nullptr;
  Status result_;
};

// `Status status = co_await sleep_for(loop, 50ms);`: OK when the time has come; the reason of the
// cancellation when the task's context is cancelled first; DEADLINE_EXCEEDED when its deadline comes
// first. On the loop's thread; on the loop's timers, so virtual time works. A moment that has passed
// doesn't suspend.
SleepAwaiter sleep_until(Loop& loop, TimePoint when) noexcept;
SleepAwaiter sleep_for(Loop& loop, Duration delay) noexcept;

}  // namespace gaggle
