// SPDX-License-Identifier: Apache-2.0
#include "gaggle/http2/header_block.h"

#include "gaggle/http2/header_block_pool.h"

namespace gaggle::http2 {

const HeaderField* HeaderBlock::find(HeaderName id) const {
  if (!has(id)) return nullptr;
  for (const HeaderField& field : fields_) {
    if (field.id == id) return &field;
  }
  return nullptr;  // it was dropped for a limit
}

void HeaderBlock::recycle() const { pool_.recycle(const_cast<HeaderBlock*>(this)); }

void HeaderBlock::reset() {
  attachment_.reset();
  for (HpackEntry* entry : retained_) pool_.entries().release(entry);
  retained_.clear();
  fields_.clear();
  list_size_bytes_ = field_count_ = 0;
  problems_ = 0;
  over_soft_limit_ = over_hard_limit_ = too_many_fields_ = false;
  names_ = repeated_names_ = 0;
  good_request_.reset();
}

size_t HeaderBlock::memory_bytes() const {
  return sizeof *this + fields_.capacity() * sizeof(HeaderField) + retained_.capacity() * sizeof(HpackEntry*) +
         literals_capacity_;
}

}  // namespace gaggle::http2
