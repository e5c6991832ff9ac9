// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "gaggle/base/clock.h"

namespace gaggle::http2 {

// A token bucket for what a peer makes us do in vain.
//
// Charged: streams that the peer resets before their handler had its turn, and resets it forces us to
// send (both given back by streams that complete); small DATA frames that complete no message; control
// frames beyond what traffic calls for. Who gives up a call that has begun, as hedging does and whoever
// runs out of time, has had what any call costs, and pays nothing. So an honest peer pays next to nothing
// at any speed; one that attacks empties the bucket within about `burst` frames.
//
// Counts tenths of a token. Not thread-safe; has no clock of its own.
class AbuseBucket {
 public:
  static constexpr int64_t kToken = 10;

  AbuseBucket(uint32_t burst, uint32_t refill_per_second)
      : burst_(burst), refill_per_second_(refill_per_second), level_(capacity()) {}

  // Takes `tenths`; false when the bucket is empty.
  bool charge(int64_t tenths) {
    level_ -= tenths;
    charged_ += tenths;
    return level_ >= 0;
  }
  void refund(int64_t tenths) { level_ = std::min(capacity(), level_ + tenths); }

  // For a reset, which completed streams pay for later.
  bool charge_reset(int64_t tenths) {
    unpaid_ += tenths;
    return charge(tenths);
  }
  void stream_completed() {
    const int64_t paid = std::min(unpaid_, kToken);
    unpaid_ -= paid;
    refund(paid);
  }

  void advance(TimePoint now) {
    if (level_ >= capacity()) {
      last_refill_ = now;
      return;
    }
    const auto elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(now - last_refill_);
    const int64_t tokens = std::min<int64_t>(elapsed.count(), 3'600'000) * refill_per_second_ * kToken / 1000;
    if (tokens <= 0) return;
    refund(tokens);
    last_refill_ = now;
  }

  int64_t charged_tenths() const { return charged_; }

 private:
  int64_t capacity() const { return int64_t{burst_} * kToken; }

  uint32_t burst_;
  uint32_t refill_per_second_;
  int64_t level_;  // tenths, as all that follow
  int64_t charged_ = 0;
  int64_t unpaid_ = 0;  // charged for resets
  TimePoint last_refill_{};
};

}  // namespace gaggle::http2
