// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/retry_backoff.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>

namespace gaggle {
namespace {

constexpr double kJitter = 0.2;

}  // namespace

Duration retry_backoff(const RetryPolicy& policy, uint32_t earlier, uint64_t random) noexcept {
  const double initial = static_cast<double>(policy.initial_backoff.count());
  const double limit = static_cast<double>(policy.max_backoff.count());
  const double unit = static_cast<double>(random >> 11) * 0x1.0p-53;
  const double wait = std::min(initial * std::pow(policy.multiplier, earlier), limit) * (1 + kJitter * (2 * unit - 1));
  // Duration::max() isn't a double; anything near it means "as long as can be said".
  if (!(wait < static_cast<double>(Duration::max().count()) / 2)) return Duration::max() / 2;
  return Duration{static_cast<Duration::rep>(wait)};
}

RetryPushback read_pushback(const http2::HeaderBlock* trailers) noexcept {
  RetryPushback pushback;
  if (trailers == nullptr) return pushback;
  for (const http2::HeaderField& field : trailers->fields()) {
    if (field.name != "grpc-retry-pushback-ms") continue;
    int32_t milliseconds = 0;
    const char* const end = field.value.data() + field.value.size();
    const auto [stopped, error] = std::from_chars(field.value.data(), end, milliseconds);
    const bool usable = error == std::errc{} && stopped == end && milliseconds >= 0;
    pushback.stop = pushback.stop || !usable || pushback.delay.has_value();
    if (usable) pushback.delay = std::chrono::milliseconds{milliseconds};
  }
  if (pushback.stop) pushback.delay.reset();
  return pushback;
}

}  // namespace gaggle
