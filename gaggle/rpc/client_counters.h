// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>

namespace gaggle {

// A number that one thread changes and all may read.
class Tally {
 public:
  void operator++() noexcept { add(1); }
  void operator--() noexcept { add(-1); }
  void add(int64_t change) noexcept {
    value_.store(value_.load(std::memory_order_relaxed) + static_cast<uint64_t>(change), std::memory_order_relaxed);
  }
  uint64_t get() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

// ClientConnCounters, as its loop keeps them.
struct ClientTallies {
  Tally calls_started;
  Tally calls_succeeded;
  Tally calls_failed;
  Tally calls_now;
  Tally transparent_retries;
  Tally attempts;
  Tally retries;
  Tally hedges;
  Tally retries_throttled;
  Tally retry_buffer_full;
  Tally retry_buffer_bytes;
  Tally connect_attempts;
  Tally connects_failed;
  Tally connections_lost;
  Tally keepalive_timeouts;
  Tally idle_entries;
  Tally idle_exits;
};

}  // namespace gaggle
