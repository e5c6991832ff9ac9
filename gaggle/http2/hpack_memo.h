// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "gaggle/http2/header_block.h"

namespace gaggle::http2 {

// Remembers recent header blocks whose decoding changed nothing, so that the same bytes need no
// decoding the next time.
//
// A decoded block is a function of its bytes and of the decoder's state. The state is named by an
// epoch that advances with every insertion, eviction, size update and setting; what was remembered
// in another epoch is forgotten. Bytes are compared in full, length and first eight bytes first.
// At most kEntries blocks of kMaxBlockBytes each; the oldest goes first. Not thread-safe.
class HpackMemo {
 public:
  static constexpr size_t kEntries = 8;
  static constexpr size_t kMaxBlockBytes = 256;

  // The block that these bytes decode to in this epoch, or null.
  HeaderBlock* find(std::span<const uint8_t> bytes, uint64_t epoch);
  void remember(std::span<const uint8_t> bytes, uint64_t epoch, const HeaderBlockRef& block);
  void clear() { entries_.reset(); }

  uint64_t hits() const { return hits_; }
  size_t memory_bytes() const;

 private:
  struct Key {
    uint64_t prefix = 0;  // the first eight bytes, zeros behind a shorter block
    size_t size = 0;      // 0 = unused
    friend bool operator==(const Key&, const Key&) = default;
  };
  struct Entry {
    HeaderBlockRef block;
    std::unique_ptr<uint8_t[]> bytes;
    size_t capacity = 0;
  };
  struct Entries {
    std::array<Key, kEntries> keys;  // apart, so that looking reads two cache lines
    std::array<Entry, kEntries> values;
    uint64_t epoch = 0;
    size_t next = 0;
  };

  static Key key_of(std::span<const uint8_t> bytes);
  void forget_other_epochs(uint64_t epoch);

  std::unique_ptr<Entries> entries_;
  uint64_t hits_ = 0;
};

}  // namespace gaggle::http2
