// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>

namespace gaggle {

// All deadlines, timeouts and expiries are points of the monotonic clock, so that a step of the
// wall clock changes none of them.
using Duration = std::chrono::steady_clock::duration;
using TimePoint = std::chrono::steady_clock::time_point;

// "No deadline".
inline constexpr TimePoint kNever = TimePoint::max();

// Where the time comes from: the machine, or a test. Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual TimePoint now() const noexcept = 0;

  // The machine's monotonic clock.
  static const Clock& real() noexcept;
};

// `now + timeout`, kept at kNever instead of overflowing.
constexpr TimePoint deadline_after(TimePoint now, Duration timeout) noexcept {
  if (timeout >= kNever - now) return kNever;
  return now + timeout;
}

// A clock that stands still until it's told otherwise. Thread-safe.
//
// Begins later than any machine's own: a deadline that was made by the wrong one of the two has passed at
// once, on every machine, however long it has been up.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(TimePoint start = TimePoint{std::chrono::hours{1'000'000}})
      : now_(start.time_since_epoch().count()) {}
  TimePoint now() const noexcept override { return TimePoint{Duration{now_.load(std::memory_order_relaxed)}}; }
  void advance(Duration by) noexcept { now_.fetch_add(by.count(), std::memory_order_relaxed); }

 private:
  std::atomic<Duration::rep> now_;
};

}  // namespace gaggle
