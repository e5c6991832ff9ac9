// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "gaggle/base/clock.h"
#include "gaggle/base/status.h"
#include "gaggle/rpc/client_conn.h"

namespace gaggle {

// A stream of random numbers for jitter and shuffles: seeded, so that a test can repeat a run. Not
// for secrets. SplitMix64.
class JitterSource {
 public:
  explicit JitterSource(uint64_t seed) noexcept : state_(seed) {}
  uint64_t next() noexcept;
  // Uniform in [0, 1).
  double unit() noexcept;

 private:
  uint64_t state_;
};

// How long to wait after each failure in a row: initial, then × multiplier, at most max, each
// ± jitter. gRPC connection-backoff.md.
class Backoff {
 public:
  Backoff(const ConnectBackoff& options, uint64_t seed) noexcept : options_(options), random_(seed) {}

  // The wait after one more failure.
  Duration next() noexcept;
  // Things work again: the next failure is the first.
  void reset() noexcept { failures_ = 0; }
  uint32_t failures() const noexcept { return failures_; }

 private:
  const ConnectBackoff options_;
  JitterSource random_;
  uint32_t failures_ = 0;
};

// INVALID_ARGUMENT, naming the field, for what makes no sense: a negative duration, a multiplier
// below one, a jitter outside [0, 1].
Status check_backoff(const ConnectBackoff& options);

}  // namespace gaggle
