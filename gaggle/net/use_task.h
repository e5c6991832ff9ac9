// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <asio/async_result.hpp>
#include <asio/cancellation_signal.hpp>
#include <atomic>
#include <coroutine>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

#include "gaggle/net/handler_memory.h"
#include "gaggle/net/loop.h"
#include "gaggle/net/loop_cancel.h"
#include "gaggle/net/task_promise.h"

namespace gaggle {

// The completion token with which a Task awaits any Asio operation.
//
//   auto [error, count] = co_await socket.async_read_some(asio::buffer(buffer), gaggle::use_task);
//
// The result is what the handler would get: a tuple; the argument itself when there is one; nothing
// when there is none. Errors are values here, nothing is thrown for them.
//
// On a loop's thread, where the task goes on afterwards, wherever the operation completed. When the
// task's context is cancelled, the operation gets Asio's terminal and total cancellation on that
// thread. One that completes inside its own start doesn't suspend the task. The operation's memory
// lies in the coroutine's frame.
struct UseTask {};
inline constexpr UseTask use_task{};

// The part of a started operation that doesn't depend on its types.
class UseTaskBase : private LoopCancel {
 public:
  using Memory = HandlerMemory<256>;

  UseTaskBase() noexcept : resume_(*this) {}

  Loop& loop() const noexcept { return *loop_; }
  Memory& memory() noexcept { return memory_; }
  asio::cancellation_slot slot() noexcept { return cancellable_ ? signal_.slot() : asio::cancellation_slot(); }

  void completed() noexcept;  // the results are stored; on any thread
  void dropped() noexcept;    // the handler was destroyed without being called

 protected:
  ~UseTaskBase() override = default;
  void before_start(std::coroutine_handle<> handle, TaskPromiseBase& promise) noexcept;
  bool after_start() noexcept;  // whether the task has to wait

 private:
  enum class State : uint8_t { kStarting, kWaiting, kDone };
  class Resume final : public LoopWork {
   public:
    explicit Resume(UseTaskBase& owner) noexcept : owner_(owner) {}
    void run_on_loop() noexcept override { owner_.resume(); }
    void on_dropped() noexcept override { owner_.promise_->abandon(); }

   private:
    UseTaskBase& owner_;
  };

  void resume() noexcept;
  void on_cancelled() noexcept override;
  void on_quiet() noexcept override { handle_.resume(); }
  void on_lost() noexcept override { promise_->abandon(); }

  std::atomic<State> state_{State::kStarting};
  bool cancellable_ = false;
  Loop* loop_ = nullptr;
  std::coroutine_handle<> handle_;
  TaskPromiseBase* promise_ = nullptr;
  Resume resume_;
  asio::cancellation_signal signal_;
  Memory memory_;
};

template <class... Arguments>
class UseTaskOperation : public UseTaskBase {
 public:
  // What Asio calls. Move-only: there is one operation to complete.
  class Handler {
   public:
    using executor_type = Loop::Executor;
    using allocator_type = HandlerAllocator<void, Memory>;
    using cancellation_slot_type = asio::cancellation_slot;

    explicit Handler(UseTaskOperation& operation) noexcept : operation_(&operation) {}
    Handler(Handler&& other) noexcept
        : operation_(other.operation_), responsible_(std::exchange(other.responsible_, false)) {}
    Handler& operator=(Handler&&) = delete;
    ~Handler() {
      if (responsible_) operation_->dropped();
    }

    executor_type get_executor() const noexcept { return operation_->loop().executor(); }
    allocator_type get_allocator() const noexcept { return allocator_type(operation_->memory()); }
    cancellation_slot_type get_cancellation_slot() const noexcept { return operation_->slot(); }

    template <class... Values>
    void operator()(Values&&... values) {
      responsible_ = false;
      operation_->results_.emplace(std::forward<Values>(values)...);
      operation_->completed();
    }

   private:
    UseTaskOperation* operation_;  // Asio asks a handler for its executor after it was moved, too
    bool responsible_ = true;
  };

 protected:
  auto take() {
    if (!results_) throw TaskAbandoned{};  // dropped inside its own start
    if constexpr (sizeof...(Arguments) == 1) {
      return std::get<0>(std::move(*results_));
    } else if constexpr (sizeof...(Arguments) > 1) {
      return std::move(*results_);
    }
  }

 private:
  std::optional<std::tuple<std::decay_t<Arguments>...>> results_;
};

template <class Signature, class Initiation, class... Inputs>
class UseTaskAwaiter;

// Starts its operation when it is awaited.
template <class R, class... Arguments, class Initiation, class... Inputs>
class UseTaskAwaiter<R(Arguments...), Initiation, Inputs...> final : public UseTaskOperation<Arguments...> {
 public:
  template <class I, class... In>
  explicit UseTaskAwaiter(std::in_place_t, I&& initiation, In&&... inputs)
      : initiation_(std::forward<I>(initiation)), inputs_(std::forward<In>(inputs)...) {}

  bool await_ready() const noexcept { return false; }
  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> handle) {
    this->before_start(handle, handle.promise());
    std::apply(
        [this](Inputs&... inputs) {
          std::move(initiation_)(typename UseTaskOperation<Arguments...>::Handler(*this), std::move(inputs)...);
        },
        inputs_);
    return this->after_start();
  }
  auto await_resume() { return this->take(); }

 private:
  Initiation initiation_;
  std::tuple<Inputs...> inputs_;
};

}  // namespace gaggle

template <class R, class... Arguments>
class asio::async_result<gaggle::UseTask, R(Arguments...)> {
 public:
  template <class Initiation, class... Inputs>
  static auto initiate(Initiation&& initiation, gaggle::UseTask, Inputs&&... inputs) {
    using Awaiter = gaggle::UseTaskAwaiter<R(Arguments...), std::decay_t<Initiation>, std::decay_t<Inputs>...>;
    return Awaiter(std::in_place, std::forward<Initiation>(initiation), std::forward<Inputs>(inputs)...);
  }
};
