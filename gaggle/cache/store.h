// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "gaggle/cache/value.h"

namespace gaggle::cache {

// What a store holds and has seen. `bytes` is exact: for each entry its key, its value and
// kEntryOverheadBytes.
struct StoreStats {
  uint64_t bytes = 0;
  uint64_t items = 0;
  uint64_t gets = 0;
  uint64_t hits = 0;
  uint64_t evictions = 0;    // dropped to stay within the budget
  uint64_t expirations = 0;  // dropped because their time was over
};

// What an entry is charged beyond its key and value: the record itself, its place in the table,
// and the allocator's rounding.
inline constexpr size_t kEntryOverheadBytes = 128;

// Keeps values within a budget of bytes; the seam behind which policies of admission and eviction
// live.
//
// Thread-safe. `now` is the group's monotonic time; an expired entry is never given out.
class Store {
 public:
  virtual ~Store() = default;

  // The value, or false. A hit counts as a use.
  virtual bool get(std::string_view key, TimePoint now, Value& value) = 0;
  // Keeps the value in place of any older one. False: not kept (it has expired, or alone exceeds
  // what the store may hold), and the older one is gone too.
  virtual bool put(std::string_view key, const Value& value, TimePoint now) = 0;
  // True if there was one.
  virtual bool remove(std::string_view key) = 0;
  virtual void clear() = 0;
  virtual StoreStats stats() const = 0;
};

}  // namespace gaggle::cache
