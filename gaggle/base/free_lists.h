// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>

namespace gaggle {

// Whether freed memory is kept for the next that asks. Not under AddressSanitizer, so that it sees every use
// after the end.
#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool kRecyclesMemory = false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
inline constexpr bool kRecyclesMemory = false;
#else
inline constexpr bool kRecyclesMemory = true;
#endif
#else
inline constexpr bool kRecyclesMemory = true;
#endif

// What one thread has freed and keeps, a list per class of sizes: what BlockPool and FramePool are made of. All of it
// comes from operator new; kBytesOf(size_class) is how large.
//
// Meant as a `constinit thread_local`, and trivial for it: reaching it costs no guard. Its owner sees to it that
// `close` is called when the thread ends.
template <size_t kClasses, auto kBytesOf>
class FreeLists {
 public:
  enum class Stage : uint8_t { kNew, kOpen, kClosed };

  Stage stage() const noexcept { return stage_; }
  void open() noexcept { stage_ = Stage::kOpen; }
  // Frees what it holds.
  void clear() noexcept {
    if (cached_bytes_ == 0) return;
    for (Block*& head : heads_) {
      while (head != nullptr) ::operator delete(std::exchange(head, head->next));
    }
    cached_bytes_ = 0;
  }
  // The same, and from now on it's to keep nothing.
  void close() noexcept {
    clear();
    stage_ = Stage::kClosed;
  }

  // A block of the class, or null.
  void* pop(size_t size_class) noexcept {
    Block* const block = heads_[size_class];
    if (block == nullptr) return nullptr;
    heads_[size_class] = block->next;
    cached_bytes_ -= kBytesOf(size_class);
    return block;
  }
  void push(void* block, size_t size_class) noexcept {
    heads_[size_class] = ::new (block) Block{heads_[size_class]};
    cached_bytes_ += kBytesOf(size_class);
  }
  size_t cached_bytes() const noexcept { return cached_bytes_; }

 private:
  struct Block {
    Block* next;
  };

  std::array<Block*, kClasses> heads_{};
  size_t cached_bytes_ = 0;
  Stage stage_ = Stage::kNew;
};

}  // namespace gaggle
