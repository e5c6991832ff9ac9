// SPDX-License-Identifier: Apache-2.0
#include "gaggle/http2/hpack_memo.h"

#include <gtest/gtest.h>

#include <memory>

#include "gaggle/http2/hpack_testing.h"

namespace gaggle::http2 {
namespace {

using testing::BlockWriter;
using testing::decode;
using testing::Fields;

HeaderBlockRef decode_block(HpackDecoder& decoder, std::span<const uint8_t> block) {
  HeaderBlockRef decoded;
  EXPECT_EQ(decoder.decode(block, decoded), HpackError::kOk);
  return decoded;
}

TEST(HpackMemo, the_same_block_again_is_the_same_object) {
  HpackDecoder decoder;
  const BlockWriter block = BlockWriter().indexed(3).literal(":path", "/a", Indexing::kNoIndex);
  const HeaderBlockRef first = decode_block(decoder, block);
  EXPECT_EQ(decode_block(decoder, block), first);
  EXPECT_EQ(decoder.memo_hits(), 1u);
}

TEST(HpackMemo, what_hangs_on_a_block_is_there_the_next_time) {
  struct Parsed : HeaderBlock::Attachment {
    explicit Parsed(int& destroyed) : destroyed_(destroyed) {}
    ~Parsed() override { ++destroyed_; }
    int& destroyed_;
  };
  int destroyed = 0;
  HpackDecoder decoder;
  const BlockWriter block = BlockWriter().indexed(3).indexed(4);
  const HeaderBlock::Attachment* attached = nullptr;
  {
    const HeaderBlockRef first = decode_block(decoder, block);
    EXPECT_EQ(first->attachment(), nullptr);
    first->set_attachment(std::make_unique<Parsed>(destroyed));
    attached = first->attachment();
  }
  EXPECT_EQ(decode_block(decoder, block)->attachment(), attached);
  EXPECT_EQ(destroyed, 0);
  decoder.release_idle_memory();
  EXPECT_EQ(destroyed, 1) << "with the last reference, the attachment goes";
  EXPECT_EQ(decode_block(decoder, block)->attachment(), nullptr) << "a recycled block has none";
}

TEST(HpackMemo, a_block_that_inserts_is_decoded_each_time) {
  HpackDecoder decoder;
  const BlockWriter block = BlockWriter().literal("a", "b");
  const HeaderBlockRef first = decode_block(decoder, block);
  EXPECT_NE(decode_block(decoder, block), first);
  EXPECT_EQ(decoder.table().count(), 2u) << "the second time counts, too";
}

TEST(HpackMemo, an_insertion_between_changes_what_the_same_bytes_mean) {
  HpackDecoder decoder;
  const BlockWriter newest = BlockWriter().indexed(62);
  decode_block(decoder, BlockWriter().literal("a", "old"));
  EXPECT_EQ(decode(decoder, newest).fields, (Fields{{"a", "old"}}));
  decode_block(decoder, BlockWriter().literal("a", "new"));
  EXPECT_EQ(decode(decoder, newest).fields, (Fields{{"a", "new"}}));
}

TEST(HpackMemo, a_size_update_between_may_make_the_same_bytes_an_error) {
  HpackDecoder decoder;
  const BlockWriter newest = BlockWriter().indexed(62);
  decode_block(decoder, BlockWriter().literal("a", "b"));
  decode_block(decoder, newest);
  decode_block(decoder, BlockWriter().size_update(0));
  EXPECT_EQ(decode(decoder, newest).error, HpackError::kBadIndex);
}

TEST(HpackMemo, a_setting_between_may_make_the_same_bytes_an_error) {
  HpackDecoder decoder;
  const BlockWriter block = BlockWriter().indexed(3);
  decode_block(decoder, block);
  decoder.set_table_size_limit(10);
  EXPECT_EQ(decode(decoder, block).error, HpackError::kMissingSizeUpdate);
}

TEST(HpackMemo, an_entry_too_large_for_the_table_is_a_change) {
  HpackDecoder decoder;
  decode_block(decoder, BlockWriter().size_update(64).literal("a", "b"));
  decode_block(decoder, BlockWriter().indexed(62));
  const BlockWriter too_large = BlockWriter().literal("a", std::string(64, 'x'));
  decode_block(decoder, too_large);
  EXPECT_EQ(decode(decoder, BlockWriter().indexed(62)).error, HpackError::kBadIndex);
}

TEST(HpackMemo, blocks_that_begin_alike_are_told_apart) {
  HpackDecoder decoder;
  const std::string long_prefix(40, 'x');
  const BlockWriter a = BlockWriter().literal(4, long_prefix + "a", Indexing::kNoIndex);
  const BlockWriter b = BlockWriter().literal(4, long_prefix + "b", Indexing::kNoIndex);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(decode(decoder, a).fields, (Fields{{":path", long_prefix + "a"}}));
    EXPECT_EQ(decode(decoder, b).fields, (Fields{{":path", long_prefix + "b"}}));
  }
  EXPECT_EQ(decoder.memo_hits(), 4u);
}

TEST(HpackMemo, is_bounded) {
  HpackDecoder decoder;
  for (int i = 0; i < 100; ++i) {
    decode(decoder, BlockWriter().literal(4, "/" + std::to_string(i), Indexing::kNoIndex));
  }
  EXPECT_EQ(decoder.memo_hits(), 0u);
  // The newest eight are there, the ones before aren't.
  decode(decoder, BlockWriter().literal(4, "/92", Indexing::kNoIndex));
  EXPECT_EQ(decoder.memo_hits(), 1u);
  decode(decoder, BlockWriter().literal(4, "/91", Indexing::kNoIndex));
  EXPECT_EQ(decoder.memo_hits(), 1u);
  const std::string long_value(300, 'x');
  decode(decoder, BlockWriter().literal(4, long_value, Indexing::kNoIndex));
  decode(decoder, BlockWriter().literal(4, long_value, Indexing::kNoIndex));
  EXPECT_EQ(decoder.memo_hits(), 1u) << "long blocks are not kept";
}

TEST(HpackMemo, blocks_over_a_limit_are_not_kept) {
  HpackDecoder decoder({.max_fields = 1});
  const BlockWriter block = BlockWriter().indexed(2).indexed(4);
  EXPECT_TRUE(decode_block(decoder, block)->too_many_fields());
  EXPECT_TRUE(decode_block(decoder, block)->too_many_fields());
  EXPECT_EQ(decoder.memo_hits(), 0u);
}

// The one property that matters: with the memo and without it, the same sequence of blocks,
// settings and releases means the same.
TEST(HpackMemo, never_returns_what_decoding_would_not) {
  uint64_t hits = 0;
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    testing::RandomFields random(seed);
    HpackDecoder with;
    HpackDecoder without({.memo = false});
    std::vector<BlockWriter> blocks;  // few and small, so that they come again in other states
    for (int i = 0; i < 12; ++i) {
      BlockWriter block;
      if (random.one_in(6)) block.size_update(static_cast<uint32_t>(random.below(300)));
      for (size_t n = random.below(4); n > 0; --n) {
        if (random.one_in(4)) {
          block.literal(random.one_in(2) ? "a" : "b", random.text(20), random.indexing());
        } else {
          block.indexed(static_cast<uint32_t>(random.one_in(2) ? 1 + random.below(61) : 62 + random.below(3)));
        }
      }
      blocks.push_back(block);
    }
    for (int round = 0; round < 1000; ++round) {
      if (random.one_in(50)) {
        const auto limit = static_cast<uint32_t>(300 + random.below(200));
        with.set_table_size_limit(limit);
        without.set_table_size_limit(limit);
      }
      if (random.one_in(100)) with.release_idle_memory();
      // Often one of a few, so that something can be remembered before the table changes.
      const BlockWriter& block = blocks[random.below(random.one_in(4) ? blocks.size() : 2)];
      ASSERT_EQ(decode(with, block), decode(without, block)) << "seed " << seed << " round " << round;
      ASSERT_EQ(testing::entries_of(with.table()), testing::entries_of(without.table()));
    }
    EXPECT_EQ(without.memo_hits(), 0u);
    hits += with.memo_hits();
  }
  EXPECT_GT(hits, 5000u) << "a test without hits proves nothing";
}

}  // namespace
}  // namespace gaggle::http2
