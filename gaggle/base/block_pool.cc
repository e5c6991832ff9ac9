// SPDX-License-Identifier: Apache-2.0
#include "gaggle/base/block_pool.h"

#include <array>
#include <bit>
#include <new>
#include <utility>

namespace gaggle {
namespace {

// Under AddressSanitizer blocks are not recycled, so that it sees every use after the end.
#if defined(__SANITIZE_ADDRESS__)
constexpr bool kRecycles = false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
constexpr bool kRecycles = false;
#else
constexpr bool kRecycles = true;
#endif
#else
constexpr bool kRecycles = true;
#endif

struct FreeBlock {
  FreeBlock* next;
};

// Four classes for each doubling.
constexpr uint32_t kSteps = 4;
constexpr uint32_t kClasses = kSteps * std::countr_zero(BlockPool::kMaxBytes / BlockPool::kMinBytes) + 1;

constexpr size_t bytes_of(uint32_t size_class) {
  return (BlockPool::kMinBytes << size_class / kSteps) / kSteps * (kSteps + size_class % kSteps);
}
static_assert(bytes_of(kClasses - 1) == BlockPool::kMaxBytes);

constexpr uint32_t kLargeClass = kSteps * std::countr_zero(BlockPool::kLargeBytes / BlockPool::kMinBytes);
static_assert(bytes_of(kLargeClass) == BlockPool::kLargeBytes);

enum class Stage : uint8_t { kNew, kOpen, kClosed };

// Trivial, so that reaching it costs no guard; `Sweeper` frees what it holds.
struct Lists {
  std::array<FreeBlock*, kClasses> heads{};
  size_t small_bytes = 0;
  size_t large_bytes = 0;
  Stage stage = Stage::kNew;
};
constinit thread_local Lists lists;

struct Sweeper {
  ~Sweeper() {
    for (FreeBlock*& head : lists.heads) {
      while (head != nullptr) ::operator delete(std::exchange(head, head->next));
    }
    lists.small_bytes = lists.large_bytes = 0;
    lists.stage = Stage::kClosed;
  }
};

size_t& cached_bytes_of(uint32_t size_class) {
  return size_class < kLargeClass ? lists.small_bytes : lists.large_bytes;
}
constexpr size_t bound_of(uint32_t size_class) {
  return size_class < kLargeClass ? BlockPool::kMaxCachedSmallBytes : BlockPool::kMaxCachedBytes;
}

// Makes sure that the thread's end frees its lists.
void open_lists() {
  thread_local Sweeper sweeper;
  static_cast<void>(&sweeper);
  lists.stage = Stage::kOpen;
}

}  // namespace

uint32_t BlockPool::class_of(size_t size) noexcept {
  if (!kRecycles || size < kMinBytes || size > kMaxBytes) return kNoClass;
  const auto doublings = static_cast<uint32_t>(std::bit_width(size / kMinBytes) - 1);
  const size_t step = (kMinBytes << doublings) / kSteps;
  return static_cast<uint32_t>(doublings * kSteps + (size + step - 1) / step - kSteps);
}

void* BlockPool::allocate(size_t size, uint32_t size_class) {
  if (size_class == kNoClass) return ::operator new(size);
  FreeBlock*& head = lists.heads[size_class];
  if (head == nullptr) return ::operator new(bytes_of(size_class));
  cached_bytes_of(size_class) -= bytes_of(size_class);
  return std::exchange(head, head->next);
}

void BlockPool::deallocate(void* block, uint32_t size_class) noexcept {
  if (size_class == kNoClass) return ::operator delete(block);
  if (lists.stage == Stage::kNew) open_lists();
  const size_t bytes = bytes_of(size_class);
  size_t& cached_bytes = cached_bytes_of(size_class);
  if (lists.stage == Stage::kClosed || cached_bytes + bytes > bound_of(size_class)) return ::operator delete(block);
  lists.heads[size_class] = ::new (block) FreeBlock{lists.heads[size_class]};
  cached_bytes += bytes;
}

size_t BlockPool::cached_bytes() noexcept { return lists.small_bytes + lists.large_bytes; }

}  // namespace gaggle
