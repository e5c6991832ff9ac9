// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>

// The Huffman code of RFC 7541 Appendix B, and the tables that coding needs, made at compile time.
//
// The code is canonical: symbols of one length have consecutive codes in the order of the symbols,
// and shorter codes come first. So the lengths say everything.
namespace gaggle::http2::huffman {

inline constexpr int kSymbols = 257;  // the bytes, and EOS
inline constexpr int kEos = 256;
inline constexpr int kShortest = 5;
inline constexpr int kLongest = 30;

inline constexpr std::array<uint8_t, kSymbols> kLengths{
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,  // 0x00
    28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,  // 0x10
    6,  10, 10, 12, 13, 6,  8,  11, 10, 10, 8,  11, 8,  6,  6,  6,   // 0x20
    5,  5,  5,  6,  6,  6,  6,  6,  6,  6,  7,  8,  15, 6,  12, 10,  // 0x30
    13, 6,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,   // 0x40
    7,  7,  7,  7,  7,  7,  7,  7,  8,  7,  8,  13, 19, 13, 14, 6,   // 0x50
    15, 5,  6,  5,  6,  5,  6,  6,  6,  5,  7,  7,  6,  6,  6,  5,   // 0x60
    6,  7,  6,  5,  5,  6,  7,  7,  7,  7,  7,  15, 11, 14, 13, 28,  // 0x70
    20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,  // 0x80
    24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,  // 0x90
    22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,  // 0xa0
    21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,  // 0xb0
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,  // 0xc0
    19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,  // 0xd0
    20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,  // 0xe0
    26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,  // 0xf0
    30};

// The symbols sorted by their codes, and for each length the first code and where its symbols
// begin in that order.
struct Canonical {
  std::array<uint32_t, kSymbols> codes{};  // right-aligned
  std::array<uint16_t, kSymbols> sorted{};
  std::array<uint32_t, kLongest + 2> first_code{};
  std::array<uint16_t, kLongest + 2> first_rank{};
};

consteval Canonical make_canonical() {
  Canonical made;
  uint32_t code = 0;
  uint16_t rank = 0;
  for (int length = 1; length <= kLongest; ++length) {
    code <<= 1;
    made.first_code[length] = code;
    made.first_rank[length] = rank;
    for (int symbol = 0; symbol < kSymbols; ++symbol) {
      if (kLengths[symbol] != length) continue;
      made.sorted[rank++] = static_cast<uint16_t>(symbol);
      made.codes[symbol] = code++;
    }
  }
  made.first_rank[kLongest + 1] = rank;
  return made;
}

inline constexpr Canonical kCanonical = make_canonical();
static_assert(kCanonical.codes[kEos] == 0x3fffffff, "EOS is all ones");

// What the next kLookupBits bits begin with: two symbols if both fit, one if one does, none if the
// code is longer.
inline constexpr int kLookupBits = 11;

struct Lookup {
  uint8_t symbols[2] = {0, 0};
  uint8_t first_bits = 0;  // length of the first code; 0 = longer than kLookupBits
  uint8_t both_bits = 0;   // of both codes; 0 = only one fits
};

using LookupTable = std::array<Lookup, 1 << kLookupBits>;

consteval LookupTable make_lookup() {
  // The symbol at the front of `bits`, of which `count` are known; -1 if none is complete.
  const auto front = [](uint32_t bits, int count) {
    for (int length = kShortest; length <= count; ++length) {
      const uint32_t offset = (bits >> (count - length)) - kCanonical.first_code[length];
      const uint32_t rank = kCanonical.first_rank[length] + offset;
      if (rank < kCanonical.first_rank[length + 1]) return static_cast<int>(kCanonical.sorted[rank]);
    }
    return -1;
  };
  LookupTable table;
  for (uint32_t bits = 0; bits < table.size(); ++bits) {
    Lookup& entry = table[bits];
    const int first = front(bits, kLookupBits);
    if (first < 0) continue;
    entry.symbols[0] = static_cast<uint8_t>(first);
    entry.first_bits = kLengths[first];
    const int left = kLookupBits - kLengths[first];
    const int second = front(bits & ((1u << left) - 1), left);
    if (second < 0) continue;
    entry.symbols[1] = static_cast<uint8_t>(second);
    entry.both_bits = static_cast<uint8_t>(kLengths[first] + kLengths[second]);
  }
  return table;
}

}  // namespace gaggle::http2::huffman
