// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "gaggle/base/clock.h"
#include "gaggle/http2/header_block.h"
#include "gaggle/rpc/service_config.h"

namespace gaggle {

// How long to wait before a retry, after `earlier` others: initial × multiplier^earlier, at most the
// maximum, ± 20 % by `random`, any number. gRFC A6, "Exponential Backoff".
Duration retry_backoff(const RetryPolicy& policy, uint32_t earlier, uint64_t random) noexcept;

// What a server says about trying again: "grpc-retry-pushback-ms". gRFC A6, "Pushback".
struct RetryPushback {
  bool stop = false;              // not at all
  std::optional<Duration> delay;  // after exactly this long
};

// Of a response's trailers, which may be null. A number below zero, one that isn't a number of 32
// bits, and two of them mean "stop".
RetryPushback read_pushback(const http2::HeaderBlock* trailers) noexcept;

}  // namespace gaggle
