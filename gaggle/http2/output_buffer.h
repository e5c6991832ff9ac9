// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <utility>

#include "gaggle/base/block_pool.h"

namespace gaggle::http2 {

// Contiguous bytes on their way to the socket: frames and header blocks are appended here.
//
// Growing never initialises memory, clear() keeps the capacity, release() gives it to the thread's
// BlockPool, so that buffers that are used for moments only share their memory. An empty buffer owns
// nothing. One thread at a time.
//
//   uint8_t* at = out.reserve(9);     // room for at least 9 bytes; nothing appended yet
//   write_frame_header(at, ...);
//   out.commit(9);                    // now they are part of the buffer
//
// Pointers from reserve(), data() and at() are valid until the next call that may grow.
class OutputBuffer {
 public:
  // What a buffer begins with.
  static constexpr size_t kFirstBytes = 256;

  OutputBuffer() = default;
  OutputBuffer(OutputBuffer&& other) noexcept { swap(other); }
  OutputBuffer& operator=(OutputBuffer&& other) noexcept {
    swap(other);
    return *this;
  }
  ~OutputBuffer() { release(); }

  // Room for `bytes` more after the end. The caller fills it and then commits what it used.
  uint8_t* reserve(size_t bytes) {
    if (capacity_ - size_ < bytes) grow(bytes);
    return bytes_ + size_;
  }
  void commit(size_t bytes) { size_ += bytes; }

  void push_back(uint8_t byte) {
    *reserve(1) = byte;
    ++size_;
  }
  void append(const void* data, size_t bytes) {
    if (bytes == 0) return;
    std::memcpy(reserve(bytes), data, bytes);
    size_ += bytes;
  }
  void append(std::span<const uint8_t> bytes) { append(bytes.data(), bytes.size()); }

  // Drops the first `bytes` (they have been written). Moves the rest to the front, so call it
  // once per write, not once per frame.
  void consume(size_t bytes) {
    size_ -= bytes;
    if (size_ != 0) std::memmove(bytes_, bytes_ + bytes, size_);
  }
  // Drops everything from `size` on; used to take back what turned out not to be sendable.
  void truncate(size_t size) { size_ = size; }
  void clear() { size_ = 0; }
  void release() {
    if (bytes_ != nullptr) BlockPool::deallocate(std::exchange(bytes_, nullptr), BlockPool::class_of(capacity_));
    size_ = capacity_ = 0;
  }
  void swap(OutputBuffer& other) noexcept {
    std::swap(bytes_, other.bytes_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
  }

  uint8_t* data() { return bytes_; }
  const uint8_t* data() const { return bytes_; }
  uint8_t* at(size_t offset) { return bytes_ + offset; }
  size_t size() const { return size_; }
  size_t capacity() const { return capacity_; }
  bool empty() const { return size_ == 0; }
  std::span<const uint8_t> bytes() const { return {bytes_, size_}; }

 private:
  void grow(size_t bytes);

  uint8_t* bytes_ = nullptr;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

}  // namespace gaggle::http2
