// SPDX-License-Identifier: Apache-2.0
#include "gaggle/http2/hpack_encoder.h"

#include <gtest/gtest.h>

#include "gaggle/http2/hpack_testing.h"

namespace gaggle::http2 {
namespace {

using testing::BlockWriter;
using testing::decode;
using testing::Fields;

std::vector<uint8_t> encode(HpackEncoder& encoder, std::vector<HeaderOut> fields) {
  OutputBuffer out;
  encoder.encode(fields, out);
  return {out.bytes().begin(), out.bytes().end()};
}

std::vector<uint8_t> bytes_of(const BlockWriter& block) { return {block.block().begin(), block.block().end()}; }

TEST(HpackEncoder, what_was_indexed_once_takes_one_byte) {
  HpackEncoder encoder;
  const HeaderOut path{":path", "/groupcachepb.GroupCache/Get", HeaderName::kPath};
  EXPECT_GT(encode(encoder, {path}).size(), 10u);
  EXPECT_EQ(encode(encoder, {path}), bytes_of(BlockWriter().indexed(62)));
}

TEST(HpackEncoder, indexing_is_the_callers_choice) {
  HpackEncoder encoder;
  EXPECT_EQ(encode(encoder, {{"grpc-timeout", "99m", HeaderName::kGrpcTimeout, Indexing::kNoIndex}}),
            bytes_of(BlockWriter().literal("grpc-timeout", "99m", Indexing::kNoIndex)));
  EXPECT_EQ(encode(encoder, {{"x-token", "secret", HeaderName::kOther, Indexing::kNeverIndexed}}),
            bytes_of(BlockWriter().literal("x-token", "secret", Indexing::kNeverIndexed)));
  EXPECT_EQ(encoder.table().count(), 0u);
}

TEST(HpackEncoder, never_indexed_is_said_even_if_the_tables_have_the_field) {
  HpackEncoder encoder;
  encode(encoder, {{"x-token", "secret"}});
  EXPECT_EQ(encode(encoder, {{"x-token", "secret", HeaderName::kOther, Indexing::kNeverIndexed}}),
            bytes_of(BlockWriter().literal(62, "secret", Indexing::kNeverIndexed)));
}

TEST(HpackEncoder, names_are_indexed_apart_from_values) {
  HpackEncoder encoder;
  encode(encoder, {{"x-id", "1"}});
  EXPECT_EQ(encode(encoder, {{"x-id", "2", HeaderName::kOther, Indexing::kNoIndex}}),
            bytes_of(BlockWriter().literal(62, "2", Indexing::kNoIndex)));
  EXPECT_EQ(encode(encoder, {{"accept-language", "de", HeaderName::kOther, Indexing::kNoIndex}}),
            bytes_of(BlockWriter().literal(17, "de", Indexing::kNoIndex)));
}

TEST(HpackEncoder, huffman_where_it_pays) {
  const std::string text = "www.example.com";
  const HeaderOut indexed{"x", text};
  const HeaderOut plain{"x", text, HeaderName::kOther, Indexing::kNoIndex};
  const std::string no_gain = "XZ{}<>";
  const auto size = [](HuffmanUse use, const HeaderOut& field) {
    HpackEncoder encoder({.huffman = use});
    return encode(encoder, {field}).size();
  };
  EXPECT_EQ(size(HuffmanUse::kNever, indexed), 3 + 1 + 15u);
  EXPECT_EQ(size(HuffmanUse::kIndexed, indexed), 3 + 1 + 12u);
  EXPECT_EQ(size(HuffmanUse::kIndexed, plain), 3 + 1 + 15u);
  EXPECT_EQ(size(HuffmanUse::kAlways, plain), 3 + 1 + 12u);
  EXPECT_EQ(size(HuffmanUse::kAlways, {"x", no_gain}), 3 + 1 + 6u) << "never longer than without";
}

TEST(HpackEncoder, huge_fields_do_not_empty_the_table) {
  HpackEncoder encoder;
  HpackDecoder decoder;
  EXPECT_EQ(decode(decoder, encode(encoder, {{"a", "b"}})).error, HpackError::kOk);
  const std::string huge(5000, 'x');
  EXPECT_EQ(decode(decoder, encode(encoder, {{"huge", huge}})).fields, (Fields{{"huge", huge}}));
  EXPECT_EQ(encode(encoder, {{"a", "b"}}), bytes_of(BlockWriter().indexed(62)));
}

TEST(HpackEncoder, size_updates_come_first_in_the_next_block) {
  HpackEncoder encoder;
  encoder.set_peer_table_size(100);
  EXPECT_EQ(encode(encoder, {{":method", "GET"}}), bytes_of(BlockWriter().size_update(100).indexed(2)));
  EXPECT_EQ(encode(encoder, {{":method", "GET"}}), bytes_of(BlockWriter().indexed(2))) << "and only there";
}

TEST(HpackEncoder, lowered_and_raised_takes_two_updates) {
  HpackEncoder encoder;
  encoder.set_peer_table_size(100);
  encoder.set_peer_table_size(0);
  encoder.set_peer_table_size(2000);
  EXPECT_EQ(encode(encoder, {{":method", "GET"}}), bytes_of(BlockWriter().size_update(0).size_update(2000).indexed(2)));
  encoder.set_peer_table_size(4096);
  EXPECT_EQ(encode(encoder, {{":method", "GET"}}), bytes_of(BlockWriter().size_update(4096).indexed(2)));
}

TEST(HpackEncoder, after_a_quiet_time_it_begins_anew_and_says_so) {
  HpackEncoder encoder;
  HpackDecoder decoder;
  EXPECT_EQ(encoder.memory_bytes(), 0u) << "nothing before the first block";
  const auto arrives = [&] { return decode(decoder, encode(encoder, {{"a", "b"}})).fields == Fields{{"a", "b"}}; };
  EXPECT_TRUE(arrives());
  encoder.release_idle_memory();
  EXPECT_EQ(encoder.memory_bytes(), 0u);
  encoder.set_peer_table_size(50);
  encoder.set_peer_table_size(100);
  decoder.set_table_size_limit(50);
  decoder.set_table_size_limit(100);
  EXPECT_TRUE(arrives()) << "the decoder insists on hearing of the smaller table";
  EXPECT_EQ(testing::entries_of(encoder.table()), testing::entries_of(decoder.table()));
  EXPECT_EQ(encoder.table().max_size_bytes(), 100u) << "what changed in the meantime holds";
}

TEST(HpackEncoder, a_larger_offer_than_ours_changes_nothing) {
  HpackEncoder encoder;
  encoder.set_peer_table_size(65536);
  EXPECT_EQ(encode(encoder, {{":method", "GET"}}), bytes_of(BlockWriter().indexed(2)));
  EXPECT_EQ(encoder.table().max_size_bytes(), 4096u) << "the peer may not choose how much we keep";
}

TEST(HpackEncoder, our_own_smaller_table_is_announced) {
  HpackEncoder encoder({.max_table_size_bytes = 0});
  EXPECT_EQ(encode(encoder, {{":method", "GET"}}), bytes_of(BlockWriter().size_update(0).indexed(2)));
  EXPECT_EQ(encode(encoder, {{"a", "b"}}), bytes_of(BlockWriter().literal("a", "b", Indexing::kNoIndex)));
}

TEST(HpackEncoder, decoder_gets_back_what_went_in_whatever_the_table_does) {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    testing::RandomFields random(seed);
    HpackEncoder encoder({.huffman = static_cast<HuffmanUse>(random.below(3))});
    HpackDecoder decoder({.max_fields = 1000, .soft_limit_bytes = 1 << 20, .hard_limit_bytes = 1 << 20});
    for (int round = 0; round < 300; ++round) {
      while (random.one_in(15)) {
        const auto size = static_cast<uint32_t>(random.below(random.one_in(2) ? 200 : 6000));
        decoder.set_table_size_limit(size);
        encoder.set_peer_table_size(size);
      }
      const Fields fields = random.list(12);
      OutputBuffer out;
      encoder.encode(to_send(fields, random), out);
      const testing::Outcome outcome = decode(decoder, out.bytes());
      ASSERT_EQ(outcome, (testing::Outcome{.fields = fields})) << "seed " << seed << " round " << round;
      ASSERT_EQ(testing::entries_of(encoder.table()), testing::entries_of(decoder.table()));
    }
  }
}

}  // namespace
}  // namespace gaggle::http2
