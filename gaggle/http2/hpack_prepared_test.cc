// SPDX-License-Identifier: Apache-2.0
#include "gaggle/http2/hpack_prepared.h"

#include <gtest/gtest.h>

#include "gaggle/http2/hpack_testing.h"

namespace gaggle::http2 {
namespace {

using testing::decode;
using testing::Fields;

PreparedHeaders response_headers(uint32_t slot) {
  return PreparedHeaders(slot, {{":status", "200"}, {"content-type", "application/grpc"}});
}

size_t encoded_bytes(HpackEncoder& encoder, HpackDecoder& decoder, const PreparedHeaders& prepared) {
  OutputBuffer out;
  encoder.encode(prepared, out);
  Fields expected;
  for (const HeaderOut& field : prepared.fields()) expected.emplace_back(field.name, field.value);
  EXPECT_EQ(decode(decoder, out.bytes()).fields, expected);
  return out.size();
}

TEST(PreparedHeaders, own_their_bytes_and_know_their_names) {
  std::string value = "application/grpc";
  const PreparedHeaders prepared(0, {{"content-type", value}});
  value.assign(value.size(), '!');
  EXPECT_EQ(prepared.fields()[0].value, "application/grpc");
  EXPECT_EQ(prepared.fields()[0].id, HeaderName::kContentType) << "looked up without being told";
  EXPECT_EQ(prepared.list_size_bytes(), 12u + 16 + 32);
}

TEST(PreparedHeaders, take_a_byte_per_field_from_the_second_time_on) {
  HpackEncoder encoder;
  HpackDecoder decoder;
  const PreparedHeaders prepared = response_headers(0);
  EXPECT_GT(encoded_bytes(encoder, decoder, prepared), 10u);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(encoded_bytes(encoder, decoder, prepared), 2u);
}

TEST(PreparedHeaders, are_encoded_anew_when_the_table_has_changed) {
  HpackEncoder encoder;
  HpackDecoder decoder;
  const PreparedHeaders prepared = response_headers(0);
  for (int i = 0; i < 3; ++i) encoded_bytes(encoder, decoder, prepared);
  OutputBuffer out;
  encoder.encode(std::vector<HeaderOut>{{"x-new", "1"}}, out);  // moves every index by one
  ASSERT_EQ(decode(decoder, out.bytes()).error, HpackError::kOk);
  EXPECT_EQ(encoded_bytes(encoder, decoder, prepared), 2u);
}

TEST(PreparedHeaders, two_in_one_slot_are_told_apart) {
  HpackEncoder encoder;
  HpackDecoder decoder;
  const PreparedHeaders a = response_headers(1);
  const PreparedHeaders b(1 + HpackEncoder::kPreparedSlots, {{"grpc-status", "0"}});
  for (int i = 0; i < 4; ++i) {
    encoded_bytes(encoder, decoder, a);
    encoded_bytes(encoder, decoder, b);
  }
}

TEST(PreparedHeaders, a_new_list_at_the_old_address_is_not_mistaken) {
  HpackEncoder encoder;
  HpackDecoder decoder;
  PreparedHeaders prepared = response_headers(2);
  for (int i = 0; i < 3; ++i) encoded_bytes(encoder, decoder, prepared);
  prepared = PreparedHeaders(2, {{"grpc-status", "5"}, {"grpc-message", "gone"}});
  for (int i = 0; i < 3; ++i) encoded_bytes(encoder, decoder, prepared);
}

TEST(PreparedHeaders, mean_the_same_as_their_fields) {
  // An encoder that gets lists prepared, and one that gets them plain, must write the same bytes,
  // whatever comes between: settings, other blocks, releases.
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    testing::RandomFields random(seed);
    HpackEncoder with;
    HpackEncoder without;
    std::vector<PreparedHeaders> lists;
    for (uint32_t slot = 0; slot < 20; ++slot) {
      const Fields fields = random.list(4);
      lists.emplace_back(slot, to_send(fields, random));
    }
    for (int round = 0; round < 500; ++round) {
      if (random.one_in(60)) {
        const auto size = static_cast<uint32_t>(random.below(3000));
        with.set_peer_table_size(size);
        without.set_peer_table_size(size);
      }
      if (random.one_in(100)) {
        with.release_idle_memory();
        without.release_idle_memory();
      }
      // Mostly the same few lists, so that the cache is used.
      const PreparedHeaders& prepared = lists[random.one_in(10) ? random.below(20) : random.below(3)];
      const Fields rest = random.one_in(10) ? random.list(3) : Fields{};
      const std::vector<HeaderOut> more = to_send(rest, random);
      std::vector<HeaderOut> all(prepared.fields().begin(), prepared.fields().end());
      all.insert(all.end(), more.begin(), more.end());
      OutputBuffer a;
      OutputBuffer b;
      with.encode(prepared, more, a);
      without.encode(all, b);
      ASSERT_TRUE(std::ranges::equal(a.bytes(), b.bytes())) << "seed " << seed << " round " << round;
    }
  }
}

}  // namespace
}  // namespace gaggle::http2
