// SPDX-License-Identifier: Apache-2.0
#include "gaggle/net/timer.h"

#include "gaggle/net/loop.h"

namespace gaggle {

void Timer::arm_at(TimePoint when) {
  if (when == kNever) return disarm();
  if (armed()) {
    loop_->timers_.change(*this, when);
  } else {
    loop_->timers_.insert(*this, when);
  }
  loop_->wake_by(when);
}

void Timer::arm_after(Duration delay) { arm_at(deadline_after(loop_->now(), delay)); }

void Timer::remove() noexcept { loop_->timers_.remove(*this); }

}  // namespace gaggle
