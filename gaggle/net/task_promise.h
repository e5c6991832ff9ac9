// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <coroutine>
#include <cstdint>
#include <exception>
#include <new>
#include <type_traits>
#include <utility>

#include "gaggle/base/context.h"
#include "gaggle/net/frame_pool.h"

// What task.h is made of; users need task.h only.

namespace gaggle {

template <class T>
class Task;

// Thrown into a TaskCompletion when the loop that a task waited on is gone.
class TaskAbandoned final : public std::exception {
 public:
  const char* what() const noexcept override { return "the task's loop ended before the task did"; }
};

// Told once how a started task ended; see start() in task.h. The task's frame is gone by then.
template <class T>
class TaskCompletion {
 public:
  virtual void on_done(T&& value) noexcept = 0;
  virtual void on_exception(std::exception_ptr error) noexcept = 0;
  // The task was destroyed where it waited, since its loop was destroyed.
  virtual void on_abandoned() noexcept { on_exception(std::make_exception_ptr(TaskAbandoned{})); }

 protected:
  virtual ~TaskCompletion() = default;
};

template <>
class TaskCompletion<void> {
 public:
  virtual void on_done() noexcept = 0;
  virtual void on_exception(std::exception_ptr error) noexcept = 0;
  virtual void on_abandoned() noexcept { on_exception(std::make_exception_ptr(TaskAbandoned{})); }

 protected:
  virtual ~TaskCompletion() = default;
};

// The part of a running task that its awaiters see.
//
// A child is resumed by its awaiter's await_suspend. When it ends before that call returns
// (`starting_`), the awaiter simply goes on; only a child that ended later resumes its awaiter. So a
// million ready children cost no stack, in an unoptimised build as well.
class TaskPromiseBase {
 public:
  static void* operator new(size_t size) { return FramePool::allocate(size); }
  static void operator delete(void* frame, size_t size) noexcept { FramePool::deallocate(frame, size); }

  // The context that this task works for. Stays the same while the task runs.
  const Context& context() const noexcept { return *context_; }

  // Destroys the whole task, from its root, where it is suspended, and tells the root's completion.
  // For leaf operations that find out that they will never complete.
  void abandon() noexcept {
    TaskPromiseBase* root = this;
    while (root->parent_ != nullptr) root = root->parent_;
    root->abandon_root();
  }

  // A task is `awaited` by a task; the child works for the same context, unless one is given.
  void attach(TaskPromiseBase& awaiter, std::coroutine_handle<> continuation, const Context* context) noexcept {
    parent_ = &awaiter;
    continuation_ = continuation;
    context_ = context != nullptr ? context : awaiter.context_;
  }

 protected:
  TaskPromiseBase() = default;
  virtual ~TaskPromiseBase() = default;
  virtual void abandon_root() noexcept = 0;

  template <class>
  friend class TaskAwaiter;
  template <class>
  friend class TaskPromise;

  std::coroutine_handle<> continuation_;
  TaskPromiseBase* parent_ = nullptr;
  const Context* context_ = nullptr;
  bool starting_ = false;
  bool finished_ = false;
};

// Where a value or an exception waits for its taker.
template <class T>
class TaskOutcome {
 public:
  TaskOutcome() noexcept {}
  TaskOutcome(const TaskOutcome&) = delete;
  TaskOutcome& operator=(const TaskOutcome&) = delete;
  ~TaskOutcome() {
    if (kind_ == Kind::kValue) value_.~T();
    if (kind_ == Kind::kError) error_.~exception_ptr();
  }

  template <class U>
  void set_value(U&& value) {
    ::new (static_cast<void*>(&value_)) T(std::forward<U>(value));
    kind_ = Kind::kValue;
  }
  void set_error(std::exception_ptr error) noexcept {
    ::new (static_cast<void*>(&error_)) std::exception_ptr(std::move(error));
    kind_ = Kind::kError;
  }
  bool has_error() const noexcept { return kind_ == Kind::kError; }
  std::exception_ptr error() const noexcept { return error_; }
  T& value() noexcept { return value_; }
  T take() {
    if (has_error()) std::rethrow_exception(error_);
    return std::move(value_);
  }

 private:
  enum class Kind : uint8_t { kNothing, kValue, kError };
  union {
    T value_;
    std::exception_ptr error_;
  };
  Kind kind_ = Kind::kNothing;
};

template <>
class TaskOutcome<void> {
 public:
  void set_error(std::exception_ptr error) noexcept { error_ = std::move(error); }
  bool has_error() const noexcept { return error_ != nullptr; }
  std::exception_ptr error() const noexcept { return error_; }
  void take() {
    if (has_error()) std::rethrow_exception(error_);
  }

 private:
  std::exception_ptr error_;
};

// How a Task awaits an X that is not an awaiter itself. Specialise it with
// `static auto transform(X&&)`, as asio_awaitable.h does.
template <class X>
struct TaskAwaitTransform;

template <class X>
concept HasTaskAwaitTransform = requires(X&& x) { TaskAwaitTransform<X>::transform(std::move(x)); };

// Awaits an awaiter that lives in the co_await expression or outside it. g++ 12 copies an awaiter
// that await_transform gives by reference, so it's wrapped.
template <class Awaiter>
class AwaiterReference {
 public:
  explicit AwaiterReference(Awaiter& awaiter) noexcept : awaiter_(awaiter) {}
  bool await_ready() { return awaiter_.await_ready(); }
  template <class Promise>
  auto await_suspend(std::coroutine_handle<Promise> handle) {
    return awaiter_.await_suspend(handle);
  }
  decltype(auto) await_resume() { return awaiter_.await_resume(); }

 private:
  Awaiter& awaiter_;
};

}  // namespace gaggle
