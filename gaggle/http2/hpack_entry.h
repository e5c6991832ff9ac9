// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "gaggle/http2/header_field.h"

namespace gaggle::http2 {

class HpackEntryPool;

// One entry of a dynamic table: a parsed field and the bytes behind it.
//
// A known name is not stored, its bytes are static; so an entry takes 16 bytes and the value, less
// than RFC 7541 §4.1 charges for it. Counted by reference (one for the table, one for each
// HeaderBlock that points into it), without atomics.
class HpackEntry {
 public:
  std::string_view name() const {
    return has_static_name(id_) ? header_name_text(id_) : std::string_view(bytes() + value_size_, name_size_);
  }
  std::string_view value() const { return {bytes(), value_size_}; }
  HeaderName id() const { return id_; }
  HeaderField field() const {
    return {.name = name(), .value = value(), .id = id_, .problems = problems_, .binary = binary_};
  }
  // Size in the sense of RFC 7541 §4.1.
  uint32_t size_bytes() const { return name_size_ + value_size_ + 32; }

  void retain() { ++references_; }

  static constexpr bool has_static_name(HeaderName id) { return id > HeaderName::kOtherPseudo; }

 private:
  friend class HpackEntryPool;

  const char* bytes() const { return reinterpret_cast<const char*>(this + 1); }
  char* bytes() { return reinterpret_cast<char*>(this + 1); }

  uint32_t references_;
  uint32_t value_size_;
  uint32_t name_size_;
  HeaderName id_;
  uint8_t problems_;
  bool binary_;
  uint8_t size_class_;
};
static_assert(sizeof(HpackEntry) == 16);

// Makes and recycles entries. A table that is full inserts and evicts with each call that has a
// deadline; the evicted entry's memory becomes the inserted one's.
//
// Entries up to 504 bytes are kept when released, up to kMaxSpareBytes in all; larger ones go back
// to the heap. All entries must be released before the pool goes.
class HpackEntryPool {
 public:
  static constexpr size_t kMaxSpareBytes = 2048;

  HpackEntryPool() = default;
  HpackEntryPool(const HpackEntryPool&) = delete;
  HpackEntryPool& operator=(const HpackEntryPool&) = delete;
  ~HpackEntryPool() { trim(); }

  // A copy of `field` with one reference. `field` may point into another entry.
  HpackEntry* make(const HeaderField& field);
  void release(HpackEntry* entry) {
    if (--entry->references_ == 0) recycle(entry);
  }
  // Returns the spare entries to the heap.
  void trim();

  // Heap bytes of live and spare entries.
  size_t memory_bytes() const { return live_bytes_ + spare_bytes_ + (spare_ ? sizeof *spare_ : 0); }

 private:
  // Eight less than a multiple of 16: what fits the common allocators exactly.
  static constexpr std::array<uint32_t, 7> kSizeClasses{24, 40, 56, 88, 120, 248, 504};
  static constexpr uint8_t kOversize = kSizeClasses.size();

  void recycle(HpackEntry* entry);
  HpackEntry* take_spare(uint8_t size_class);
  size_t footprint(const HpackEntry* entry) const;

  // The first of each size; null while there is none at all, as in an idle connection.
  using Spares = std::array<HpackEntry*, kSizeClasses.size()>;
  std::unique_ptr<Spares> spare_;
  size_t spare_bytes_ = 0;
  size_t live_bytes_ = 0;
};

}  // namespace gaggle::http2
