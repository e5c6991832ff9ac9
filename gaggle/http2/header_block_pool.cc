// SPDX-License-Identifier: Apache-2.0
#include "gaggle/http2/header_block_pool.h"

#include <limits>
#include <utility>

namespace gaggle::http2 {

HeaderBlockRef HeaderBlockPool::make() {
  HeaderBlock* block;
  if (spare_ == nullptr) {
    block = new HeaderBlock(*this);
  } else {
    block = std::exchange(spare_, spare_->next_spare_);
    --spare_blocks_;
    block->references_ = 1;
  }
  ++live_blocks_;
  return HeaderBlockRef::adopt(block);
}

void HeaderBlockPool::recycle(HeaderBlock* block) {
  // The attachment may hold the last reference to another block: count this one as live until
  // everything it owned is gone.
  block->reset();
  --live_blocks_;
  if (abandoned_) {
    delete block;
    if (live_blocks_ == 0) delete this;
  } else if (spare_blocks_ < kMaxSpareBlocks && block->memory_bytes() <= kMaxSpareBlockBytes) {
    block->next_spare_ = std::exchange(spare_, block);
    ++spare_blocks_;
  } else {
    delete block;
  }
}

void HeaderBlockPool::trim() {
  while (spare_ != nullptr) delete std::exchange(spare_, spare_->next_spare_);
  spare_blocks_ = 0;
  entries_.trim();
}

void HeaderBlockPool::abandon() {
  abandoned_ = true;
  trim();
  if (live_blocks_ == 0) delete this;
}

size_t HeaderBlockPool::memory_bytes() const {
  size_t bytes = sizeof *this + entries_.memory_bytes();
  for (const HeaderBlock* block = spare_; block != nullptr; block = block->next_spare_) bytes += block->memory_bytes();
  return bytes;
}

void HeaderBlockBuilder::allocate_literals(size_t bytes) {
  if (block_.literals_capacity_ < bytes) {
    block_.literals_.reset(new char[bytes]);
    block_.literals_capacity_ = bytes;
  }
  next_ = block_.literals_.get();
}

bool HeaderBlockBuilder::count(const HeaderField& field) {
  HeaderBlock& block = block_;
  const uint64_t size = block.list_size_bytes_ + header_field_size_bytes(field.name, field.value);
  constexpr uint32_t kMax = std::numeric_limits<uint32_t>::max();
  block.list_size_bytes_ = size < kMax ? static_cast<uint32_t>(size) : kMax;
  ++block.field_count_;

  block.problems_ |= field.problems;
  constexpr uint64_t kPseudoNames = (mask_of(HeaderName::kStatus) << 1) - mask_of(HeaderName::kOtherPseudo);
  if (is_pseudo(field.id) && (block.names_ & ~kPseudoNames) != 0) {
    block.problems_ |= HeaderProblem::kPseudoAfterRegular;
  }
  block.repeated_names_ |= block.names_ & mask_of(field.id);
  block.names_ |= mask_of(field.id);

  if (size > limits_.soft_limit_bytes) [[unlikely]] {
    block.over_soft_limit_ = true;
    block.over_hard_limit_ |= size > limits_.hard_limit_bytes;
  }
  block.too_many_fields_ |= block.field_count_ > limits_.max_fields;
  return !block.is_truncated();
}

}  // namespace gaggle::http2
