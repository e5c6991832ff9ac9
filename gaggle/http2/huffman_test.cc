// SPDX-License-Identifier: Apache-2.0
#include "gaggle/http2/huffman.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "gaggle/http2/hpack_testing.h"
#include "gaggle/http2/huffman_code.h"

namespace gaggle::http2::huffman {
namespace {

using http2::testing::hex;

std::vector<uint8_t> encoded(std::string_view text) {
  std::vector<uint8_t> code(encoded_size(text));
  EXPECT_EQ(encode(text, code.data()), code.data() + code.size());
  return code;
}

std::optional<std::string> decoded(const std::vector<uint8_t>& code) {
  // Exactly the promised room, so that the sanitizer sees a byte too many.
  std::vector<char> room(decoded_room(code.size()));
  const auto size = decode(code, room.data());
  if (!size) return std::nullopt;
  return std::string(room.data(), *size);
}

// Bits, first to last, padded with ones.
std::vector<uint8_t> from_bits(std::string bits) {
  while (bits.size() % 8 != 0) bits += '1';
  std::vector<uint8_t> bytes;
  for (size_t i = 0; i < bits.size(); i += 8) {
    bytes.push_back(static_cast<uint8_t>(std::stoi(bits.substr(i, 8), nullptr, 2)));
  }
  return bytes;
}

TEST(Huffman, codes_are_those_of_the_rfc_where_lengths_change) {
  // The first and last code of the lengths at both ends of Appendix B, and some in between: if the
  // canonical construction were off by one anywhere, the codes after it would be, too.
  EXPECT_EQ(kCanonical.codes['0'], 0x0u);
  EXPECT_EQ(kCanonical.codes['t'], 0x9u);
  EXPECT_EQ(kCanonical.codes[' '], 0x14u);
  EXPECT_EQ(kCanonical.codes['u'], 0x2du);
  EXPECT_EQ(kCanonical.codes['&'], 0xf8u);
  EXPECT_EQ(kCanonical.codes['?'], 0x3fcu);
  EXPECT_EQ(kCanonical.codes['\\'], 0x7fff0u);
  EXPECT_EQ(kCanonical.codes[0], 0x1ff8u);
  EXPECT_EQ(kCanonical.codes[10], 0x3ffffffcu);
  EXPECT_EQ(kCanonical.codes[22], 0x3ffffffeu);
  EXPECT_EQ(kCanonical.codes[kEos], 0x3fffffffu);
}

TEST(Huffman, known_strings_both_ways) {
  EXPECT_EQ(encoded("www.example.com"), hex("f1e3c2e5f23a6ba0ab90f4ff"));
  EXPECT_EQ(decoded(hex("f1e3c2e5f23a6ba0ab90f4ff")), "www.example.com");
  EXPECT_EQ(encoded(""), hex(""));
  EXPECT_EQ(decoded(hex("")), "");
}

TEST(Huffman, every_pair_of_bytes_comes_back) {
  // Pairs, because the decoder takes two symbols at a time, in every mixture of lengths.
  for (int a = 0; a < 256; ++a) {
    for (int b = 0; b < 256; ++b) {
      const std::string text{static_cast<char>(a), static_cast<char>(b)};
      ASSERT_EQ(decoded(encoded(text)), text) << a << ' ' << b;
    }
  }
}

TEST(Huffman, random_strings_come_back) {
  http2::testing::RandomFields random(7541);
  for (int round = 0; round < 2000; ++round) {
    const std::string text = random.text(200);
    ASSERT_EQ(decoded(encoded(text)), text) << "round " << round;
  }
}

TEST(Huffman, eos_in_the_string_is_an_error) {  // [94]
  const std::string eos(30, '1');
  EXPECT_EQ(decoded(from_bits(eos)), std::nullopt);
  EXPECT_EQ(decoded(from_bits("00000" + eos + "00000")), std::nullopt) << "between two symbols";
  EXPECT_EQ(decoded(hex("ffffffff")), std::nullopt);
}

TEST(Huffman, padding_of_a_whole_byte_is_an_error) {  // [95]
  EXPECT_EQ(decoded(from_bits("00011")), "a") << "3 bits of padding are fine";
  EXPECT_EQ(decoded(hex("1fff")), std::nullopt) << "11 bits are not";
  EXPECT_EQ(decoded(hex("ff")), std::nullopt) << "padding alone: 8 bits";
  for (size_t size = 1; size < 8; ++size) {
    EXPECT_EQ(decoded(std::vector<uint8_t>(size, 0xff)), std::nullopt) << size;
  }
}

TEST(Huffman, padding_with_zeros_is_an_error) {  // [96]
  EXPECT_EQ(decoded(hex("18")), std::nullopt) << "'a' and 000";
  EXPECT_EQ(decoded(hex("1e")), std::nullopt) << "'a' and 110";
  EXPECT_EQ(decoded(hex("1f")), "a");
}

TEST(Huffman, a_code_that_ends_early_is_an_error) {
  // Every proper prefix of every long code, cut at a byte: what is left is no padding.
  for (int symbol = 0; symbol < 256; ++symbol) {
    const std::string text(1, static_cast<char>(symbol));
    std::vector<uint8_t> code = encoded(text);
    if (kLengths[symbol] <= 8) continue;
    code.pop_back();
    EXPECT_EQ(decoded(code), std::nullopt) << symbol;
  }
}

}  // namespace
}  // namespace gaggle::http2::huffman
