// SPDX-License-Identifier: Apache-2.0
#include "gaggle/http2/hpack_entry.h"

#include <cstdlib>
#include <cstring>
#include <new>

namespace gaggle::http2 {
namespace {

size_t bytes_needed(const HeaderField& field) {
  const size_t name_bytes = HpackEntry::has_static_name(field.id) ? 0 : field.name.size();
  return sizeof(HpackEntry) + field.value.size() + name_bytes;
}

}  // namespace

HpackEntry* HpackEntryPool::make(const HeaderField& field) {
  const size_t needed = bytes_needed(field);
  uint8_t size_class = 0;
  while (size_class < kOversize && kSizeClasses[size_class] < needed) ++size_class;

  HpackEntry* entry = take_spare(size_class);
  if (entry == nullptr) {
    void* memory = std::malloc(size_class < kOversize ? kSizeClasses[size_class] : needed);
    if (memory == nullptr) throw std::bad_alloc();
    entry = new (memory) HpackEntry;
  }

  entry->references_ = 1;
  entry->value_size_ = static_cast<uint32_t>(field.value.size());
  entry->name_size_ = static_cast<uint32_t>(field.name.size());
  entry->id_ = field.id;
  entry->problems_ = field.problems;
  entry->binary_ = field.binary;
  entry->size_class_ = size_class;
  if (!field.value.empty()) std::memcpy(entry->bytes(), field.value.data(), field.value.size());
  if (!HpackEntry::has_static_name(field.id) && !field.name.empty()) {
    std::memcpy(entry->bytes() + field.value.size(), field.name.data(), field.name.size());
  }
  live_bytes_ += footprint(entry);
  return entry;
}

void HpackEntryPool::recycle(HpackEntry* entry) {
  const size_t bytes = footprint(entry);
  live_bytes_ -= bytes;
  if (entry->size_class_ == kOversize || spare_bytes_ + bytes > kMaxSpareBytes) {
    std::free(entry);
    return;
  }
  // A spare entry has the next one's address where its bytes were.
  if (spare_ == nullptr) spare_ = std::make_unique<Spares>();
  HpackEntry*& first = (*spare_)[entry->size_class_];
  std::memcpy(entry->bytes(), &first, sizeof entry);
  first = entry;
  spare_bytes_ += bytes;
}

HpackEntry* HpackEntryPool::take_spare(uint8_t size_class) {
  if (size_class == kOversize || spare_bytes_ == 0) return nullptr;
  HpackEntry*& first = (*spare_)[size_class];
  if (first == nullptr) return nullptr;
  HpackEntry* const entry = first;
  std::memcpy(&first, entry->bytes(), sizeof entry);
  spare_bytes_ -= kSizeClasses[size_class];
  return entry;
}

size_t HpackEntryPool::footprint(const HpackEntry* entry) const {
  if (entry->size_class_ < kOversize) return kSizeClasses[entry->size_class_];
  return bytes_needed(entry->field());
}

void HpackEntryPool::trim() {
  for (uint8_t size_class = 0; size_class < kOversize; ++size_class) {
    while (HpackEntry* const entry = take_spare(size_class)) std::free(entry);
  }
  spare_.reset();
}

}  // namespace gaggle::http2
