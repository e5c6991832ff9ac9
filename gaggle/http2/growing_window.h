// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "gaggle/base/clock.h"

namespace gaggle::http2 {

// How long a PING takes to come back. On a path that has become longer the figure follows slowly: what waits behind
// much else takes long, too, and isn't meant.
class RoundTrip {
 public:
  static constexpr Duration kInterval = std::chrono::seconds(1);

  // Whether to send a PING now, to be measured by end().
  bool begin(TimePoint now) {
    if (now < next_) return false;
    begun_ = now;
    next_ = kNever;
    return true;
  }
  void end(TimePoint now) {
    if (next_ != kNever) return;
    next_ = deadline_after(now, kInterval);
    const Duration measured = std::max(now - begun_, Duration{1});
    shortest_ = shortest_ == Duration{} ? measured : std::min(measured, shortest_ + shortest_ / 4);
  }
  // Zero: not known.
  Duration shortest() const { return shortest_; }

 private:
  TimePoint begun_{};
  TimePoint next_{};
  Duration shortest_{};
};

// How much wider a window for what is received is than its configured size. It doubles whenever all of it has been
// used within two and a half round trips. Since credit comes back in halves, a sender that waits for nothing else uses
// a window in one to two; the rest is for jitter. So a window ends up at one to three times what is on the way.
class GrowingWindow {
 public:
  uint32_t extra() const { return extra_; }

  // `bytes` of a window that has `window` are to be given back at `now`. Returns by how much it grows with that, to no
  // more than `most`.
  uint32_t grow(uint32_t bytes, uint32_t window, uint32_t most, TimePoint now, Duration round_trip) {
    used_ += bytes;
    if (since_ != kNever && used_ < window) return 0;
    const bool fast = since_ != kNever && now - since_ <= 2 * round_trip + round_trip / 2;
    since_ = now;
    used_ = 0;
    if (!fast || round_trip == Duration{} || window >= most) return 0;
    const uint32_t wider = std::min(window, most - window);
    extra_ += wider;
    return wider;
  }
  // Takes back up to `bytes` of what it has grown by; returns how many.
  uint32_t shrink(uint32_t bytes) {
    const uint32_t taken = std::min(bytes, extra_);
    extra_ -= taken;
    return taken;
  }

 private:
  TimePoint since_ = kNever;  // the latest time that the whole window had been used
  uint64_t used_ = 0;         // since then
  uint32_t extra_ = 0;
};

// Of a connection that has received much.
struct ConnectionGrowth {
  RoundTrip round_trip;
  GrowingWindow window;
};

}  // namespace gaggle::http2
