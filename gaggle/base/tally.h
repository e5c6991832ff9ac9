// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>

namespace gaggle {

// A number that one thread changes and all may read. Costs what a plain one does: with one writer,
// no read-modify-write is needed.
class Tally {
 public:
  void operator++() noexcept { add(1); }
  void operator--() noexcept { add(-1); }
  void operator+=(uint64_t more) noexcept { set(get() + more); }
  void add(int64_t change) noexcept { set(get() + static_cast<uint64_t>(change)); }
  uint64_t get() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  void set(uint64_t value) noexcept { value_.store(value, std::memory_order_relaxed); }

  std::atomic<uint64_t> value_{0};
};

}  // namespace gaggle
