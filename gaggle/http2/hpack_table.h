// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "gaggle/http2/hpack_entry.h"

namespace gaggle::http2 {

// RFC 9113 §6.5.2: SETTINGS_HEADER_TABLE_SIZE before anybody says otherwise.
inline constexpr uint32_t kDefaultHeaderTableSize = 4096;

// A dynamic table (RFC 7541 §2.3.2): first in, first out, bounded by the sum of its entries'
// sizes. Used by the decoder and by the encoder.
//
// Invariants: size_bytes() <= max_size_bytes(); entry i, counted from the newest, lies in the ring
// at position (inserted - 1 - i). The ring grows by doubling, up to one slot per 32 bytes of
// maximum size, and is empty until the first insertion.
class HpackTable {
 public:
  explicit HpackTable(HpackEntryPool& entries) : entries_(entries) {}
  HpackTable(const HpackTable&) = delete;
  HpackTable& operator=(const HpackTable&) = delete;
  ~HpackTable() { evict_to(0); }

  // `i` < count(); 0 is the entry inserted last (index 62 on the wire).
  HpackEntry& operator[](size_t i) const { return *ring_[(inserted_ - 1 - i) & mask()]; }
  size_t count() const { return count_; }
  uint32_t size_bytes() const { return size_bytes_; }
  uint32_t max_size_bytes() const { return max_size_bytes_; }

  // Inserts a copy of `field`, which may be in the table itself and be evicted by this
  // (RFC 7541 §4.4). Null if the field is larger than the whole table, which is empty then.
  HpackEntry* insert(const HeaderField& field);

  // Evicts what no longer fits.
  void set_max_size(uint32_t bytes);

  // Number of insertions ever; the newest entry is number inserted() - 1.
  uint64_t inserted() const { return inserted_; }

  // Advances with each insertion, eviction and change of size. Callers advance it for what else
  // they depend on.
  uint64_t epoch() const { return epoch_; }
  void advance_epoch() { ++epoch_; }

  // Places for entries: zero or a power of two. Entry number n is in place n modulo this.
  uint32_t slots() const { return slots_; }
  size_t memory_bytes() const { return slots_ * sizeof(HpackEntry*); }

 private:
  uint32_t mask() const { return slots_ - 1; }
  void evict_to(uint32_t bytes);
  void grow_ring();

  HpackEntryPool& entries_;
  std::unique_ptr<HpackEntry*[]> ring_;
  uint64_t inserted_ = 0;
  uint64_t epoch_ = 1;
  uint32_t slots_ = 0;
  uint32_t count_ = 0;
  uint32_t size_bytes_ = 0;
  uint32_t max_size_bytes_ = kDefaultHeaderTableSize;
};

}  // namespace gaggle::http2
