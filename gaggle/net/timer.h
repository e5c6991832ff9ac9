// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "gaggle/base/clock.h"
#include "gaggle/net/loop_work.h"

namespace gaggle {

// Calls back on its loop's thread when a moment has come.
//
// Lies in its owner; arming and disarming cost O(log n) in the loop's heap, no allocation, and no
// system call unless the loop has to wake up earlier than planned. Belongs to one loop's thread,
// like everything it does; the loop outlives it. Destroying a timer disarms it.
//
//   TimerOf<&Connection::on_idle> idle_{loop_, *this};
//   idle_.arm_after(30s);
class Timer {
 public:
  explicit Timer(Loop& loop) noexcept : loop_(&loop) {}
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  virtual ~Timer() { disarm(); }

  // Replaces an earlier arming. A moment in the past fires on the next turn, never inside arm;
  // kNever disarms.
  void arm_at(TimePoint when);
  // Counts from the loop's now(); see there.
  void arm_after(Duration delay);
  void disarm() noexcept {
    if (armed()) remove();
  }

  bool armed() const noexcept { return position_ != kNotArmed; }
  TimePoint deadline() const noexcept { return deadline_; }  // while armed()
  Loop& loop() const noexcept { return *loop_; }

  // Disarmed by then; may arm again or destroy the timer.
  virtual void on_timer() noexcept = 0;
  // The loop is being destroyed while the timer is armed; it's disarmed by then.
  virtual void on_dropped() noexcept {}

 private:
  friend class TimerHeap;
  static constexpr uint32_t kNotArmed = UINT32_MAX;
  void remove() noexcept;

  Loop* loop_;
  TimePoint deadline_ = kNever;
  uint32_t position_ = kNotArmed;  // in the loop's heap
};

// A timer that calls a member function of its owner.
template <auto kMethod>
class TimerOf final : public Timer {
 public:
  TimerOf(Loop& loop, MethodOwnerOf<kMethod>& owner) noexcept : Timer(loop), owner_(owner) {}
  void on_timer() noexcept override { (owner_.*kMethod)(); }

 private:
  MethodOwnerOf<kMethod>& owner_;
};

}  // namespace gaggle
