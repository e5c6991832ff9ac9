// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/memory_quota.h"

namespace gaggle {

MemoryQuota::Level MemoryQuota::level() const noexcept {
  const size_t used = used_bytes();
  if (used >= limit_) return Level::kExhausted;
  if (used >= limit_ - limit_ / 8) return Level::kScarce;
  return used >= limit_ / 2 ? Level::kShort : Level::kPlenty;
}

MemoryQuota::Counters MemoryQuota::counters() const noexcept {
  const auto read = [this](Event event) { return events_[static_cast<size_t>(event)].load(std::memory_order_relaxed); };
  return {.refused_connections = read(Event::kRefusedConnection),
          .refused_calls = read(Event::kRefusedCall),
          .ended_calls = read(Event::kEndedCall),
          .shrunk_windows = read(Event::kShrunkWindow)};
}

}  // namespace gaggle
