// SPDX-License-Identifier: Apache-2.0
#include "gaggle/net/frame_pool.h"

#include <new>

#include "gaggle/base/free_lists.h"

namespace gaggle {
namespace {

// Eight bytes more than a multiple of 16: what malloc has left of its own multiples, behind its header.
constexpr size_t kOdd = 8;
constexpr size_t class_of(size_t size) { return (size + FramePool::kClassBytes - kOdd - 1) / FramePool::kClassBytes; }
constexpr size_t bytes_of(size_t index) { return index * FramePool::kClassBytes + kOdd; }
static_assert(bytes_of(class_of(8)) == 8 && bytes_of(class_of(9)) == 24 && bytes_of(class_of(24)) == 24);

constexpr size_t kClasses = class_of(FramePool::kMaxFrameBytes) + 1;

using Lists = FreeLists<kClasses, bytes_of>;
constinit thread_local Lists lists;

// Out of line: makes sure that the thread's end frees its lists.
[[gnu::noinline]] void open_lists() {
  struct Sweeper {
    ~Sweeper() { lists.close(); }
  };
  thread_local Sweeper sweeper;
  static_cast<void>(&sweeper);
  lists.open();
}

}  // namespace

void* FramePool::allocate(size_t size) {
  if (!kRecyclesMemory || size > kMaxFrameBytes) return ::operator new(size);
  const size_t index = class_of(size);
  if (void* const kept = lists.pop(index)) return kept;
  return ::operator new(bytes_of(index));
}

void FramePool::deallocate(void* frame, size_t size) noexcept {
  if (!kRecyclesMemory || size > kMaxFrameBytes) return ::operator delete(frame);
  const size_t index = class_of(size);
  if (lists.stage() != Lists::Stage::kOpen) {
    if (lists.stage() == Lists::Stage::kClosed) return ::operator delete(frame);
    open_lists();
  }
  if (lists.cached_bytes() + bytes_of(index) > kMaxCachedBytes) return ::operator delete(frame);
  lists.push(frame, index);
}

size_t FramePool::cached_bytes() noexcept { return lists.cached_bytes(); }

}  // namespace gaggle
