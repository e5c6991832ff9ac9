// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "gaggle/http2/header_block.h"
#include "gaggle/http2/hpack_entry.h"

namespace gaggle::http2 {

// Where a decoder's HeaderBlocks come from and go to when their last reference does.
//
// Owned by the decoder, but a block may outlive it: the pool then stays until the last block has
// come home, keeps nothing, and ends. Not thread-safe.
class HeaderBlockPool {
 public:
  struct Abandon {
    void operator()(HeaderBlockPool* pool) const { pool->abandon(); }
  };
  using Owner = std::unique_ptr<HeaderBlockPool, Abandon>;

  // Bounds on what is kept for later: blocks in number, each in bytes.
  static constexpr size_t kMaxSpareBlocks = 8;
  static constexpr size_t kMaxSpareBlockBytes = 3072;

  static Owner create() { return Owner(new HeaderBlockPool); }
  HeaderBlockPool(const HeaderBlockPool&) = delete;
  HeaderBlockPool& operator=(const HeaderBlockPool&) = delete;

  // An empty block.
  HeaderBlockRef make();
  HpackEntryPool& entries() { return entries_; }

  // Returns the spare blocks and entries to the heap.
  void trim();

  // Heap bytes of all blocks, spare ones included, and entries.
  size_t memory_bytes() const;

 private:
  friend class HeaderBlock;

  HeaderBlockPool() = default;
  ~HeaderBlockPool() { trim(); }
  void abandon();
  void recycle(HeaderBlock* block);

  HpackEntryPool entries_;
  HeaderBlock* spare_ = nullptr;  // the first of a list
  uint32_t live_blocks_ = 0;
  uint8_t spare_blocks_ = 0;
  bool abandoned_ = false;
};

// Fills a HeaderBlock during one decode: stores fields, counts them against the limits, and owns
// the bytes of those that no table entry owns.
class HeaderBlockBuilder {
 public:
  struct Limits {
    uint32_t max_fields;
    uint32_t soft_limit_bytes;
    uint32_t hard_limit_bytes;
  };

  HeaderBlockBuilder(HeaderBlock& block, const Limits& limits) : block_(block), limits_(limits) {}

  // Makes room for all literals of the rest of the block: `bytes`, unless that was done before.
  void reserve_literals(size_t bytes) {
    if (next_ == nullptr) allocate_literals(bytes);
  }
  // Where the next literal goes; commit what was written there, rewind to take it back.
  char* literal_room() { return next_; }
  void commit_literal(size_t bytes) { next_ += bytes; }
  void rewind_literals(char* mark) { next_ = mark; }

  // A field whose bytes are static.
  void add(const HeaderField& field) {
    if (count(field)) block_.fields_.push_back(field);
  }
  // The same, but the views point into `entry`, too, which the block then keeps.
  void add(const HeaderField& field, HpackEntry& entry) {
    if (!count(field)) return;
    block_.fields_.push_back(field);
    entry.retain();
    block_.retained_.push_back(&entry);
  }
  // A field whose own bytes are the literals since `mark`.
  void add_literal(const HeaderField& field, char* mark) {
    if (count(field)) {
      block_.fields_.push_back(field);
    } else {
      rewind_literals(mark);
    }
  }

 private:
  // Takes `field` into the sums; false if it must not be stored.
  bool count(const HeaderField& field);
  void allocate_literals(size_t bytes);

  HeaderBlock& block_;
  Limits limits_;
  char* next_ = nullptr;
};

}  // namespace gaggle::http2
