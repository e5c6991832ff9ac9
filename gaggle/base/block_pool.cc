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

// The first class of large blocks, which have a bound of their own.
constexpr uint32_t kLarge = kSteps * std::countr_zero(BlockPool::kLargeBytes / BlockPool::kMinBytes);
static_assert(bytes_of(kLarge) == BlockPool::kLargeBytes);
constexpr size_t large_bytes_of(size_t size_class) { return bytes_of(kLarge + size_class); }

constinit thread_local FreeLists<kLarge, bytes_of> small;
constinit thread_local FreeLists<kClasses - kLarge, large_bytes_of> large;

// Makes sure that the thread's end frees its lists.
void open_lists() {
  struct Sweeper {
    ~Sweeper() {
      small.close();
      large.close();
    }
  };
  thread_local Sweeper sweeper;
  static_cast<void>(&sweeper);
  small.open();
  large.open();
}

template <class Lists>
void keep(Lists& lists, void* block, uint32_t size_class, size_t bytes, size_t bound) noexcept {
  if (lists.stage() == Lists::Stage::kNew) open_lists();
  if (lists.stage() == Lists::Stage::kClosed || lists.cached_bytes() + bytes > bound) return ::operator delete(block);
  lists.push(block, size_class);
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
  if (void* const kept = size_class < kLarge ? small.pop(size_class) : large.pop(size_class - kLarge)) return kept;
  return ::operator new(bytes_of(size_class));
}

void BlockPool::deallocate(void* block, uint32_t size_class) noexcept {
  if (size_class == kNoClass) return ::operator delete(block);
  const size_t bytes = bytes_of(size_class);
  if (size_class < kLarge) return keep(small, block, size_class, bytes, kMaxCachedSmallBytes);
  keep(large, block, size_class - kLarge, bytes, kMaxCachedBytes);
}

void BlockPool::release_large() noexcept { large.clear(); }

size_t BlockPool::cached_bytes() noexcept { return small.cached_bytes() + large.cached_bytes(); }

}  // namespace gaggle
