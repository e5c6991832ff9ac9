// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace gaggle {

// What some servers may buffer together, in bytes, and what they do when it runs short.
//
// Counted, for each connection: itself (kConnectionBytes), input that is incomplete or that no
// handler has read, messages of running calls (by their encoded size), output that the socket hasn't
// taken. Not counted: what handlers hold, code, pools. Kept up to date once a turn, so the limit is
// overstepped by what one turn reads.
//
// From half of the limit on (kShort), connections get small windows: a client may have at most
// kShortWindowBytes on its way, and kShortStreamWindowBytes of one call, beyond what a handler waits for.
// The first is done by giving no more credit, which needs no word of the client's; the second by SETTINGS,
// the only way to give new calls less than others, and the reason why a few calls that nobody reads don't
// use up all of the first. They grow again within 0.1 s when there is memory. From seven eighths on (kScarce), new
// connections are closed at once and new calls end with RESOURCE_EXHAUSTED. At the limit (kExhausted), new calls are
// reset with ENHANCE_YOUR_CALM, which clients show as RESOURCE_EXHAUSTED too, and a call that goes on sending while
// more than kShortWindowBytes of it wait here ends with RESOURCE_EXHAUSTED. Running calls otherwise go on at every
// level: only what has ended gives memory back.
//
// Thread-safe; outlives the servers that share it. Counters tell how often it bit.
class MemoryQuota {
 public:
  enum class Level : uint8_t { kPlenty, kShort, kScarce, kExhausted };
  struct Counters {
    uint64_t refused_connections = 0;
    uint64_t refused_calls = 0;   // before they began
    uint64_t ended_calls = 0;     // while they were sending
    uint64_t shrunk_windows = 0;  // connections that were given small windows
  };
  enum class Event : uint8_t { kRefusedConnection, kRefusedCall, kEndedCall, kShrunkWindow };

  static constexpr size_t kConnectionBytes = 4096;
  static constexpr uint32_t kShortWindowBytes = 64 * 1024;
  static constexpr uint32_t kShortStreamWindowBytes = 16 * 1024;

  explicit MemoryQuota(size_t limit_bytes) noexcept : limit_(limit_bytes) {}
  MemoryQuota(const MemoryQuota&) = delete;
  MemoryQuota& operator=(const MemoryQuota&) = delete;

  size_t limit_bytes() const noexcept { return limit_; }
  size_t used_bytes() const noexcept { return used_.load(std::memory_order_relaxed); }
  Level level() const noexcept;
  Counters counters() const noexcept;

  // From the servers.
  void change(size_t before, size_t now) noexcept { used_.fetch_add(now - before, std::memory_order_relaxed); }
  void count(Event event) noexcept { events_[static_cast<size_t>(event)].fetch_add(1, std::memory_order_relaxed); }

 private:
  const size_t limit_;
  std::atomic<size_t> used_{0};
  std::atomic<uint64_t> events_[4] = {};
};

}  // namespace gaggle
