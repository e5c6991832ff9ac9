// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/client_backoff.h"

#include <algorithm>
#include <cmath>

namespace gaggle {

uint64_t JitterSource::next() noexcept {
  state_ += 0x9E3779B97F4A7C15u;
  uint64_t mixed = state_;
  mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9u;
  mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBu;
  return mixed ^ (mixed >> 31);
}

double JitterSource::unit() noexcept { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

Duration Backoff::next() noexcept {
  const double initial = static_cast<double>(options_.initial.count());
  const double limit = static_cast<double>(options_.max.count());
  double wait = std::min(initial * std::pow(options_.multiplier, failures_), limit);
  if (failures_ < 1000) ++failures_;
  wait *= 1 + options_.jitter * (2 * random_.unit() - 1);
  // Duration::max() isn't a double; anything near it means "as long as can be said".
  if (wait >= static_cast<double>(Duration::max().count()) / 2) return Duration::max() / 2;
  return Duration{static_cast<Duration::rep>(wait)};
}

Status check_backoff(const ConnectBackoff& options) {
  const auto negative = [](Duration duration) { return duration < Duration::zero(); };
  if (negative(options.initial)) return Status::invalid_argument("backoff.initial is negative");
  if (negative(options.max)) return Status::invalid_argument("backoff.max is negative");
  if (options.min_connect_timeout <= Duration::zero()) {
    return Status::invalid_argument("backoff.min_connect_timeout must be positive");
  }
  if (!(options.multiplier >= 1)) return Status::invalid_argument("backoff.multiplier must be at least 1");
  if (!(options.jitter >= 0 && options.jitter <= 1)) {
    return Status::invalid_argument("backoff.jitter must be between 0 and 1");
  }
  return {};
}

}  // namespace gaggle
