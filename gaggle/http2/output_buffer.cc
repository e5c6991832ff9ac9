// SPDX-License-Identifier: Apache-2.0
#include "gaggle/http2/output_buffer.h"

#include <algorithm>

namespace gaggle::http2 {

namespace {
constexpr size_t kGrowth = 4;
static_assert(OutputBuffer::kFirstBytes >= BlockPool::kMinBytes, "buffers come and go with every turn");
}  // namespace

// Buffers that are still small grow fast: they begin anew with every turn.
void OutputBuffer::grow(size_t bytes) {
  const size_t wanted = capacity_ >= 64 * 1024 ? capacity_ * 2 : std::max(kFirstBytes, capacity_ * kGrowth);
  const size_t capacity = std::max(wanted, size_ + bytes);
  auto* const grown = static_cast<uint8_t*>(BlockPool::allocate(capacity, BlockPool::class_of(capacity)));
  if (size_ != 0) std::memcpy(grown, bytes_, size_);
  const size_t size = size_;
  release();
  bytes_ = grown;
  size_ = size;
  capacity_ = capacity;
}

}  // namespace gaggle::http2
