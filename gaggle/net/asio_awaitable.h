// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <type_traits>
#include <utility>

#include "gaggle/net/loop.h"
#include "gaggle/net/task.h"
#include "gaggle/net/use_task.h"

namespace gaggle {

// Awaiting an asio::awaitable inside a Task: include this file and write `co_await read_it(socket)`.
//
// It runs on the task's loop, as asio::co_spawn runs it; cancelling the task's context cancels it;
// what it throws comes out. T needs a default, as co_spawn wants. For the other direction await
// spawn(loop, task(), asio::use_awaitable) (spawn.h).
template <class T, class Executor>
Task<T> run_awaitable(asio::awaitable<T, Executor> awaitable) {
  if constexpr (std::is_void_v<T>) {
    std::exception_ptr error =
        co_await asio::co_spawn(Executor(Loop::current()->executor()), std::move(awaitable), use_task);
    if (error) std::rethrow_exception(error);
  } else {
    auto [error, value] =
        co_await asio::co_spawn(Executor(Loop::current()->executor()), std::move(awaitable), use_task);
    if (error) std::rethrow_exception(error);
    co_return std::move(value);
  }
}

template <class T, class Executor>
struct TaskAwaitTransform<asio::awaitable<T, Executor>> {
  // Awaits a task that it owns.
  class Awaiter {
   public:
    explicit Awaiter(Task<T> task) noexcept : task_(std::move(task)), inner_(task_) {}
    Awaiter(const Awaiter&) = delete;
    Awaiter& operator=(const Awaiter&) = delete;

    bool await_ready() const noexcept { return inner_.await_ready(); }
    template <class Promise>
    bool await_suspend(std::coroutine_handle<Promise> handle) noexcept {
      return inner_.await_suspend(handle);
    }
    T await_resume() { return inner_.await_resume(); }

   private:
    Task<T> task_;
    TaskAwaiter<T> inner_;
  };

  static Awaiter transform(asio::awaitable<T, Executor>&& awaitable) {
    return Awaiter(run_awaitable(std::move(awaitable)));
  }
};

}  // namespace gaggle
