// SPDX-License-Identifier: Apache-2.0
// Bad blocks and hostile ones. Numbers in brackets are those of the catalogue of bad inputs.
#include "gaggle/http2/hpack_decoder.h"

#include <gtest/gtest.h>

#include <string>

#include "gaggle/http2/hpack_testing.h"

namespace gaggle::http2 {
namespace {

using testing::BlockWriter;
using testing::decode;
using testing::entries_of;
using testing::Fields;
using testing::hex;

struct BadBlock {
  const char* name;
  const char* block;
  HpackError error;
};

void PrintTo(const BadBlock& bad, std::ostream* out) { *out << bad.name; }

class HpackBadBlock : public ::testing::TestWithParam<BadBlock> {};

TEST_P(HpackBadBlock, is_a_compression_error) {
  HpackDecoder decoder;
  HeaderBlockRef block;
  EXPECT_EQ(decoder.decode(hex(GetParam().block), block), GetParam().error);
  EXPECT_FALSE(block) << "no block together with an error";
}

TEST_P(HpackBadBlock, is_one_behind_good_fields_too) {
  if (GetParam().error == HpackError::kTooManySizeUpdates) return;  // those are misplaced here
  const bool is_update = GetParam().error == HpackError::kSizeUpdateTooLarge;
  HpackDecoder decoder;
  HeaderBlockRef block;
  EXPECT_EQ(decoder.decode(BlockWriter().indexed(2).literal("a", "b").bytes(GetParam().block), block),
            is_update ? HpackError::kSizeUpdateMisplaced : GetParam().error);
}

INSTANTIATE_TEST_SUITE_P(
    Catalogue, HpackBadBlock,
    ::testing::Values(
        BadBlock{"87_index_0", "80", HpackError::kBadIndex},
        BadBlock{"88_index_far_beyond_the_tables", "ff 80 01", HpackError::kBadIndex},
        BadBlock{"89_literal_named_by_an_index_beyond_the_tables", "7f 80 01 01 61", HpackError::kBadIndex},
        BadBlock{"89_the_same_without_indexing", "0f 80 01 01 61", HpackError::kBadIndex},
        BadBlock{"90_integer_beyond_32_bits", "ff ff ff ff ff 7f", HpackError::kIntegerTooLarge},
        BadBlock{"90_first_integer_beyond_32_bits", "ff 81 ff ff ff 0f", HpackError::kIntegerTooLarge},
        BadBlock{"90_largest_integer_is_read_and_out_of_range", "ff 80 ff ff ff 0f", HpackError::kBadIndex},
        BadBlock{"91_endless_padding", "ff 80 80 80 80 80 80 80 80 80 80 00", HpackError::kIntegerTooLarge},
        BadBlock{"91_zeros_after_five_bytes", "ff 80 80 80 80 80 00", HpackError::kIntegerTooLarge},
        BadBlock{"92_value_longer_than_the_block", "40 01 61 05 62", HpackError::kTruncated},
        BadBlock{"92_name_longer_than_the_block", "40 05 61", HpackError::kTruncated},
        BadBlock{"93_string_of_4_GB", "40 01 61 7f 80 ff ff ff 0f 62", HpackError::kTruncated},
        BadBlock{"94_huffman_eos", "40 01 61 85 ff ff ff ff 1f", HpackError::kBadHuffman},
        BadBlock{"95_huffman_padding_of_11_bits", "40 01 61 82 1f ff", HpackError::kBadHuffman},
        BadBlock{"96_huffman_padding_of_zeros", "40 01 61 81 18", HpackError::kBadHuffman},
        BadBlock{"96_the_same_in_the_name", "40 81 18 01 61", HpackError::kBadHuffman},
        BadBlock{"97_size_update_above_the_setting", "3f e2 1f", HpackError::kSizeUpdateTooLarge},
        BadBlock{"99_three_size_updates", "20 21 22", HpackError::kTooManySizeUpdates},
        BadBlock{"106_ends_in_an_index", "ff", HpackError::kTruncated},
        BadBlock{"106_ends_after_the_first_byte_of_a_literal", "40", HpackError::kTruncated},
        BadBlock{"106_ends_after_the_name", "40 01 61", HpackError::kTruncated},
        BadBlock{"106_ends_in_the_length_of_the_value", "40 01 61 ff", HpackError::kTruncated}),
    [](const auto& each) { return std::string(each.param.name); });

TEST(HpackDecoder, size_update_after_a_field_is_an_error) {  // [98]
  HpackDecoder decoder;
  EXPECT_EQ(decode(decoder, hex("82 20")).error, HpackError::kSizeUpdateMisplaced);
}

TEST(HpackDecoder, index_just_beyond_the_table) {  // [88]
  HpackDecoder decoder;
  ASSERT_EQ(decode(decoder, BlockWriter().literal("a", "b")).error, HpackError::kOk);
  EXPECT_EQ(decode(decoder, BlockWriter().indexed(62)).fields, (Fields{{"a", "b"}}));
  EXPECT_EQ(decode(decoder, BlockWriter().indexed(63)).error, HpackError::kBadIndex);
}

TEST(HpackDecoder, after_our_setting_shrank_the_table_an_update_must_come_first) {  // [100]
  HpackDecoder decoder;
  ASSERT_EQ(decode(decoder, BlockWriter().literal("a", "b")).error, HpackError::kOk);
  decoder.set_table_size_limit(100);
  EXPECT_EQ(decode(decoder, BlockWriter().indexed(62)).error, HpackError::kMissingSizeUpdate);
  EXPECT_EQ(decode(decoder, {}).error, HpackError::kMissingSizeUpdate) << "an empty block is one, too";
}

TEST(HpackDecoder, an_update_to_the_new_setting_or_less_is_enough) {  // [100]
  HpackDecoder decoder;
  decoder.set_table_size_limit(100);
  EXPECT_EQ(decode(decoder, BlockWriter().size_update(60).indexed(2)).error, HpackError::kOk);
  EXPECT_EQ(decode(decoder, BlockWriter().indexed(2)).error, HpackError::kOk) << "once is enough";
  EXPECT_EQ(decode(decoder, BlockWriter().size_update(101).indexed(2)).error, HpackError::kSizeUpdateTooLarge);
}

TEST(HpackDecoder, lowered_and_raised_needs_the_smallest_first) {  // [100]
  const auto lowered_and_raised = [](std::span<const uint8_t> block) {
    HpackDecoder decoder;
    decoder.set_table_size_limit(100);
    decoder.set_table_size_limit(4096);
    return decode(decoder, block).error;
  };
  EXPECT_EQ(lowered_and_raised(BlockWriter().size_update(100).size_update(4096).indexed(2)), HpackError::kOk);
  EXPECT_EQ(lowered_and_raised(BlockWriter().size_update(4096).indexed(2)), HpackError::kMissingSizeUpdate);
  EXPECT_EQ(lowered_and_raised(BlockWriter().indexed(2)), HpackError::kMissingSizeUpdate);
}

TEST(HpackDecoder, a_raised_setting_changes_nothing_until_the_peer_uses_it) {
  HpackDecoder decoder;
  decoder.set_table_size_limit(8192);
  EXPECT_EQ(decode(decoder, BlockWriter().indexed(2)).error, HpackError::kOk);
  EXPECT_EQ(decoder.table().max_size_bytes(), 4096u);
  EXPECT_EQ(decode(decoder, BlockWriter().size_update(8192)).error, HpackError::kOk);
  EXPECT_EQ(decoder.table().max_size_bytes(), 8192u);
}

TEST(HpackDecoder, table_of_size_0_still_decodes) {  // [101]
  HpackDecoder decoder;
  ASSERT_EQ(decode(decoder, BlockWriter().literal("a", "b")).error, HpackError::kOk);
  const auto outcome = decode(decoder, BlockWriter().size_update(0).literal("c", "d").literal("e", "f").indexed(2));
  EXPECT_EQ(outcome.fields, (Fields{{"c", "d"}, {"e", "f"}, {":method", "GET"}}));
  EXPECT_EQ(decoder.table().count(), 0u) << "the update evicted one, the others never fitted";
  EXPECT_EQ(decode(decoder, BlockWriter().indexed(62)).error, HpackError::kBadIndex);
}

TEST(HpackDecoder, entry_larger_than_the_table_empties_it_and_is_delivered) {  // [102]
  HpackDecoder decoder;
  const std::string large(100, 'v');
  ASSERT_EQ(decode(decoder, BlockWriter().size_update(120).literal("x-name", "b")).error, HpackError::kOk);
  ASSERT_EQ(decoder.table().count(), 1u);
  // Its name is that of the entry which it evicts.
  const auto outcome = decode(decoder, BlockWriter().literal(62, large).literal("c", "d"));
  EXPECT_EQ(outcome.fields, (Fields{{"x-name", large}, {"c", "d"}}));
  EXPECT_EQ(entries_of(decoder.table()), (Fields{{"c", "d"}}));
}

TEST(HpackDecoder, an_entry_may_take_its_name_from_the_one_it_evicts) {
  // RFC 7541 §4.4: "A new entry can reference the name of an entry in the dynamic table that will
  // be evicted when adding this new entry".
  HpackDecoder decoder;
  const std::string value(40, 'v');
  ASSERT_EQ(decode(decoder, BlockWriter().size_update(80).literal("x-a", "old")).error, HpackError::kOk);
  EXPECT_EQ(decode(decoder, BlockWriter().literal(62, value)).fields, (Fields{{"x-a", value}}));
  EXPECT_EQ(entries_of(decoder.table()), (Fields{{"x-a", value}}));
}

TEST(HpackDecoder, evicts_the_oldest_first) {
  HpackDecoder decoder;
  BlockWriter block;
  block.size_update(3 * 34);
  for (const char* name : {"a", "b", "c", "d", "e"}) block.literal(name, "1");
  ASSERT_EQ(decode(decoder, block).error, HpackError::kOk);
  EXPECT_EQ(entries_of(decoder.table()), (Fields{{"e", "1"}, {"d", "1"}, {"c", "1"}}));
  ASSERT_EQ(decode(decoder, BlockWriter().size_update(67)).error, HpackError::kOk);
  EXPECT_EQ(entries_of(decoder.table()), (Fields{{"e", "1"}})) << "a smaller table evicts at once";
}

TEST(HpackDecoder, never_indexed_literal_is_delivered_and_marked) {  // [107]
  HpackDecoder decoder;
  HeaderBlockRef block;
  ASSERT_EQ(decoder.decode(BlockWriter()
                               .literal("authorization", "secret", Indexing::kNeverIndexed)
                               .literal("x-plain", "1", Indexing::kNoIndex),
                           block),
            HpackError::kOk);
  ASSERT_EQ(block->fields().size(), 2u);
  EXPECT_TRUE(block->fields()[0].never_indexed) << "whoever forwards it has to know";
  EXPECT_FALSE(block->fields()[1].never_indexed);
  EXPECT_EQ(decoder.table().count(), 0u);
}

TEST(HpackDecoder, fields_say_what_they_are) {
  HpackDecoder decoder;
  HeaderBlockRef block;
  ASSERT_EQ(decoder.decode(BlockWriter()
                               .indexed(3)
                               .literal(":x", "1")
                               .literal("grpc-timeout", "1S")
                               .literal("x-trace-bin", "AAA=")
                               .literal("cookie", "a")
                               .literal("cookie", "b"),
                           block),
            HpackError::kOk);
  EXPECT_EQ(block->fields()[0].id, HeaderName::kMethod);
  EXPECT_EQ(block->fields()[1].id, HeaderName::kOtherPseudo);
  EXPECT_EQ(block->fields()[2].id, HeaderName::kGrpcTimeout);
  EXPECT_TRUE(block->fields()[3].binary);
  EXPECT_FALSE(block->fields()[2].binary);
  EXPECT_EQ(block->repeated_names(), mask_of(HeaderName::kCookie));
  EXPECT_EQ(block->find(HeaderName::kCookie)->value, "a");
  EXPECT_EQ(block->find(HeaderName::kPath), nullptr);
  EXPECT_EQ(block->problems(), HeaderProblem::kNone);
}

TEST(HpackDecoder, problems_are_found_once_and_stay_with_the_entry) {
  HpackDecoder decoder;
  HeaderBlockRef block;
  const std::string nul("a\0b", 3);
  ASSERT_EQ(decoder.decode(BlockWriter().literal("X", "1").literal("b", nul).literal("c", " 1"), block),
            HpackError::kOk);
  constexpr uint8_t kAll =
      HeaderProblem::kUppercaseName | HeaderProblem::kBadValueCharacter | HeaderProblem::kPaddedValue;
  EXPECT_EQ(block->problems(), kAll);
  ASSERT_EQ(decoder.decode(BlockWriter().indexed(62), block), HpackError::kOk);
  EXPECT_EQ(block->problems(), HeaderProblem::kPaddedValue);
  ASSERT_EQ(decoder.decode(BlockWriter().literal(62, "fine"), block), HpackError::kOk);
  EXPECT_EQ(block->problems(), HeaderProblem::kNone) << "the value was bad, not the name";
  ASSERT_EQ(decoder.decode(BlockWriter().literal(65, "fine"), block), HpackError::kOk);
  EXPECT_EQ(block->problems(), HeaderProblem::kUppercaseName) << "the name is";
}

TEST(HpackDecoder, pseudo_headers_come_first) {
  HpackDecoder decoder;
  HeaderBlockRef block;
  ASSERT_EQ(decoder.decode(BlockWriter().indexed(2).literal("a", "b").indexed(4), block), HpackError::kOk);
  EXPECT_EQ(block->problems(), HeaderProblem::kPseudoAfterRegular);
}

// CVE-2016-1544 and its kin: a few bytes that stand for megabytes.
TEST(HpackDecoder, bomb_is_counted_and_not_stored) {  // [103]
  HpackDecoder decoder;
  const std::string large(3900, 'x');
  ASSERT_EQ(decode(decoder, BlockWriter().literal("bomb", large)).error, HpackError::kOk);
  BlockWriter bomb;
  for (int i = 0; i < 4000; ++i) bomb.indexed(62);
  bomb.literal("after", "the bomb");
  HeaderBlockRef block;
  ASSERT_EQ(decoder.decode(bomb, block), HpackError::kOk);
  EXPECT_TRUE(block->over_soft_limit());
  EXPECT_TRUE(block->over_hard_limit());
  EXPECT_TRUE(block->is_truncated());
  EXPECT_EQ(block->field_count(), 4001u);
  EXPECT_GT(block->list_size_bytes(), 15'000'000u);
  EXPECT_EQ(block->fields().size(), 4u) << "what fits into 16 KiB";
  block = nullptr;
  EXPECT_LT(decoder.memory_bytes(), 32'000u);
  // The last field was not stored, but the table has it: both sides still agree.
  EXPECT_EQ(decode(decoder, BlockWriter().indexed(62)).fields, (Fields{{"after", "the bomb"}}));
}

TEST(HpackDecoder, between_the_limits_everything_is_stored) {  // [104]
  HpackDecoder decoder;
  HeaderBlockRef block;
  ASSERT_EQ(decoder.decode(BlockWriter().literal("a", std::string(10'000, 'x'), Indexing::kNoIndex), block),
            HpackError::kOk);
  EXPECT_TRUE(block->over_soft_limit());
  EXPECT_FALSE(block->over_hard_limit());
  EXPECT_FALSE(block->is_truncated());
  EXPECT_EQ(block->fields().size(), 1u);
}

TEST(HpackDecoder, after_a_rejected_block_the_next_decodes_exactly) {  // [105], CVE-2024-7246
  // The same sequence for a decoder with small limits and for one without: after the blocks that
  // only the first calls too large, both know the same.
  HpackDecoder small({.max_fields = 3, .soft_limit_bytes = 100, .hard_limit_bytes = 200});
  HpackDecoder large;
  testing::RandomFields random(105);
  HpackEncoder encoder;
  int rejected = 0;
  for (int round = 0; round < 500; ++round) {
    const Fields fields = random.list(8);
    OutputBuffer out;
    encoder.encode(to_send(fields, random), out);
    HeaderBlockRef block;
    ASSERT_EQ(small.decode(out.bytes(), block), HpackError::kOk);
    ASSERT_EQ(decode(large, out.bytes()).fields, fields);
    ASSERT_EQ(entries_of(small.table()), entries_of(large.table())) << "round " << round;
    if (block->is_truncated()) {
      ++rejected;
    } else {
      ASSERT_EQ(testing::fields_of(*block), fields);
    }
  }
  EXPECT_GT(rejected, 50);
}

TEST(HpackDecoder, too_many_fields_are_counted) {  // [108]
  HpackDecoder decoder({.soft_limit_bytes = 1 << 20, .hard_limit_bytes = 1 << 20});
  BlockWriter block;
  for (int i = 0; i < 1000; ++i) block.literal("x-" + std::to_string(i), "v");
  HeaderBlockRef decoded;
  ASSERT_EQ(decoder.decode(block, decoded), HpackError::kOk);
  EXPECT_TRUE(decoded->too_many_fields());
  EXPECT_EQ(decoded->fields().size(), 128u);
  EXPECT_EQ(decoded->field_count(), 1000u);
  EXPECT_EQ(decoder.table()[0].name(), "x-999") << "the table goes on";
}

TEST(HpackDecoder, bad_huffman_in_a_dropped_field_is_still_an_error) {
  HpackDecoder decoder({.max_fields = 1});
  EXPECT_EQ(decode(decoder, BlockWriter().indexed(2).indexed(4).bytes("00 01 61 81 18")).error,
            HpackError::kBadHuffman);
}

TEST(HpackDecoder, empty_strings_and_empty_blocks) {
  HpackDecoder decoder;
  EXPECT_EQ(decode(decoder, {}).error, HpackError::kOk);
  const auto outcome = decode(decoder, hex("40 00 00  00 80 80  10 00 00"));
  EXPECT_EQ(outcome.fields, (Fields{{"", ""}, {"", ""}, {"", ""}}));
  EXPECT_EQ(decode(decoder, BlockWriter().indexed(62)).fields, (Fields{{"", ""}}));
}

TEST(HpackDecoder, steady_state_keeps_its_memory) {
  // grpc-go with deadlines: a new grpc-timeout in each block, and the table is full all the time.
  HpackDecoder decoder;
  HpackEncoder encoder;
  size_t after_warm_up = 0;
  for (int call = 0; call < 2000; ++call) {
    const std::string timeout = std::to_string(99'000'000 + call * 17) + "n";
    OutputBuffer out;
    encoder.encode(std::vector<HeaderOut>{{":method", "POST", HeaderName::kMethod},
                                          {":path", "/groupcachepb.GroupCache/Get", HeaderName::kPath},
                                          {"grpc-timeout", timeout, HeaderName::kGrpcTimeout}},
                   out);
    ASSERT_EQ(decode(decoder, out.bytes()).fields.back().second, timeout);
    if (call == 200) after_warm_up = decoder.memory_bytes();
  }
  EXPECT_EQ(decoder.memory_bytes(), after_warm_up);
  EXPECT_GT(decoder.table().size_bytes(), 4000u);
}

TEST(HpackDecoder, idle_memory_is_what_the_protocol_needs) {
  HpackDecoder decoder;
  HpackEncoder encoder;
  for (int call = 0; call < 10; ++call) {
    OutputBuffer out;
    encoder.encode(std::vector<HeaderOut>{{":method", "POST"},
                                          {":path", "/groupcachepb.GroupCache/Get"},
                                          {":authority", "127.0.0.1:50051"},
                                          {"content-type", "application/grpc"},
                                          {"user-agent", "grpc-go/1.80.0"},
                                          {"te", "trailers"}},
                   out);
    ASSERT_EQ(decode(decoder, out.bytes()).error, HpackError::kOk);
  }
  decoder.release_idle_memory();
  encoder.release_idle_memory();
  EXPECT_LT(decoder.memory_bytes(), 800u);
  EXPECT_EQ(encoder.memory_bytes(), 0u);
  EXPECT_LE(sizeof decoder + sizeof encoder, 128u);
}

}  // namespace
}  // namespace gaggle::http2
