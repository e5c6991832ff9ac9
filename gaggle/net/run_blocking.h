// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cassert>
#include <coroutine>
#include <optional>
#include <type_traits>
#include <utility>

#include "gaggle/base/result.h"
#include "gaggle/net/block_on.h"
#include "gaggle/net/loop.h"
#include "gaggle/net/task.h"
#include "gaggle/net/thread_pool.h"

namespace gaggle {

// What a blocking function's answer becomes: something that can say why it wasn't run.
template <class T>
struct BlockingAnswer {
  using type = Result<T>;
};
template <>
struct BlockingAnswer<void> {
  using type = Status;
};
template <>
struct BlockingAnswer<Status> {
  using type = Status;
};
template <class T>
struct BlockingAnswer<Result<T>> {
  using type = Result<T>;
};

template <class Function>
class BlockingAwaiter final : private PoolWork, private LoopWork {
 public:
  using Value = std::invoke_result_t<Function&>;
  using Answer = typename BlockingAnswer<Value>::type;

  BlockingAwaiter(ThreadPool& pool, Function& function) noexcept : pool_(pool), function_(function) {}

  bool await_ready() const noexcept { return false; }
  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> handle) noexcept {
    loop_ = Loop::current();
    assert(loop_ != nullptr && "run_blocking needs a task that runs on a loop");
    handle_ = handle;
    promise_ = &handle.promise();
    if (refused_by_context()) return false;
    if (pool_.submit(*this)) return true;
    answer_.emplace(Status::resource_exhausted("too much blocking work waits for a thread of the pool"));
    return false;
  }
  Answer await_resume() { return std::move(*answer_); }

 private:
  bool refused_by_context() noexcept {
    Status status = promise_->context().status();
    if (status.is_ok()) return false;
    answer_.emplace(std::move(status));
    return true;
  }
  void run_on_pool() noexcept override {
    if (!refused_by_context()) call();
    loop_->post(*this);
  }
  void call() noexcept {
    try {
      if constexpr (std::is_void_v<Value>) {
        function_();
        answer_.emplace();
      } else {
        answer_.emplace(function_());
      }
    } catch (...) {
      answer_.emplace(status_of(std::current_exception()));
    }
  }
  void run_on_loop() noexcept override { handle_.resume(); }
  void on_dropped() noexcept override { promise_->abandon(); }

  ThreadPool& pool_;
  Function& function_;
  Loop* loop_ = nullptr;
  std::coroutine_handle<> handle_;
  TaskPromiseBase* promise_ = nullptr;
  std::optional<Answer> answer_;
};

// Calls `function` on a thread of `pool` and goes on on this loop with what it returned: a Status or
// a Result as it is, anything else as a Result, nothing as a Status.
//
//   auto read = [path] { return read_file(path); };          // named first: see task.h on g++ 12
//   Result<std::string> text = co_await run_blocking(pool, read);
//
// RESOURCE_EXHAUSTED when the pool's queue is full, UNKNOWN when `function` throws. A task whose
// context has ended before a thread was free gives that status, and `function` isn't called; once it
// runs, it is waited for. The pool ends before the loop does.
template <class Function>
Task<typename BlockingAwaiter<Function>::Answer> run_blocking(ThreadPool& pool, Function function) {
  BlockingAwaiter<Function> call(pool, function);
  co_return co_await call;
}

}  // namespace gaggle
