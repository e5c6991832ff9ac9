// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <coroutine>
#include <optional>

#include "gaggle/base/status.h"
#include "gaggle/net/loop_cancel.h"
#include "gaggle/net/task_promise.h"
#include "gaggle/net/timer.h"

namespace gaggle {

class Loop;
class WaitQueue;

// What `co_await queue.wait()` makes; a node in the queue's list.
class WaitAwaiter final : private LoopCancel, private LoopWait {
 public:
  explicit WaitAwaiter(WaitQueue& queue) noexcept : queue_(queue), resume_(*this) {}
  ~WaitAwaiter() override { leave_queue(); }

  bool await_ready() const noexcept { return false; }
  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> handle) {
    handle_ = handle;
    promise_ = &handle.promise();
    return enqueue();
  }
  Status await_resume() noexcept { return std::move(result_); }

 private:
  friend class WaitQueue;
  // Leaves the waker's stack before the task goes on.
  class Resume final : public LoopWork {
   public:
    explicit Resume(WaitAwaiter& owner) noexcept : owner_(owner) {}
    void run_on_loop() noexcept override { owner_.handle_.resume(); }
    void on_dropped() noexcept override { owner_.promise_->abandon(); }

   private:
    WaitAwaiter& owner_;
  };

  bool enqueue();  // false: it has its answer already
  void leave_queue() noexcept;
  void finish(Status result) noexcept;
  void on_cancelled() noexcept override;
  void on_quiet() noexcept override { handle_.resume(); }
  void on_lost() noexcept override { promise_->abandon(); }
  void on_loop_gone() noexcept override { promise_->abandon(); }
  void on_deadline() noexcept;

  WaitQueue& queue_;
  std::coroutine_handle<> handle_;
  TaskPromiseBase* promise_ = nullptr;
  WaitAwaiter* next_ = nullptr;
  WaitAwaiter** link_ = nullptr;                                // null once it left the queue
  std::optional<TimerOf<&WaitAwaiter::on_deadline>> deadline_;  // only when the context has one
  Resume resume_;
  Status result_;
};

// Tasks that wait until somebody wakes them, first come first served. One loop's thread only; the
// queue outlives its waiters. Woken tasks run at the end of the turn, never inside wake.
class WaitQueue {
 public:
  explicit WaitQueue(Loop& loop) noexcept : loop_(loop) {}
  WaitQueue(const WaitQueue&) = delete;
  WaitQueue& operator=(const WaitQueue&) = delete;
  ~WaitQueue();

  // `Status status = co_await queue.wait();`: what it was woken with; CANCELLED (or the reason of the
  // cancellation) when the task's context is cancelled first, DEADLINE_EXCEEDED at its deadline.
  WaitAwaiter wait() noexcept { return WaitAwaiter(*this); }

  // False when nobody waits.
  bool wake_one(const Status& result = Status::ok()) noexcept;
  void wake_all(const Status& result = Status::ok()) noexcept;
  bool empty() const noexcept { return head_ == nullptr; }
  Loop& loop() const noexcept { return loop_; }

 private:
  friend class WaitAwaiter;
  Loop& loop_;
  WaitAwaiter* head_ = nullptr;
  WaitAwaiter** tail_ = &head_;
};

// A flag that tasks wait for. One loop's thread only; outlives its waiters. From another thread:
// `loop.post([&event] { event.set(); })`.
class AsyncEvent {
 public:
  explicit AsyncEvent(Loop& loop) noexcept : queue_(loop) {}

  // Lets everybody who waits, and who will wait, through.
  void set() noexcept {
    set_ = true;
    queue_.wake_all();
  }
  void reset() noexcept { set_ = false; }
  bool is_set() const noexcept { return set_; }

  class Awaiter {
   public:
    explicit Awaiter(AsyncEvent& event) noexcept : event_(event), wait_(event.queue_) {}
    bool await_ready() const noexcept { return event_.set_; }
    template <class Promise>
    bool await_suspend(std::coroutine_handle<Promise> handle) {
      return wait_.await_suspend(handle);
    }
    Status await_resume() noexcept { return wait_.await_resume(); }

   private:
    AsyncEvent& event_;
    WaitAwaiter wait_;
  };
  // `Status status = co_await event.wait();`: OK once set; otherwise as WaitQueue::wait. Doesn't
  // suspend when the event is set.
  Awaiter wait() noexcept { return Awaiter(*this); }

 private:
  WaitQueue queue_;
  bool set_ = false;
};

}  // namespace gaggle
