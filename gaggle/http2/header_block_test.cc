// SPDX-License-Identifier: Apache-2.0
#include "gaggle/http2/header_block.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>

#include "gaggle/http2/hpack_testing.h"

namespace gaggle::http2 {
namespace {

using testing::BlockWriter;
using testing::Fields;
using testing::fields_of;

HeaderBlockRef decode_block(HpackDecoder& decoder, const BlockWriter& block) {
  HeaderBlockRef decoded;
  EXPECT_EQ(decoder.decode(block, decoded), HpackError::kOk);
  return decoded;
}

TEST(HeaderBlock, views_outlive_eviction) {
  HpackDecoder decoder;
  const std::string value(100, 'v');
  const HeaderBlockRef first = decode_block(decoder, BlockWriter().literal("x-first", value));
  const HeaderBlockRef again = decode_block(decoder, BlockWriter().indexed(62));
  const HeaderBlockRef named = decode_block(decoder, BlockWriter().literal(62, "y", Indexing::kNoIndex));
  decode_block(decoder, BlockWriter().size_update(0));
  decode_block(decoder, BlockWriter().size_update(4096).literal("x-other", std::string(100, 'o')));
  EXPECT_EQ(fields_of(*first), (Fields{{"x-first", value}}));
  EXPECT_EQ(fields_of(*again), (Fields{{"x-first", value}}));
  EXPECT_EQ(fields_of(*named), (Fields{{"x-first", "y"}})) << "borrows its name only";
}

TEST(HeaderBlock, outlives_the_decoder) {
  std::optional<HpackDecoder> decoder(std::in_place);
  HeaderBlockRef kept = decode_block(*decoder, BlockWriter().literal("a", "b").literal("c", "d", Indexing::kNoIndex));
  const HeaderBlockRef other = decode_block(*decoder, BlockWriter().indexed(62));
  decoder.reset();
  EXPECT_EQ(fields_of(*kept), (Fields{{"a", "b"}, {"c", "d"}}));
  EXPECT_EQ(fields_of(*other), (Fields{{"a", "b"}}));
  kept = nullptr;
  EXPECT_EQ(fields_of(*other), (Fields{{"a", "b"}}));
}

TEST(HeaderBlock, may_hang_on_another_block_of_a_dead_decoder) {
  struct Holder : HeaderBlock::Attachment {
    explicit Holder(HeaderBlockRef block) : block_(std::move(block)) {}
    HeaderBlockRef block_;
  };
  std::optional<HpackDecoder> decoder(std::in_place, HpackDecoderOptions{.memo = false});
  const HeaderBlockRef outer = decode_block(*decoder, BlockWriter().indexed(2));
  outer->set_attachment(std::make_unique<Holder>(decode_block(*decoder, BlockWriter().literal("a", "b"))));
  decoder.reset();  // what is checked: the pool ends once, with the last of the two
}

TEST(HeaderBlock, is_recycled_clean) {
  HpackDecoder decoder({.memo = false});
  HeaderBlockRef block =
      decode_block(decoder, BlockWriter().literal("X", " ").literal("cookie", "1").literal("cookie", "2"));
  EXPECT_NE(block->problems(), 0);
  const HeaderBlock* const address = block.get();
  block = nullptr;
  block = decode_block(decoder, BlockWriter().indexed(2));
  ASSERT_EQ(block.get(), address) << "the pool gives back what it got last";
  EXPECT_EQ(block->problems(), 0);
  EXPECT_EQ(block->names(), mask_of(HeaderName::kMethod));
  EXPECT_EQ(block->repeated_names(), 0u);
  EXPECT_EQ(block->field_count(), 1u);
  EXPECT_EQ(block->list_size_bytes(), 7u + 3 + 32);
}

TEST(HeaderBlock, large_ones_are_not_kept) {
  HpackDecoder decoder({.memo = false});
  for (int i = 0; i < 20; ++i) {
    decode_block(decoder, BlockWriter().literal("a", std::string(8000, 'x'), Indexing::kNoIndex));
  }
  EXPECT_LT(decoder.memory_bytes(), 1000u);
}

}  // namespace
}  // namespace gaggle::http2
