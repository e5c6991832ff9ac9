// SPDX-License-Identifier: Apache-2.0
#include "gaggle/net/event.h"

#include <utility>

#include "gaggle/net/loop.h"

namespace gaggle {

bool WaitAwaiter::enqueue() {
  const Context& context = promise_->context();
  result_ = context.cancelled() ? context.status() : Status::ok();
  if (!result_.is_ok()) return false;
  if (context.has_deadline()) {
    if (context.deadline() <= queue_.loop_.now()) {
      result_ = Status::deadline_exceeded("the deadline passed before the wait began");
      return false;
    }
    deadline_.emplace(queue_.loop_, *this);
    deadline_->arm_at(context.deadline());
  }
  next_ = nullptr;
  link_ = queue_.tail_;
  *queue_.tail_ = this;
  queue_.tail_ = &next_;
  begin_wait(queue_.loop_);
  if (context.cancellable()) listen(queue_.loop_, context);
  return true;
}

void WaitAwaiter::leave_queue() noexcept {
  if (link_ == nullptr) return;
  *link_ = next_;
  if (next_ != nullptr) {
    next_->link_ = link_;
  } else {
    queue_.tail_ = link_;
  }
  link_ = nullptr;
}

// The task goes on when its own turn of work comes.
void WaitAwaiter::finish(Status result) noexcept {
  leave_queue();
  end_wait();
  result_ = std::move(result);
  if (deadline_) deadline_->disarm();
  if (stop()) queue_.loop_.post(resume_);
}

void WaitAwaiter::on_cancelled() noexcept { finish(promise_->context().status()); }

void WaitAwaiter::on_deadline() noexcept { finish(Status::deadline_exceeded("the deadline passed during the wait")); }

WaitQueue::~WaitQueue() {
  while (head_ != nullptr) {
    WaitAwaiter& waiter = *head_;
    waiter.leave_queue();
    waiter.promise_->abandon();
  }
}

bool WaitQueue::wake_one(const Status& result) noexcept {
  if (head_ == nullptr) return false;
  head_->finish(result);
  return true;
}

void WaitQueue::wake_all(const Status& result) noexcept {
  while (wake_one(result)) {
  }
}

}  // namespace gaggle
