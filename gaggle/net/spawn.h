// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <asio/associated_allocator.hpp>
#include <asio/associated_cancellation_slot.hpp>
#include <asio/associated_executor.hpp>
#include <asio/async_result.hpp>
#include <asio/dispatch.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/post.hpp>
#include <exception>
#include <memory>
#include <utility>

#include "gaggle/base/context.h"
#include "gaggle/base/result.h"
#include "gaggle/net/block_on.h"
#include "gaggle/net/loop.h"
#include "gaggle/net/task.h"

namespace gaggle {

// What the handler of a spawned task gets. An exception from a task that gives a Status or a Result
// becomes UNKNOWN; from others it comes along as std::exception_ptr, which use_future and
// use_awaitable throw (T must have a default then, as everywhere in Asio).
template <class T>
struct SpawnOutcome {
  using Signature = void(std::exception_ptr, T);
  template <class Complete>
  static void done(Complete&& complete, T&& value) {
    complete(std::exception_ptr{}, std::move(value));
  }
  template <class Complete>
  static void failed(std::exception_ptr error, Complete&& complete) {
    complete(std::move(error), T{});
  }
};
template <>
struct SpawnOutcome<void> {
  using Signature = void(std::exception_ptr);
  template <class Complete>
  static void done(Complete&& complete) {
    complete(std::exception_ptr{});
  }
  template <class Complete>
  static void failed(std::exception_ptr error, Complete&& complete) {
    complete(std::move(error));
  }
};
template <class T>
struct SpawnStatusOutcome {
  using Signature = void(T);
  template <class Complete>
  static void done(Complete&& complete, T&& value) {
    complete(std::move(value));
  }
  template <class Complete>
  static void failed(std::exception_ptr error, Complete&& complete) {
    complete(T(status_of(std::move(error))));
  }
};
template <>
struct SpawnOutcome<Status> : SpawnStatusOutcome<Status> {};
template <class T>
struct SpawnOutcome<Result<T>> : SpawnStatusOutcome<Result<T>> {};

// Brings on_done() and on_done(value) to one function of Derived.
template <class T, class Derived>
class SpawnCompletion : public TaskCompletion<T> {
  void on_done(T&& value) noexcept final { static_cast<Derived*>(this)->succeed(std::move(value)); }
};
template <class Derived>
class SpawnCompletion<void, Derived> : public TaskCompletion<void> {
  void on_done() noexcept final { static_cast<Derived*>(this)->succeed(); }
};

// A task on its way: to the loop, through its run, and back to the handler's executor. One
// allocation, by the handler's allocator.
template <class T, class Handler>
class SpawnOperation final : public LoopWork, public SpawnCompletion<T, SpawnOperation<T, Handler>> {
 public:
  static void launch(Loop& loop, Task<T> task, Context context, Handler handler) {
    Allocator allocator(asio::get_associated_allocator(handler));
    SpawnOperation* operation = std::allocator_traits<Allocator>::allocate(allocator, 1);
    ::new (operation) SpawnOperation(loop, std::move(task), std::move(context), std::move(handler));
    loop.post(*operation);
  }

 private:
  friend class SpawnCompletion<T, SpawnOperation>;
  using Allocator =
      typename std::allocator_traits<asio::associated_allocator_t<Handler>>::template rebind_alloc<SpawnOperation>;
  using Executor = asio::associated_executor_t<Handler, Loop::Executor>;

  SpawnOperation(Loop& loop, Task<T> task, Context context, Handler handler)
      : task_(std::move(task)),
        context_(std::move(context)),
        handler_(std::move(handler)),
        loop_(loop.executor()),
        work_(asio::get_associated_executor(handler_, loop_)) {
    auto slot = asio::get_associated_cancellation_slot(handler_);
    if (!slot.is_connected()) return;
    // The slot may be emitted while the task ends on its loop, so both hold the source.
    auto source = std::make_shared<CancelSource>(context_);
    context_ = source->context();
    slot.assign([source](asio::cancellation_type) { source->cancel(Status::cancelled("the caller cancelled")); });
  }

  void run_on_loop() noexcept override { start(std::move(task_), *this, context_); }
  void on_dropped() noexcept override { release(); }
  void on_abandoned() noexcept override { release(); }
  void on_exception(std::exception_ptr error) noexcept override {
    SpawnOutcome<T>::failed(std::move(error), [this]<class... V>(V&&... v) { this->complete(std::forward<V>(v)...); });
  }
  template <class... Value>
  void succeed(Value&&... value) {
    SpawnOutcome<T>::done([this]<class... V>(V&&... v) { this->complete(std::forward<V>(v)...); }, std::move(value)...);
  }

  // Through the loop's queue, then to where the handler wants to run: never inside spawn or inside the
  // task. Posting to the handler's own executor at once would do as well, but that of use_future is a
  // pool with a hidden thread, which dispatching from a loop doesn't wake.
  template <class... Values>
  void complete(Values&&... values) {
    Handler handler = std::move(handler_);
    auto work = std::move(work_);
    const Loop::Executor loop = loop_;
    release();
    asio::post(loop, [handler = std::move(handler), work = std::move(work),
                      ... values = std::decay_t<Values>(std::forward<Values>(values))]() mutable {
      auto slot = asio::get_associated_cancellation_slot(handler);
      if (slot.is_connected()) slot.clear();
      auto executor = work.get_executor();
      asio::dispatch(executor,
                     [handler = std::move(handler), work = std::move(work), ... values = std::move(values)]() mutable {
                       std::move(handler)(std::move(values)...);
                     });
    });
  }

  void release() noexcept {
    Allocator allocator(asio::get_associated_allocator(handler_));
    this->~SpawnOperation();
    std::allocator_traits<Allocator>::deallocate(allocator, this, 1);
  }

  Task<T> task_;
  Context context_;
  Handler handler_;
  const Loop::Executor loop_;
  asio::executor_work_guard<Executor> work_;
};

struct SpawnInitiation {
  template <class Handler, class T>
  void operator()(Handler&& handler, Loop* loop, Task<T> task, Context context) const {
    SpawnOperation<T, std::decay_t<Handler>>::launch(*loop, std::move(task), std::move(context),
                                                     std::forward<Handler>(handler));
  }
};

// Runs `task` on `loop`, from any thread, and completes as `token` says.
//
//   gaggle::spawn(loop, work(), [](Status status) { … });
//   std::future<Status> done = gaggle::spawn(loop, work(), asio::use_future);
//   Status status = co_await gaggle::spawn(loop, work(), asio::use_awaitable);   // in an asio::awaitable
//
// The handler runs on its associated executor, the loop's by default: never inside spawn.
// Cancellation through its associated slot cancels the task's context, which derives from `context`.
// A handler whose loop is destroyed first is destroyed without being called.
template <class T, class Token>
auto spawn(Loop& loop, Task<T> task, Context context, Token&& token) {
  return asio::async_initiate<Token, typename SpawnOutcome<T>::Signature>(SpawnInitiation{}, token, &loop,
                                                                          std::move(task), std::move(context));
}
template <class T, class Token>
  requires(!std::is_same_v<std::decay_t<Token>, Context>)
auto spawn(Loop& loop, Task<T> task, Token&& token) {
  return spawn(loop, std::move(task), Context{}, std::forward<Token>(token));
}

}  // namespace gaggle
