// SPDX-License-Identifier: Apache-2.0
#include "gaggle/http2/hpack_entry.h"

#include <cstdlib>
#include <cstring>
#include <new>

namespace gaggle::http2 {
namespace {

size_t bytes_needed(const HeaderField& field) {
  const bool static_name = !header_name_text(field.id).empty();
  return sizeof(HpackEntry) + field.value.size() + (static_name ? 0 : field.name.size());
}

}  // namespace

HpackEntry* HpackEntryPool::make(const HeaderField& field) {
  const size_t needed = bytes_needed(field);
  uint8_t size_class = 0;
  while (size_class < kOversize && kSizeClasses[size_class] < needed) ++size_class;

  HpackEntry* entry = size_class < kOversize ? spare_[size_class] : nullptr;
  if (entry != nullptr) {
    spare_[size_class] = reinterpret_cast<HpackEntry*>(const_cast<char*>(entry->name_));
    spare_bytes_ -= kSizeClasses[size_class];
  } else {
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
  const std::string_view text = header_name_text(field.id);
  entry->name_ = text.empty() ? entry->bytes() + field.value.size() : text.data();
  if (text.empty() && !field.name.empty()) {
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
  entry->name_ = reinterpret_cast<const char*>(spare_[entry->size_class_]);
  spare_[entry->size_class_] = entry;
  spare_bytes_ += bytes;
}

size_t HpackEntryPool::footprint(const HpackEntry* entry) const {
  if (entry->size_class_ < kOversize) return kSizeClasses[entry->size_class_];
  return bytes_needed(entry->field());
}

void HpackEntryPool::trim() {
  for (HpackEntry*& first : spare_) {
    while (first != nullptr) {
      HpackEntry* const entry = first;
      first = reinterpret_cast<HpackEntry*>(const_cast<char*>(entry->name_));
      std::free(entry);
    }
  }
  spare_bytes_ = 0;
}

}  // namespace gaggle::http2
