// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cassert>
#include <optional>
#include <variant>

#include "gaggle/net/task_promise.h"

namespace gaggle {

template <class T>
class TaskPromise;
template <class T>
class TaskAwaiter;

// A wait that needs no frame, because the object that does the waiting has room for it: what a Task
// may be instead of a coroutine. For operations of which there is one at a time, and which many wait
// in for long, such as the next message of a stream.
//
// One loop's thread. The Task that holds it calls begin() at most once, and leave() last of all.
template <class T>
class TaskOperation {
 public:
  enum class Begun : uint8_t {
    kEnded,       // take() has the value
    kWaits,       // the awaiter is resumed when take() has it
    kNeedsFrame,  // not for such an awaiter: with_frame() makes a coroutine that does the same
  };
  virtual Begun begin(std::coroutine_handle<> awaiter, TaskPromiseBase& promise, const Context& context) = 0;
  virtual T take() = 0;
  virtual Task<T> with_frame() = 0;
  // The Task goes: after take(), without ever having begun, or destroyed where it waits.
  virtual void leave() noexcept = 0;

 protected:
  ~TaskOperation() = default;
};

// A coroutine that gives a T when awaited: lazy, move-only, cheap.
//
//   Task<Status> save(Store& store, const Item& item) {
//     Result<Row> row = co_await store.find(item.key);
//     if (!row) co_return row.error();
//     co_return co_await store.write(*row);
//   }
//
// Nothing runs before the Task is awaited by another Task, or started (start() below, spawn() in
// spawn.h). A Task is awaited once; dropped unawaited, it is destroyed without having run, and a
// Task is never dropped while it runs. An exception that leaves it comes out of the co_await.
//
// Threads: a task runs on one loop's thread (loop.h), and only `co_await resume_on(loop)` moves it.
// Frames come from a free list (frame_pool.h). Awaiting a task that has its answer at once doesn't
// suspend. The stack grows with the depth of nested tasks, never with their number.
//
// Context: each running task works for a Context, its awaiter's; the root gets one from whoever
// starts it. Operations that wait (use_task.h, event.h, sleep.h) end early when it is cancelled.
// `co_await current_context()` gives it, `co_await in_context(context, task)` sets another.
//
// g++ 12 destroys some temporaries inside a co_await expression twice: a lambda with captures, or a
// braced argument with a destructor. Give such a thing a name on the line before. A capturing lambda
// must not be a coroutine itself, in any compiler: its captures die before its frame does.
template <class T = void>
class [[nodiscard]] Task {
  static_assert(std::is_void_v<T> || (std::is_object_v<T> && std::is_move_constructible_v<T>));

 public:
  using promise_type = TaskPromise<T>;
  using value_type = T;

  Task(Task&& other) noexcept
      : handle_(std::exchange(other.handle_, nullptr)),
        operation_(std::exchange(other.operation_, nullptr)),
        ready_(std::move(other.ready_)) {
    other.ready_.reset();
  }
  Task& operator=(Task&& other) noexcept {
    if (this == &other) return *this;
    destroy();
    handle_ = std::exchange(other.handle_, nullptr);
    operation_ = std::exchange(other.operation_, nullptr);
    ready_.reset();
    if (other.ready_) ready_.emplace(std::move(*other.ready_));
    other.ready_.reset();
    return *this;
  }
  ~Task() { destroy(); }

  // A task that has ended before it began, without a frame: for functions that know the answer.
  template <class U = T>
    requires(!std::is_void_v<U>)
  static Task ready(U value) {
    Task task;
    task.ready_.emplace(std::move(value));
    return task;
  }
  static Task ready()
    requires std::is_void_v<T>
  {
    Task task;
    task.ready_.emplace();
    return task;
  }

  // `operation` lives until the task is gone.
  static Task of(TaskOperation<T>& operation) noexcept {
    Task task;
    task.operation_ = &operation;
    return task;
  }

  // False once it was moved from, awaited or started.
  bool valid() const noexcept { return handle_ != nullptr || operation_ != nullptr || ready_.has_value(); }
  bool is_ready() const noexcept { return ready_.has_value(); }

