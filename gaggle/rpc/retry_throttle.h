// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>

#include "gaggle/rpc/service_config.h"

namespace gaggle {

// Stops retries and hedges while most calls of a connection fail: gRFC A6, "Throttling".
//
// Starts with `max_milli_tokens`; a failure that would be retried costs a whole token, a success gives
// `milli_ratio` back, and with half or less nothing is retried. One loop's thread.
class RetryThrottle {
 public:
  explicit RetryThrottle(const RetryThrottling& limits) noexcept : limits_(limits), tokens_(limits.max_milli_tokens) {}

  // Other limits: the bucket is as full as before, in proportion.
  void change(const RetryThrottling& limits) noexcept {
    tokens_ = static_cast<uint32_t>(uint64_t{tokens_} * limits.max_milli_tokens / limits_.max_milli_tokens);
    limits_ = limits;
  }
  void on_success() noexcept { tokens_ = std::min(tokens_ + limits_.milli_ratio, limits_.max_milli_tokens); }
  void on_failure() noexcept { tokens_ -= std::min(tokens_, uint32_t{1000}); }
  bool allows() const noexcept { return tokens_ > limits_.max_milli_tokens / 2; }

  uint32_t milli_tokens() const noexcept { return tokens_; }

 private:
  RetryThrottling limits_;
  uint32_t tokens_;
};

}  // namespace gaggle
