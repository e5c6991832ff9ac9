// SPDX-License-Identifier: Apache-2.0
#include "gaggle/net/use_task.h"

#include <cassert>

namespace gaggle {

void UseTaskBase::before_start(std::coroutine_handle<> handle, TaskPromiseBase& promise) noexcept {
  loop_ = Loop::current();
  assert(loop_ != nullptr && "use_task needs a task that runs on a loop");
  handle_ = handle;
  promise_ = &promise;
  cancellable_ = promise.context().cancellable();
}

// The operation may have completed already: here, inside its start, or just now on another thread.
bool UseTaskBase::after_start() noexcept {
  if (state_.load(std::memory_order_acquire) == State::kDone) return false;
  if (cancellable_) listen(*loop_, promise_->context());
  if (state_.exchange(State::kWaiting, std::memory_order_acq_rel) != State::kDone) return true;
  return !stop();  // a cancellation on its way resumes the task in on_quiet
}

void UseTaskBase::completed() noexcept {
  if (state_.exchange(State::kDone, std::memory_order_acq_rel) == State::kStarting) return;
  if (!loop_->is_current()) {
    loop_->post(resume_);
    return;
  }
  const Loop::Enter enter(*loop_);
  resume();
}

void UseTaskBase::resume() noexcept {
  if (stop()) handle_.resume();
}

void UseTaskBase::dropped() noexcept {
  if (state_.exchange(State::kDone, std::memory_order_acq_rel) == State::kStarting) return;
  promise_->abandon();
}

void UseTaskBase::on_cancelled() noexcept {
  if (state_.load(std::memory_order_acquire) == State::kDone) return;
  signal_.emit(asio::cancellation_type::terminal | asio::cancellation_type::total);
}

}  // namespace gaggle
