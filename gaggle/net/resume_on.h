// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cassert>
#include <coroutine>

#include "gaggle/net/loop.h"
#include "gaggle/net/task_promise.h"

namespace gaggle {

class ResumeOnAwaiter final : private LoopWork {
 public:
  explicit ResumeOnAwaiter(Loop& target) noexcept : target_(target) {}

  bool await_ready() const noexcept { return target_.is_current(); }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> handle) noexcept {
    assert(Loop::current() != nullptr && "resume_on needs a task that runs on a loop");
    handle_ = handle;
    promise_ = &handle.promise();
    // First to this loop's own queue: the task may be resumed elsewhere only once everything that
    // resumed it here has returned.
    Loop::current()->post(*this);
  }
  void await_resume() const noexcept {}

 private:
  void run_on_loop() noexcept override {
    if (Loop::current() == &target_) {
      handle_.resume();
    } else {
      target_.post(*this);
    }
  }
  void on_dropped() noexcept override { promise_->abandon(); }

  Loop& target_;
  std::coroutine_handle<> handle_;
  TaskPromiseBase* promise_ = nullptr;
};

// `co_await resume_on(loop);`: the task goes on on that loop's thread. On the same loop: at once.
// Whoever awaits the task goes on there too, so hop back before it ends, or document it.
inline ResumeOnAwaiter resume_on(Loop& target) noexcept { return ResumeOnAwaiter(target); }

}  // namespace gaggle
