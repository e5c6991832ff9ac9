// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>

#include "gaggle/base/clock.h"

namespace gaggle::http2 {

// Streams of a Connection that wait to exceed their windows (Limits::expected_bytes).
struct ExpectLine {
  struct Waiting {
    uint32_t stream_id;
    TimePoint since;
  };
  std::deque<Waiting> waiting;  // some may be gone, or need nothing any more
  TimePoint period_end{};       // while any waits
  uint64_t arrived_bytes = 0;   // in this period, of those that wait and those that exceed
};

}  // namespace gaggle::http2
