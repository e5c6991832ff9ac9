// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <coroutine>
#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "gaggle/net/task.h"

namespace gaggle {

template <class T>
class WhenAllAwaiter;

// One task of a when_all, and its answer.
template <class T>
class WhenAllEntry final : public TaskCompletion<T> {
 public:
  void on_done(T&& value) noexcept override {
    value_.emplace(std::move(value));
    owner_->one_ended();
  }
  void on_exception(std::exception_ptr error) noexcept override {
    error_ = std::move(error);
    owner_->one_ended();
  }

  WhenAllAwaiter<T>* owner_ = nullptr;
  std::optional<T> value_;
  std::exception_ptr error_;
};
template <>
class WhenAllEntry<void> final : public TaskCompletion<void> {
 public:
  inline void on_done() noexcept override;
  inline void on_exception(std::exception_ptr error) noexcept override;

  WhenAllAwaiter<void>* owner_ = nullptr;
  std::exception_ptr error_;
};

template <class T>
class WhenAllAwaiter {
 public:
  explicit WhenAllAwaiter(std::vector<Task<T>>& tasks)
      : tasks_(tasks), entries_(std::make_unique<WhenAllEntry<T>[]>(tasks.size())) {}

  bool await_ready() const noexcept { return tasks_.empty(); }
  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> handle) noexcept {
    handle_ = handle;
    const Context& context = handle.promise().context();
    running_ = tasks_.size() + 1;  // one for ourselves, so that no task ends the wait while we start others
    for (size_t i = 0; i < tasks_.size(); ++i) {
      entries_[i].owner_ = this;
      start(std::move(tasks_[i]), entries_[i], context);
    }
    return --running_ != 0;
  }
  auto await_resume() {
    for (size_t i = 0; i < tasks_.size(); ++i) {
      if (entries_[i].error_) std::rethrow_exception(entries_[i].error_);
    }
    if constexpr (!std::is_void_v<T>) {
      std::vector<T> values;
      values.reserve(tasks_.size());
      for (size_t i = 0; i < tasks_.size(); ++i) values.push_back(std::move(*entries_[i].value_));
      return values;
    }
  }

  void one_ended() noexcept {
    if (--running_ == 0) handle_.resume();
  }

 private:
  std::vector<Task<T>>& tasks_;
  std::unique_ptr<WhenAllEntry<T>[]> entries_;
  size_t running_ = 0;
  std::coroutine_handle<> handle_;
};

inline void WhenAllEntry<void>::on_done() noexcept { owner_->one_ended(); }
inline void WhenAllEntry<void>::on_exception(std::exception_ptr error) noexcept {
  error_ = std::move(error);
  owner_->one_ended();
}

// Runs the tasks side by side on this loop, for the awaiting task's context, and ends when all have
// ended; gives their values in order. The first exception by order, if any, comes out then. The tasks
// must end on the loop where they began.
template <class T>
  requires(!std::is_void_v<T>)
Task<std::vector<T>> when_all(std::vector<Task<T>> tasks) {
  WhenAllAwaiter<T> all(tasks);
  co_return co_await all;
}
inline Task<void> when_all(std::vector<Task<void>> tasks) {
  WhenAllAwaiter<void> all(tasks);
  co_await all;
}

}  // namespace gaggle
