// SPDX-License-Identifier: Apache-2.0
#include "gaggle/http2/hpack_table.h"

#include <algorithm>

namespace gaggle::http2 {

HpackEntry* HpackTable::insert(const HeaderField& field) {
  ++epoch_;
  const uint64_t size = header_field_size_bytes(field.name, field.value);
  if (size > max_size_bytes_) {
    // RFC 7541 §4.4: "An attempt to add an entry larger than the maximum size causes the table to
    // be emptied of all existing entries and results in an empty table." No error.
    evict_to(0);
    return nullptr;
  }
  HpackEntry* const entry = entries_.make(field);  // before eviction: it may copy from the evicted
  evict_to(max_size_bytes_ - static_cast<uint32_t>(size));
  if (count_ == slots_) grow_ring();
  ring_[inserted_ & mask()] = entry;
  ++inserted_;
  ++count_;
  size_bytes_ += static_cast<uint32_t>(size);
  return entry;
}

void HpackTable::set_max_size(uint32_t bytes) {
  ++epoch_;
  max_size_bytes_ = bytes;
  evict_to(bytes);
}

void HpackTable::evict_to(uint32_t bytes) {
  while (size_bytes_ > bytes) {
    HpackEntry* const oldest = ring_[(inserted_ - count_) & mask()];
    size_bytes_ -= oldest->size_bytes();
    --count_;
    entries_.release(oldest);
  }
}

void HpackTable::grow_ring() {
  const uint32_t slots = std::max(4u, slots_ * 2);
  auto grown = std::make_unique<HpackEntry*[]>(slots);
  for (uint64_t i = inserted_ - count_; i != inserted_; ++i) grown[i & (slots - 1)] = ring_[i & mask()];
  ring_ = std::move(grown);
  slots_ = slots;
}

}  // namespace gaggle::http2
