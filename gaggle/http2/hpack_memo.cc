// SPDX-License-Identifier: Apache-2.0
#include "gaggle/http2/hpack_memo.h"

#include <algorithm>
#include <cstring>

namespace gaggle::http2 {

HpackMemo::Key HpackMemo::key_of(std::span<const uint8_t> bytes) {
  Key key{.size = bytes.size()};
  std::memcpy(&key.prefix, bytes.data(), std::min(bytes.size(), sizeof key.prefix));
  return key;
}

HeaderBlock* HpackMemo::find(std::span<const uint8_t> bytes, uint64_t epoch) {
  if (entries_ == nullptr || epoch != entries_->epoch || bytes.empty()) return nullptr;
  const Key key = key_of(bytes);
  for (size_t i = 0; i < kEntries; ++i) {
    if (entries_->keys[i] != key) continue;
    const Entry& entry = entries_->values[i];
    if (std::memcmp(entry.bytes.get(), bytes.data(), bytes.size()) != 0) continue;
    ++hits_;
    return entry.block.get();
  }
  return nullptr;
}

void HpackMemo::remember(std::span<const uint8_t> bytes, uint64_t epoch, const HeaderBlockRef& block) {
  if (bytes.empty() || bytes.size() > kMaxBlockBytes) return;
  if (entries_ == nullptr) entries_ = std::make_unique<Entries>();
  if (epoch != entries_->epoch) forget_other_epochs(epoch);
  Entry& entry = entries_->values[entries_->next];
  if (entry.capacity < bytes.size()) {
    entry.capacity = (bytes.size() + 31) / 32 * 32;
    entry.bytes.reset(new uint8_t[entry.capacity]);
  }
  std::memcpy(entry.bytes.get(), bytes.data(), bytes.size());
  entry.block = block;
  entries_->keys[entries_->next] = key_of(bytes);
  entries_->next = (entries_->next + 1) % kEntries;
}

void HpackMemo::forget_other_epochs(uint64_t epoch) {
  entries_->epoch = epoch;
  entries_->next = 0;
  for (size_t i = 0; i < kEntries; ++i) {
    entries_->keys[i] = {};
    entries_->values[i].block = nullptr;
  }
}

size_t HpackMemo::memory_bytes() const {
  if (entries_ == nullptr) return 0;
  size_t bytes = sizeof *entries_;
  for (const Entry& entry : entries_->values) bytes += entry.capacity;
  return bytes;
}

}  // namespace gaggle::http2
