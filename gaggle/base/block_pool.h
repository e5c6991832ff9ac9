// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace gaggle {

// Memory for what comes and goes with every turn: large Bytes and the output of connections. Freed blocks wait in
// free lists of their thread, and serve the next of about their size. Given back to malloc, the pages of a large one
// often go back to the system and are faulted in anew for the next message, which costs more than to copy it.
//
// A size is rounded up by at most a quarter. A thread keeps a bounded amount, which its end frees; what is
// smaller, larger or beyond goes to operator new and delete. A block may be freed by another thread than the
// one that made it; it then serves that thread.
class BlockPool {
 public:
  static constexpr size_t kMinBytes = 256;
  static constexpr size_t kMaxBytes = size_t{4} << 20;
  // Blocks from here on are large. Large and small ones have a bound each, so that neither crowds out the other.
  static constexpr size_t kLargeBytes = size_t{64} << 10;
  static constexpr size_t kMaxCachedBytes = size_t{16} << 20;
  static constexpr size_t kMaxCachedSmallBytes = size_t{1} << 20;
  // The class of sizes that no list has.
  static constexpr uint32_t kNoClass = UINT32_MAX;

  static uint32_t class_of(size_t size) noexcept;
  static void* allocate(size_t size, uint32_t size_class);
  // `size_class` is what it was allocated with.
  static void deallocate(void* block, uint32_t size_class) noexcept;

  // Frees the large blocks that the calling thread keeps: it has no use for them now.
  static void release_large() noexcept;
  // What the calling thread holds in its lists now.
  static size_t cached_bytes() noexcept;
};

}  // namespace gaggle
