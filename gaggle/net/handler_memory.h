// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <new>

namespace gaggle {

// Room for one Asio operation, so that waiting needs no malloc. A second operation at the same time,
// or one that is too large, takes the heap. Asio frees an operation before it calls its handler, so
// the room is free again by then.
template <size_t kBytes>
class HandlerMemory {
 public:
  HandlerMemory() = default;
  HandlerMemory(const HandlerMemory&) = delete;
  HandlerMemory& operator=(const HandlerMemory&) = delete;

  void* allocate(size_t size) {
    if (used_ || size > kBytes) return ::operator new(size);
    used_ = true;
    return room_;
  }
  void deallocate(void* memory) noexcept {
    if (memory == room_) {
      used_ = false;
    } else {
      ::operator delete(memory);
    }
  }

 private:
  alignas(void*) unsigned char room_[kBytes];  // Asio's operations are made of pointers
  bool used_ = false;
};

// The associated allocator that takes from a HandlerMemory.
template <class T, class Memory>
class HandlerAllocator {
 public:
  using value_type = T;
  template <class U>
  struct rebind {
    using other = HandlerAllocator<U, Memory>;
  };

  explicit HandlerAllocator(Memory& memory) noexcept : memory_(&memory) {}
  template <class U>
  HandlerAllocator(const HandlerAllocator<U, Memory>& other) noexcept : memory_(other.memory_) {}

  T* allocate(size_t count) { return static_cast<T*>(memory_->allocate(count * sizeof(T))); }
  void deallocate(T* memory, size_t) noexcept { memory_->deallocate(memory); }
  friend bool operator==(const HandlerAllocator& a, const HandlerAllocator& b) noexcept {
    return a.memory_ == b.memory_;
  }

 private:
  template <class, class>
  friend class HandlerAllocator;
  Memory* memory_;
};

}  // namespace gaggle
