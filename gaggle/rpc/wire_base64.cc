// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/wire_base64.h"

#include <array>
#include <cstdint>

namespace gaggle::wire {
namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr uint8_t kBad = 0xFF;

constexpr std::array<uint8_t, 256> kValues = [] {
  std::array<uint8_t, 256> values{};
  values.fill(kBad);
  for (size_t i = 0; i < kAlphabet.size(); ++i) values[static_cast<uint8_t>(kAlphabet[i])] = static_cast<uint8_t>(i);
  return values;
}();

uint32_t octet(std::string_view bytes, size_t i) noexcept { return static_cast<uint8_t>(bytes[i]); }

// The 6 bits at `shift` of `bits` as a character.
char symbol(uint32_t bits, int shift) noexcept { return kAlphabet[bits >> shift & 63]; }

}  // namespace

void base64_encode(std::string_view bytes, char* out) noexcept {
  size_t i = 0;
  for (; i + 3 <= bytes.size(); i += 3) {
    uint32_t bits = octet(bytes, i) << 16 | octet(bytes, i + 1) << 8 | octet(bytes, i + 2);
    for (int shift = 18; shift >= 0; shift -= 6) *out++ = symbol(bits, shift);
  }
  size_t left = bytes.size() - i;
  if (left == 0) return;
  uint32_t bits = octet(bytes, i) << 16 | (left == 2 ? octet(bytes, i + 1) << 8 : 0);
  *out++ = symbol(bits, 18);
  *out++ = symbol(bits, 12);
  if (left == 2) *out++ = symbol(bits, 6);
}

void base64_encode(std::string_view bytes, std::string& out) {
  size_t before = out.size();
  out.resize(before + base64_size(bytes.size()));
  base64_encode(bytes, out.data() + before);
}

bool base64_decode(std::string_view text, std::string& out) {
  // Padding is optional; where it's there, it fills the last group of four.
  if (text.ends_with('=')) {
    if (text.size() % 4 != 0) return false;
    text.remove_suffix(text.ends_with("==") ? 2 : 1);
  }
  if (text.size() % 4 == 1) return false;

  size_t before = out.size();
  out.reserve(before + text.size() / 4 * 3 + 2);
  uint32_t bits = 0;
  int count = 0;
  for (char c : text) {
    uint8_t value = kValues[static_cast<uint8_t>(c)];
    if (value == kBad) {
      out.resize(before);
      return false;
    }
    bits = bits << 6 | value;
    count += 6;
    if (count >= 8) {
      count -= 8;
      out.push_back(static_cast<char>(bits >> count & 0xFF));
    }
  }
  return true;
}

}  // namespace gaggle::wire
