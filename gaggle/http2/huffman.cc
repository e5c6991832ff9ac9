// SPDX-License-Identifier: Apache-2.0
#include "gaggle/http2/huffman.h"

#include <cstring>

#include "gaggle/http2/huffman_code.h"

namespace gaggle::http2::huffman {
namespace {

constexpr LookupTable kLookup = make_lookup();

// The next bits of the code, left-aligned in a word; zeros behind the end. A symbol is taken only
// if all its bits are available, so what stands behind them doesn't matter.
class BitReader {
 public:
  explicit BitReader(std::span<const uint8_t> code) : next_(code.data()), end_(code.data() + code.size()) {}

  // Makes sure that 32 bits are there, or all that are left.
  void refill() {
    if (available_ >= 32) return;
    if (end_ - next_ >= 4) {
      const uint64_t four =
          uint64_t{next_[0]} << 24 | uint64_t{next_[1]} << 16 | uint64_t{next_[2]} << 8 | uint64_t{next_[3]};
      bits_ |= four << (32 - available_);
      next_ += 4;
      available_ += 32;
      return;
    }
    while (next_ != end_) {
      bits_ |= uint64_t{*next_++} << (56 - available_);
      available_ += 8;
    }
  }

  // `count` is 1 to 32.
  uint32_t peek(int count) const { return static_cast<uint32_t>(bits_ >> (64 - count)); }
  void skip(int count) {
    bits_ <<= count;
    available_ -= count;
  }
  int available() const { return available_; }

 private:
  const uint8_t* next_;
  const uint8_t* end_;
  uint64_t bits_ = 0;
  int available_ = 0;
};

// A symbol whose code is longer than kLookupBits and at most `available`; -1 if there is none.
int long_symbol(BitReader& bits, int available) {
  const int limit = available < kLongest ? available : kLongest;
  for (int length = kLookupBits + 1; length <= limit; ++length) {
    const uint32_t offset = bits.peek(length) - kCanonical.first_code[length];
    const uint32_t rank = kCanonical.first_rank[length] + offset;
    if (rank >= kCanonical.first_rank[length + 1]) continue;
    bits.skip(length);
    return kCanonical.sorted[rank];
  }
  return -1;
}

// RFC 7541 §5.2: "A padding strictly longer than 7 bits MUST be treated as a decoding error. A
// padding not corresponding to the most significant bits of the code for the EOS symbol MUST be
// treated as a decoding error."
bool is_padding(const BitReader& bits) {
  const int left = bits.available();
  return left == 0 || (left < 8 && bits.peek(left) == (1u << left) - 1);
}

}  // namespace

size_t encoded_size(std::string_view text) {
  size_t bits = 0;
  for (const char c : text) bits += kLengths[static_cast<uint8_t>(c)];
  return (bits + 7) / 8;
}

uint8_t* encode(std::string_view text, uint8_t* out) {
  uint64_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const auto symbol = static_cast<uint8_t>(c);
    bits = bits << kLengths[symbol] | kCanonical.codes[symbol];
    count += kLengths[symbol];
    if (count < 32) continue;
    for (count -= 32; const int shift : {24, 16, 8, 0}) {
      *out++ = static_cast<uint8_t>(bits >> count >> shift);
    }
  }
  while (count >= 8) *out++ = static_cast<uint8_t>(bits >> (count -= 8));
  if (count > 0) *out++ = static_cast<uint8_t>(bits << (8 - count) | 0xff >> count);
  return out;
}

std::optional<size_t> decode(std::span<const uint8_t> code, char* out) {
  char* const begin = out;
  BitReader bits(code);
  for (;;) {
    bits.refill();
    const Lookup& entry = kLookup[bits.peek(kLookupBits)];
    const int available = bits.available();
    if (entry.both_bits != 0 && entry.both_bits <= available) [[likely]] {
      std::memcpy(out, entry.symbols, 2);
      out += 2;
      bits.skip(entry.both_bits);
      continue;
    }
    if (entry.first_bits != 0) {
      if (entry.first_bits > available) break;
      *out++ = static_cast<char>(entry.symbols[0]);
      bits.skip(entry.first_bits);
      continue;
    }
    const int symbol = long_symbol(bits, available);
    if (symbol == kEos) return std::nullopt;
    if (symbol < 0) break;
    *out++ = static_cast<char>(symbol);
  }
  if (!is_padding(bits)) return std::nullopt;
  return static_cast<size_t>(out - begin);
}

}  // namespace gaggle::http2::huffman
