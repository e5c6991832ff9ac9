// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "gaggle/http2/hpack_error.h"

namespace gaggle::http2 {

// Reads the primitive types of RFC 7541 §5 from a complete header block.
class HpackReader {
 public:
  // A string literal as it stands in the block.
  struct String {
    std::span<const uint8_t> bytes;
    bool huffman = false;
  };

  explicit HpackReader(std::span<const uint8_t> block) : next_(block.data()), end_(block.data() + block.size()) {}

  bool at_end() const { return next_ == end_; }
  size_t left() const { return static_cast<size_t>(end_ - next_); }
  // The next byte; not at the end.
  uint8_t peek() const { return *next_; }

  // An integer whose first byte, which exists, has `prefix_bits` of it (§5.1).
  HpackError read_integer(int prefix_bits, uint32_t& value) {
    const uint32_t full = (1u << prefix_bits) - 1;
    value = *next_++ & full;
    return value < full ? HpackError::kOk : read_continuation(value);
  }

  // §5.2: a length with a Huffman flag before it, and that many bytes.
  HpackError read_string(String& string) {
    if (at_end()) return HpackError::kTruncated;
    string.huffman = (*next_ & 0x80) != 0;
    uint32_t length;
    if (const HpackError error = read_integer(7, length); error != HpackError::kOk) return error;
    // Compared before anything is allocated for it.
    if (length > left()) return HpackError::kTruncated;
    string.bytes = {next_, length};
    next_ += length;
    return HpackError::kOk;
  }

 private:
  // §5.1: "Integer encodings that exceed implementation limits -- in value or octet length -- MUST
  // be treated as decoding errors." Our limits are 32 bits and five bytes.
  HpackError read_continuation(uint32_t& value) {
    uint64_t sum = value;
    for (int shift = 0; shift < 35; shift += 7) {
      if (at_end()) return HpackError::kTruncated;
      const uint8_t byte = *next_++;
      sum += uint64_t{byte & 0x7fu} << shift;
      if ((byte & 0x80) != 0) continue;
      if (sum > UINT32_MAX) return HpackError::kIntegerTooLarge;
      value = static_cast<uint32_t>(sum);
      return HpackError::kOk;
    }
    return HpackError::kIntegerTooLarge;
  }

  const uint8_t* next_;
  const uint8_t* end_;
};

}  // namespace gaggle::http2
