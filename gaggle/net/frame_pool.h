// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace gaggle {

// Memory for coroutine frames: freed frames wait in free lists of their thread, one list per size
// class, and serve the next coroutine without a call of malloc. The classes are the sizes that glibc's
// malloc has, so that none is rounded up twice.
//
// A thread keeps at most kMaxCachedBytes; frames above kMaxFrameBytes and everything beyond the cap go to operator new
// and delete. A frame may be freed by another thread than the one that made it; it then serves that thread. What a
// thread cached is freed when the thread ends.
class FramePool {
 public:
  static constexpr size_t kClassBytes = 16;
  static constexpr size_t kMaxFrameBytes = 4096;
  static constexpr size_t kMaxCachedBytes = size_t{2} << 20;

  static void* allocate(size_t size);
  static void deallocate(void* frame, size_t size) noexcept;

  // What the calling thread holds in its lists now.
  static size_t cached_bytes() noexcept;
};

}  // namespace gaggle
