// SPDX-License-Identifier: Apache-2.0
#include "gaggle/net/sleep.h"

#include <algorithm>
#include <utility>

#include "gaggle/net/loop.h"

namespace gaggle {

bool SleepAwaiter::begin() {
  const Context& context = promise_->context();
  if (context.cancelled()) {
    result_ = context.status();
    return false;
  }
  const TimePoint now = loop().now();
  if (when_ <= now) return false;
  if (context.deadline() <= now) {
    result_ = Status::deadline_exceeded("the deadline passed before the sleep began");
    return false;
  }
  arm_at(std::min(when_, context.deadline()));
  if (context.cancellable()) listen(loop(), context);
  return true;
}

void SleepAwaiter::on_timer() noexcept {
  if (deadline() < when_) result_ = Status::deadline_exceeded("the deadline passed during the sleep");
  if (stop()) handle_.resume();
}

void SleepAwaiter::on_cancelled() noexcept {
  disarm();
  result_ = promise_->context().status();
  if (stop()) handle_.resume();
}

SleepAwaiter sleep_until(Loop& loop, TimePoint when) noexcept { return SleepAwaiter(loop, when); }

SleepAwaiter sleep_for(Loop& loop, Duration delay) noexcept {
  return SleepAwaiter(loop, deadline_after(loop.now(), delay));
}

}  // namespace gaggle
