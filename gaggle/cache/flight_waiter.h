// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <coroutine>
#include <optional>

#include "gaggle/base/context.h"
#include "gaggle/base/result.h"
#include "gaggle/cache/value.h"
#include "gaggle/net/loop_cancel.h"
#include "gaggle/net/loop_work.h"
#include "gaggle/net/task_promise.h"
#include "gaggle/net/timer.h"

namespace gaggle::cache {

// What flight.cc is made of: one caller in a flight, as the leaf operation of its task.
//
// Lies in the caller's coroutine frame. Under the shard's lock it is linked, or not: whoever
// unlinks it owns its result. That is the landing flight, which then posts it to its loop from
// whatever thread, or the caller's own side, when its context ends first.
class FlightWaiter : private LoopCancel {
 public:
  explicit FlightWaiter(const Context& context);

  Loop& loop() const noexcept { return loop_; }
  bool linked() const noexcept { return linked_; }  // under the shard's lock

  bool await_ready() const noexcept { return false; }
  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> handle) {
    handle_ = handle;
    promise_ = &handle.promise();
    return begin();
  }
  Result<Value> await_resume() { return *std::move(result_); }

 protected:
  ~FlightWaiter() override = default;
  // Links it into the key's flight. True: it's a new flight.
  virtual bool open_or_join() = 0;
  // Starts the new flight's work, which may land before this returns.
  virtual void launch() noexcept = 0;
  // Unlinks it. False: it was unlinked before.
  virtual bool leave() noexcept = 0;

 private:
  friend class FlightWaiterList;
  class Resume final : public LoopWork {
   public:
    explicit Resume(FlightWaiter& owner) noexcept : owner_(owner) {}
    void run_on_loop() noexcept override { owner_.resume(); }
    void on_dropped() noexcept override { owner_.lost(); }

   private:
    FlightWaiter& owner_;
  };
  // Always armed: a waiting task must be in the loop's books, for the loop to destroy it with itself.
  class Deadline final : public Timer {
   public:
    Deadline(Loop& loop, FlightWaiter& owner) noexcept : Timer(loop), owner_(owner) {}
    void on_timer() noexcept override { owner_.on_deadline(); }
    void on_dropped() noexcept override {
      if (owner_.leave()) owner_.lost();
    }

   private:
    FlightWaiter& owner_;
  };

  bool begin();
  void arm();
  void deliver(const Result<Value>& result) noexcept;
  void resume() noexcept;
  void lost() noexcept;
  void give_up(Status why) noexcept;
  void on_deadline() noexcept;
  void on_cancelled() noexcept override { give_up(context_.status()); }
  void on_quiet() noexcept override { handle_.resume(); }
  void on_lost() noexcept override { promise_->abandon(); }

  const Context& context_;
  Loop& loop_;
  std::coroutine_handle<> handle_;
  TaskPromiseBase* promise_ = nullptr;
  Resume resume_{*this};
  Deadline deadline_;
  // Set while launch() runs. A new flight lands on this loop's thread, so nobody else reads it then.
  bool launching_ = false;
  bool linked_ = false;  // guarded by the shard's lock, as are the next two
  FlightWaiter* next_ = nullptr;
  FlightWaiter* previous_ = nullptr;
  std::optional<Result<Value>> result_;
};

// The callers of one flight, first come first served. Guarded by the shard's lock, but for what
// take_all has taken out.
class FlightWaiterList {
 public:
  bool empty() const noexcept { return head_ == nullptr; }
  void add(FlightWaiter& waiter) noexcept;
  void remove(FlightWaiter& waiter) noexcept;
  // Unlinks all, and gives them as a chain.
  FlightWaiterList take_all() noexcept;
  // Of a chain that was taken out, without the lock: the waiters may go on before it returns.
  void deliver(const Result<Value>& result) noexcept;

 private:
  FlightWaiter* head_ = nullptr;
  FlightWaiter* tail_ = nullptr;
};

}  // namespace gaggle::cache
