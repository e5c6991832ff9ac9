// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "gaggle/base/ref.h"
#include "gaggle/http2/header_field.h"

namespace gaggle::http2 {

class HeaderBlockPool;
class HpackEntry;

// One decoded header block: immutable, counted by reference, never copied.
//
// Peers repeat their header blocks, and the decoder then hands out the same HeaderBlock again
// without decoding (HpackDecoder). Whoever understands a block can hang the result on it with
// set_attachment() and finds it there the next time.
//
// Lifetime: fields and their views are valid as long as a Ref to the block exists, whatever the
// dynamic table evicts and even if the decoder is gone. Threads: one; the block belongs to its
// connection's loop, and so do the references to it.
class HeaderBlock {
 public:
  // The parsed form of the block that the layer above keeps with it. Destroyed with the block, or
  // when the block is recycled.
  class Attachment {
   public:
    virtual ~Attachment() = default;
  };

  HeaderBlock(const HeaderBlock&) = delete;
  HeaderBlock& operator=(const HeaderBlock&) = delete;

  // The fields in the order of the wire. Incomplete if is_truncated().
  std::span<const HeaderField> fields() const { return fields_; }

  // Of all fields that were decoded, stored or not. Saturates.
  uint32_t list_size_bytes() const { return list_size_bytes_; }
  uint32_t field_count() const { return field_count_; }

  // Limits (HpackDecoderOptions). Past the soft one everything is stored still; past the others
  // decoding went on for the sake of the dynamic table, but storing stopped.
  bool over_soft_limit() const { return over_soft_limit_; }
  bool over_hard_limit() const { return over_hard_limit_; }
  bool too_many_fields() const { return too_many_fields_; }
  bool is_truncated() const { return over_hard_limit_ || too_many_fields_; }

  // Union of HeaderProblem bits of all decoded fields, and kPseudoAfterRegular.
  uint8_t problems() const { return problems_; }

  // Which names occur at all, and which more than once, as sets of mask_of(id).
  uint64_t names() const { return names_; }
  uint64_t repeated_names() const { return repeated_names_; }
  bool has(HeaderName id) const { return (names_ & mask_of(id)) != 0; }

  // The first field with this id; null if there is none.
  const HeaderField* find(HeaderName id) const;

  // What check_request() found once, since blocks come again: the content-length of a well-formed
  // request (-1: none declared), or nothing.
  std::optional<int64_t> good_request() const { return good_request_; }
  void set_good_request(int64_t content_length) const { good_request_ = content_length; }

  Attachment* attachment() const { return attachment_.get(); }
  void set_attachment(std::unique_ptr<Attachment> attachment) const { attachment_ = std::move(attachment); }

  // For Ref<HeaderBlock>. No atomics.
  void ref() const { ++references_; }
  void unref() const {
    if (--references_ == 0) recycle();
  }

 private:
  friend class HeaderBlockPool;
  friend class HeaderBlockBuilder;

  explicit HeaderBlock(HeaderBlockPool& pool) : pool_(pool) {}
  void recycle() const;
  void reset();
  size_t memory_bytes() const;

  HeaderBlockPool& pool_;
  HeaderBlock* next_spare_ = nullptr;  // in the pool
  mutable uint32_t references_ = 1;
  uint32_t list_size_bytes_ = 0;
  uint32_t field_count_ = 0;
  uint8_t problems_ = 0;
  bool over_soft_limit_ = false;
  bool over_hard_limit_ = false;
  bool too_many_fields_ = false;
  uint64_t names_ = 0;
  uint64_t repeated_names_ = 0;
  mutable std::optional<int64_t> good_request_;
  std::vector<HeaderField> fields_;
  std::vector<HpackEntry*> retained_;  // table entries that fields point into
  std::unique_ptr<char[]> literals_;   // bytes of the fields that no table entry owns
  size_t literals_capacity_ = 0;
  mutable std::unique_ptr<Attachment> attachment_;
};

using HeaderBlockRef = Ref<HeaderBlock>;

}  // namespace gaggle::http2
