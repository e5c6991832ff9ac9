// SPDX-License-Identifier: Apache-2.0
// The same blocks through libnghttp2 and through us: same verdict, same fields, same table size.
#include <gtest/gtest.h>

#include "gaggle/http2/hpack_nghttp2_testing.h"
#include "gaggle/http2/hpack_testing.h"

namespace gaggle::http2 {
namespace {

using testing::Fields;
using testing::Nghttp2Deflater;
using testing::Nghttp2Inflater;
using testing::Outcome;

constexpr HpackDecoderOptions kNoLimits{
    .max_fields = 100'000, .soft_limit_bytes = 1 << 30, .hard_limit_bytes = 1 << 30};

TEST(HpackAndNghttp2, it_reads_what_we_write) {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    testing::RandomFields random(seed);
    HpackEncoder encoder({.huffman = static_cast<HuffmanUse>(random.below(3))});
    Nghttp2Inflater inflater;
    for (int round = 0; round < 300; ++round) {
      while (random.one_in(15)) {
        const auto size = static_cast<uint32_t>(random.below(6000));
        inflater.set_table_size_limit(size);
        encoder.set_peer_table_size(size);
      }
      const Fields fields = random.list(12);
      OutputBuffer out;
      encoder.encode(to_send(fields, random), out);
      ASSERT_EQ(inflater.decode(out.bytes()), fields) << "seed " << seed << " round " << round;
      ASSERT_EQ(inflater.table_bytes(), encoder.table().size_bytes());
    }
  }
}

TEST(HpackAndNghttp2, we_read_what_it_writes) {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    testing::RandomFields random(seed);
    Nghttp2Deflater deflater;
    HpackDecoder decoder(kNoLimits);
    for (int round = 0; round < 300; ++round) {
      while (random.one_in(15)) {
        const auto size = static_cast<uint32_t>(random.below(6000));
        decoder.set_table_size_limit(size);
        deflater.set_peer_table_size(size);
      }
      const Fields fields = random.list(12);
      const std::vector<uint8_t> block = deflater.encode(fields, random.one_in(10));
      ASSERT_EQ(testing::decode(decoder, block), (Outcome{.fields = fields})) << "seed " << seed << " round " << round;
    }
  }
}

// Compares one block; false when both call it an error, and neither may be used again.
bool agree(HpackDecoder& decoder, Nghttp2Inflater& inflater, std::span<const uint8_t> block) {
  const Outcome ours = testing::decode(decoder, block);
  const std::optional<Fields> theirs = inflater.decode(block);
  if (ours.error != HpackError::kOk) {
    EXPECT_TRUE(!theirs || testing::is_allowed_difference(ours.error)) << "only we call it an error: " << ours.error;
    return false;
  }
  EXPECT_TRUE(theirs) << "only nghttp2 calls it an error; to us it is " << ours;
  if (!theirs) return false;
  EXPECT_EQ(ours.fields, *theirs);
  EXPECT_EQ(decoder.table().size_bytes(), inflater.table_bytes());
  return true;
}

TEST(HpackAndNghttp2, same_verdict_on_random_bytes) {
  testing::RandomFields random(9113);
  int good = 0;
  for (int round = 0; round < 50'000; ++round) {
    HpackDecoder decoder(kNoLimits);
    Nghttp2Inflater inflater;
    for (int more = 0; more < 4; ++more) {
      const std::vector<uint8_t> block = random.bytes(random.below(12));
      if (!agree(decoder, inflater, block)) break;
      ++good;
    }
    ASSERT_FALSE(HasFailure()) << "round " << round;
  }
  EXPECT_GT(good, 5'000);
}

TEST(HpackAndNghttp2, same_verdict_on_damaged_blocks) {
  testing::RandomFields random(7541);
  int good = 0;
  for (int round = 0; round < 6'000; ++round) {
    HpackDecoder decoder(kNoLimits);
    Nghttp2Inflater inflater;
    HpackEncoder encoder({.huffman = HuffmanUse::kAlways});
    for (int more = 0; more < 6; ++more) {
      if (random.one_in(6)) {
        const auto size = static_cast<uint32_t>(random.below(6000));
        decoder.set_table_size_limit(size);
        inflater.set_table_size_limit(size);
        if (random.one_in(2)) encoder.set_peer_table_size(size);
      }
      OutputBuffer out;
      encoder.encode(to_send(random.list(6), random), out);
      std::vector<uint8_t> block(out.bytes().begin(), out.bytes().end());
      if (!block.empty() && random.one_in(3)) {
        block[random.below(block.size())] ^= static_cast<uint8_t>(1u << random.below(8));
      }
      if (random.one_in(20)) block.resize(random.below(block.size() + 1));
      if (!agree(decoder, inflater, block)) break;
      ++good;
    }
    ASSERT_FALSE(HasFailure()) << "round " << round;
  }
  EXPECT_GT(good, 5'000);
}

}  // namespace
}  // namespace gaggle::http2