 private:
  friend class TaskPromise<T>;
  friend class TaskAwaiter<T>;
  template <class U>
  friend void start(Task<U>&& task, TaskCompletion<U>& completion, const Context& context);

  using Stored = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

  Task() noexcept = default;
  explicit Task(std::coroutine_handle<promise_type> handle) noexcept : handle_(handle) {}
  void destroy() noexcept {
    if (handle_) std::exchange(handle_, nullptr).destroy();
    if (operation_ != nullptr) std::exchange(operation_, nullptr)->leave();
  }
  // Instead of the operation, a coroutine that does the same. Not by assignment of a whole Task: g++ 12
  // believes that its ready_ may be uninitialised.
  void use_frame() {
    Task frame = operation_->with_frame();
    handle_ = std::exchange(frame.handle_, nullptr);
    std::exchange(operation_, nullptr)->leave();
  }

  std::coroutine_handle<promise_type> handle_;  // at most one of the three
  TaskOperation<T>* operation_ = nullptr;
  std::optional<Stored> ready_;
};

// What `co_await task` makes; it refers to the task, which lives as long as the expression.
template <class T>
class TaskAwaiter {
 public:
  explicit TaskAwaiter(Task<T>& task, const Context* context = nullptr) noexcept : task_(task), context_(context) {
    assert(task.valid() && "a task is awaited once");
  }

  bool await_ready() const noexcept { return task_.ready_.has_value(); }
  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> awaiter) {
    if (task_.operation_ != nullptr) {
      using Begun = typename TaskOperation<T>::Begun;
      TaskPromiseBase& promise = awaiter.promise();
      const Begun begun =
          task_.operation_->begin(awaiter, promise, context_ != nullptr ? *context_ : promise.context());
      if (begun != Begun::kNeedsFrame) return begun == Begun::kWaits;
      task_.use_frame();
    }
    auto& child = task_.handle_.promise();
    child.attach(awaiter.promise(), awaiter, context_);
    child.starting_ = true;
    task_.handle_.resume();
    if (child.finished_) return false;
    child.starting_ = false;
    return true;
  }
  T await_resume() {
    if constexpr (std::is_void_v<T>) {
      if (task_.operation_ != nullptr) task_.operation_->take();
      if (task_.handle_) task_.handle_.promise().outcome().take();
      task_.ready_.reset();
    } else {
      if (task_.ready_) return std::move(*task_.ready_);
      if (task_.operation_ != nullptr) return task_.operation_->take();
      return task_.handle_.promise().outcome().take();
    }
  }

 private:
  Task<T>& task_;
  const Context* context_;
};

// `co_await current_context()`: the context this task works for, by const reference; never suspends.
struct CurrentContext {};
constexpr CurrentContext current_context() noexcept { return {}; }

// `co_await in_context(context, task())`: runs a task for another context, which outlives the
// expression.
template <class T>
struct TaskInContext {
  Task<T> task;
  const Context& context;
};
template <class T>
TaskInContext<T> in_context(const Context& context, Task<T> task) {
  return {std::move(task), context};
}

template <class T>
class TaskPromiseReturn : public TaskPromiseBase {
 public:
  template <class U = T>
    requires std::is_constructible_v<T, U&&>
  void return_value(U&& value) {
    outcome_.set_value(std::forward<U>(value));
  }
  TaskOutcome<T>& outcome() noexcept { return outcome_; }

 protected:
  ~TaskPromiseReturn() override = default;
  TaskOutcome<T> outcome_;
};
template <>
class TaskPromiseReturn<void> : public TaskPromiseBase {
 public:
  void return_void() noexcept {}
  TaskOutcome<void>& outcome() noexcept { return outcome_; }

 protected:
  ~TaskPromiseReturn() override = default;
  TaskOutcome<void> outcome_;
};

template <class T>
class TaskPromise final : public TaskPromiseReturn<T> {
 public:
  using Handle = std::coroutine_handle<TaskPromise>;

