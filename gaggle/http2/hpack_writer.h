// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "gaggle/http2/huffman.h"

// Writes the primitive types of RFC 7541 §5 to memory that is large enough.
namespace gaggle::http2::hpack {

// An integer is at most this long: a byte with the prefix and 32 bits in groups of seven.
inline constexpr size_t kMaxIntegerBytes = 6;

// Room for any field: the representation's integer and two strings with their lengths.
constexpr size_t max_field_bytes(std::string_view name, std::string_view value) {
  return 3 * kMaxIntegerBytes + name.size() + value.size();
}

// §5.1. `pattern` is what stands in the first byte above the prefix.
inline uint8_t* write_integer(uint8_t* out, uint8_t pattern, int prefix_bits, uint32_t value) {
  const uint32_t full = (1u << prefix_bits) - 1;
  if (value < full) {
    *out++ = static_cast<uint8_t>(pattern | value);
    return out;
  }
  *out++ = static_cast<uint8_t>(pattern | full);
  for (value -= full; value >= 0x80; value >>= 7) *out++ = static_cast<uint8_t>(value | 0x80);
  *out++ = static_cast<uint8_t>(value);
  return out;
}

// §5.2. With `huffman` the shorter of the two forms.
inline uint8_t* write_string(uint8_t* out, std::string_view text, bool huffman) {
  if (huffman) {
    const size_t size = huffman::encoded_size(text);
    if (size < text.size()) {
      out = write_integer(out, 0x80, 7, static_cast<uint32_t>(size));
      return huffman::encode(text, out);
    }
  }
  out = write_integer(out, 0, 7, static_cast<uint32_t>(text.size()));
  if (!text.empty()) std::memcpy(out, text.data(), text.size());
  return out + text.size();
}

}  // namespace gaggle::http2::hpack
