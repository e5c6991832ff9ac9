// SPDX-License-Identifier: Apache-2.0
#include "gaggle/net/frame_pool.h"

#include <array>
#include <new>
#include <utility>

namespace gaggle {
namespace {

struct FreeFrame {
  FreeFrame* next;
};

// Eight bytes more than a multiple of 16: what malloc has left of its own multiples, behind its header.
constexpr size_t kOdd = 8;
constexpr size_t class_of(size_t size) { return (size + FramePool::kClassBytes - kOdd - 1) / FramePool::kClassBytes; }
constexpr size_t bytes_of(size_t index) { return index * FramePool::kClassBytes + kOdd; }
static_assert(bytes_of(class_of(8)) == 8 && bytes_of(class_of(9)) == 24 && bytes_of(class_of(24)) == 24);

constexpr size_t kClasses = class_of(FramePool::kMaxFrameBytes) + 1;

enum class Stage : uint8_t { kNew, kOpen, kClosed };

// Trivial, so that reaching it costs no guard; `Sweeper` frees what it holds.
struct Lists {
  std::array<FreeFrame*, kClasses> heads{};
  size_t cached_bytes = 0;
  Stage stage = Stage::kNew;
};
constinit thread_local Lists lists;

struct Sweeper {
  ~Sweeper() {
    for (FreeFrame*& head : lists.heads) {
      while (head != nullptr) ::operator delete(std::exchange(head, head->next));
    }
    lists.cached_bytes = 0;
    lists.stage = Stage::kClosed;
  }
};

// Out of line: makes sure that the thread's end frees its lists.
[[gnu::noinline]] void open_lists() {
  thread_local Sweeper sweeper;
  static_cast<void>(&sweeper);
  lists.stage = Stage::kOpen;
}

}  // namespace

void* FramePool::allocate(size_t size) {
  if (!kRecycles || size > kMaxFrameBytes) return ::operator new(size);
  const size_t index = class_of(size);
  FreeFrame* frame = lists.heads[index];
  if (frame == nullptr) return ::operator new(bytes_of(index));
  lists.heads[index] = frame->next;
  lists.cached_bytes -= bytes_of(index);
  return frame;
}

void FramePool::deallocate(void* frame, size_t size) noexcept {
  if (!kRecycles || size > kMaxFrameBytes) return ::operator delete(frame);
  const size_t index = class_of(size);
  if (lists.stage != Stage::kOpen) {
    if (lists.stage == Stage::kClosed) return ::operator delete(frame);
    open_lists();
  }
  if (lists.cached_bytes + bytes_of(index) > kMaxCachedBytes) return ::operator delete(frame);
  lists.heads[index] = ::new (frame) FreeFrame{lists.heads[index]};
  lists.cached_bytes += bytes_of(index);
}

size_t FramePool::cached_bytes() noexcept { return lists.cached_bytes; }

}  // namespace gaggle
