// SPDX-License-Identifier: Apache-2.0
#include "gaggle/base/block_pool.h"

#include <bit>
#include <new>

#include "gaggle/base/free_lists.h"

namespace gaggle {
namespace {

// Four classes for each doubling.
constexpr uint32_t kSteps = 4;
constexpr uint32_t kClasses = kSteps * std::countr_zero(BlockPool::kMaxBytes / BlockPool::kMinBytes) + 1;

constexpr size_t bytes_of(size_t size_class) {
  return (BlockPool::kMinBytes << size_class / kSteps) / kSteps * (kSteps + size_class % kSteps);
}
static_assert(bytes_of(kClasses - 1) == BlockPool::kMaxBytes);

using Lists = FreeLists<kClasses, bytes_of>;
constinit thread_local Lists lists;

// Makes sure that the thread's end frees its lists.
void open_lists() {
  struct Sweeper {
    ~Sweeper() { lists.close(); }
  };
  thread_local Sweeper sweeper;
  static_cast<void>(&sweeper);
  lists.open();
}

}  // namespace

uint32_t BlockPool::class_of(size_t size) noexcept {
  if (!kRecyclesMemory || size < kMinBytes || size > kMaxBytes) return kNoClass;
  const auto doublings = static_cast<uint32_t>(std::bit_width(size / kMinBytes) - 1);
  const size_t step = (kMinBytes << doublings) / kSteps;
  return static_cast<uint32_t>(doublings * kSteps + (size + step - 1) / step - kSteps);
}

void* BlockPool::allocate(size_t size, uint32_t size_class) {
  if (size_class == kNoClass) return ::operator new(size);
  if (void* const kept = lists.pop(size_class)) return kept;
  return ::operator new(bytes_of(size_class));
}

void BlockPool::deallocate(void* block, uint32_t size_class) noexcept {
  if (size_class == kNoClass) return ::operator delete(block);
  if (lists.stage() == Lists::Stage::kNew) open_lists();
  if (lists.stage() == Lists::Stage::kClosed || lists.cached_bytes() + bytes_of(size_class) > kMaxCachedBytes) {
    return ::operator delete(block);
  }
  lists.push(block, size_class);
}

size_t BlockPool::cached_bytes() noexcept { return lists.cached_bytes(); }

}  // namespace gaggle