  Task<T> get_return_object() noexcept { return Task<T>(Handle::from_promise(*this)); }
  std::suspend_always initial_suspend() const noexcept { return {}; }
  void unhandled_exception() noexcept { this->outcome_.set_error(std::current_exception()); }

  struct FinalAwaiter {
    bool await_ready() const noexcept { return false; }
    std::coroutine_handle<> await_suspend(Handle handle) const noexcept {
      auto& promise = handle.promise();
      if (promise.completion_ != nullptr) {
        finish_root(handle);
        return std::noop_coroutine();
      }
      if (!promise.starting_) return promise.continuation_;
      promise.finished_ = true;
      return std::noop_coroutine();
    }
    void await_resume() const noexcept {}
  };
  FinalAwaiter final_suspend() const noexcept { return {}; }

  template <class U>
  TaskAwaiter<U> await_transform(Task<U>&& task) noexcept {
    return TaskAwaiter<U>(task);
  }
  template <class U>
  TaskAwaiter<U> await_transform(TaskInContext<U>&& bound) noexcept {
    return TaskAwaiter<U>(bound.task, &bound.context);
  }
  auto await_transform(CurrentContext) noexcept {
    struct Awaiter {
      const Context& context;
      bool await_ready() const noexcept { return true; }
      void await_suspend(std::coroutine_handle<>) const noexcept {}
      const Context& await_resume() const noexcept { return context; }
    };
    return Awaiter{this->context()};
  }
  template <HasTaskAwaitTransform X>
    requires(!std::is_lvalue_reference_v<X>)
  auto await_transform(X&& other) {
    return TaskAwaitTransform<X>::transform(std::move(other));
  }
  template <class X>
    requires(requires(X& x) { x.await_ready(); } && !HasTaskAwaitTransform<X>)
  AwaiterReference<X> await_transform(X&& awaiter) noexcept {
    return AwaiterReference<X>(awaiter);
  }
  template <class X>
    requires(requires(X& x) { x.await_ready(); } && !HasTaskAwaitTransform<X>)
  AwaiterReference<X> await_transform(X& awaiter) noexcept {
    return AwaiterReference<X>(awaiter);
  }

 private:
  template <class U>
  friend void start(Task<U>&& task, TaskCompletion<U>& completion, const Context& context);

  static void finish_root(Handle handle) noexcept {
    auto& promise = handle.promise();
    TaskCompletion<T>& completion = *promise.completion_;
    if (promise.outcome_.has_error()) {
      std::exception_ptr error = promise.outcome_.error();
      handle.destroy();
      completion.on_exception(std::move(error));
    } else if constexpr (std::is_void_v<T>) {
      handle.destroy();
      completion.on_done();
    } else {
      T value = std::move(promise.outcome_.value());
      handle.destroy();
      completion.on_done(std::move(value));
    }
  }
  void abandon_root() noexcept override {
    TaskCompletion<T>* completion = completion_;
    Handle::from_promise(*this).destroy();
    if (completion != nullptr) completion->on_abandoned();
  }

  TaskCompletion<T>* completion_ = nullptr;
};

// Runs a task for `context` on the calling thread, until it first waits; `completion` is told when
// it ends, maybe before start() returns. Allocates nothing. Call it on a loop's thread; `completion`
// and `context` stay alive until the completion is told.
//
// This is how the runtime runs a call's handler. Programs use spawn() and block_on() (spawn.h).
template <class T>
void start(Task<T>&& task, TaskCompletion<T>& completion, const Context& context) {
  assert(task.valid() && "a task is started once");
  if (task.ready_) {
    if constexpr (std::is_void_v<T>) {
      task.ready_.reset();
      completion.on_done();
    } else {
      T value = std::move(*task.ready_);
      task.ready_.reset();
      completion.on_done(std::move(value));
    }
    return;
  }
  if (task.operation_ != nullptr) task.use_frame();
  auto handle = std::exchange(task.handle_, nullptr);
  handle.promise().completion_ = &completion;
  handle.promise().context_ = &context;
  handle.resume();
}

}  // namespace gaggle
