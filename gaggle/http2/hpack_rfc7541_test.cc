// SPDX-License-Identifier: Apache-2.0
// The examples of RFC 7541 Appendix C, block by block: what comes out, and what the dynamic table
// holds afterwards.
#include <gtest/gtest.h>

#include "gaggle/http2/hpack_testing.h"

namespace gaggle::http2 {
namespace {

using testing::entries_of;
using testing::Fields;
using testing::fields_of;
using testing::hex;

struct Step {
  const char* block;
  Fields fields;
  Fields table;
  uint32_t table_bytes;
};

struct Example {
  const char* section;
  uint32_t table_limit;
  std::vector<Step> steps;
};

const std::string kCookie = "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1";
const std::string kDate21 = "Mon, 21 Oct 2013 20:13:21 GMT";
const std::string kDate22 = "Mon, 21 Oct 2013 20:13:22 GMT";
const std::string kUrl = "https://www.example.com";

// C.3 and C.4 say the same, without and with Huffman coding; so do C.5 and C.6.
Example requests(const char* section, const char* first, const char* second, const char* third) {
  const Fields::value_type authority{":authority", "www.example.com"};
  const Fields::value_type no_cache{"cache-control", "no-cache"};
  const Fields::value_type custom{"custom-key", "custom-value"};
  return {section,
          4096,
          {{first, {{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, authority}, {authority}, 57},
           {second,
            {{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, authority, no_cache},
            {no_cache, authority},
            110},
           {third,
            {{":method", "GET"}, {":scheme", "https"}, {":path", "/index.html"}, authority, custom},
            {custom, no_cache, authority},
            164}}};
}

Example responses(const char* section, const char* first, const char* second, const char* third) {
  const Fields::value_type cache{"cache-control", "private"};
  const Fields::value_type location{"location", kUrl};
  const Fields::value_type date21{"date", kDate21};
  const Fields::value_type date22{"date", kDate22};
  const Fields::value_type gzip{"content-encoding", "gzip"};
  const Fields::value_type cookie{"set-cookie", kCookie};
  return {section,
          256,
          {{first, {{":status", "302"}, cache, date21, location}, {location, date21, cache, {":status", "302"}}, 222},
           {second, {{":status", "307"}, cache, date21, location}, {{":status", "307"}, location, date21, cache}, 222},
           {third, {{":status", "200"}, cache, date22, location, gzip, cookie}, {cookie, gzip, date22}, 215}}};
}

std::vector<Example> examples() {
  return {
      {"C.2.1",
       4096,
       {{"400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572",
         {{"custom-key", "custom-header"}},
         {{"custom-key", "custom-header"}},
         55}}},
      {"C.2.2", 4096, {{"040c 2f73 616d 706c 652f 7061 7468", {{":path", "/sample/path"}}, {}, 0}}},
      {"C.2.3", 4096, {{"1008 7061 7373 776f 7264 0673 6563 7265 74", {{"password", "secret"}}, {}, 0}}},
      {"C.2.4", 4096, {{"82", {{":method", "GET"}}, {}, 0}}},
      requests("C.3", "8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d", "8286 84be 5808 6e6f 2d63 6163 6865",
               "8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65"),
      requests("C.4", "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff", "8286 84be 5886 a8eb 1064 9cbf",
               "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf"),
      responses("C.5",
                "4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032"
                "303a 3133 3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63"
                "6f6d",
                "4803 3330 37c1 c0bf",
                "88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0"
                "5a04 677a 6970 7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851"
                "5745 4f49 553b 206d 6178 2d61 6765 3d33 3630 303b 2076 6572 7369 6f6e 3d31"),
      responses("C.6",
                "4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b"
                "ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3",
                "4883 640e ffc1 c0bf",
                "88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad"
                "94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160"
                "65c0 03ed 4ee5 b106 3d50 07"),
  };
}

// The examples of C.5 and C.6 presume a table of 256 bytes without showing how it was agreed on.
void shrink_table(HpackDecoder& decoder, uint32_t bytes) {
  if (bytes == kDefaultHeaderTableSize) return;
  ASSERT_EQ(testing::decode(decoder, testing::BlockWriter().size_update(bytes)).error, HpackError::kOk);
}

TEST(HpackRfc7541, decodes_the_examples_of_appendix_c) {
  for (const Example& example : examples()) {
    HpackDecoder decoder;
    shrink_table(decoder, example.table_limit);
    for (const Step& step : example.steps) {
      SCOPED_TRACE(std::string(example.section) + ": " + step.block);
      HeaderBlockRef block;
      ASSERT_EQ(decoder.decode(hex(step.block), block), HpackError::kOk);
      EXPECT_EQ(fields_of(*block), step.fields);
      EXPECT_EQ(entries_of(decoder.table()), step.table) << "the table after the block";
      EXPECT_EQ(decoder.table().size_bytes(), step.table_bytes);
    }
  }
}

TEST(HpackRfc7541, encodes_the_requests_of_appendix_c_to_the_same_bytes) {
  for (const Example& example : examples()) {
    const std::string section = example.section;
    if (section != "C.3" && section != "C.4") continue;  // the others show what we choose not to do
    HpackEncoder encoder({.huffman = section == "C.4" ? HuffmanUse::kAlways : HuffmanUse::kNever});
    for (const Step& step : example.steps) {
      SCOPED_TRACE(section + ": " + step.block);
      std::vector<HeaderOut> fields;
      for (const auto& [name, value] : step.fields) {
        fields.push_back({.name = name, .value = value, .id = find_header_name(name)});
      }
      OutputBuffer out;
      encoder.encode(fields, out);
      EXPECT_EQ(std::vector<uint8_t>(out.bytes().begin(), out.bytes().end()), hex(step.block));
    }
  }
}

// Every proper prefix of a block ends inside a field, or is a shorter list: never a longer one, and
// never anything else [106].
TEST(HpackRfc7541, a_block_cut_anywhere_is_an_error_or_a_shorter_list) {
  for (const Example& example : examples()) {
    const std::vector<uint8_t> whole = hex(example.steps[0].block);
    for (size_t size = 0; size < whole.size(); ++size) {
      SCOPED_TRACE(std::string(example.section) + " cut to " + std::to_string(size));
      HpackDecoder decoder;
      shrink_table(decoder, example.table_limit);
      // A copy of its own, so that reading past the end is seen by the sanitizer.
      const std::vector<uint8_t> part(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(size));
      const testing::Outcome outcome = testing::decode(decoder, part);
      if (outcome.error == HpackError::kOk) {
        ASSERT_LT(outcome.fields.size(), example.steps[0].fields.size());
        for (size_t i = 0; i < outcome.fields.size(); ++i) {
          EXPECT_EQ(outcome.fields[i], example.steps[0].fields[i]);
        }
      } else {
        EXPECT_EQ(outcome.error, HpackError::kTruncated);
      }
    }
  }
}

TEST(HpackRfc7541, integers_of_appendix_c_1) {
  // 10 and 1337 with a prefix of 5 bits, as table sizes; 42 in a whole byte can't be shown so.
  HpackDecoder decoder;
  ASSERT_EQ(testing::decode(decoder, hex("2a")).error, HpackError::kOk);
  EXPECT_EQ(decoder.table().max_size_bytes(), 10u);
  ASSERT_EQ(testing::decode(decoder, hex("3f 9a 0a")).error, HpackError::kOk);
  EXPECT_EQ(decoder.table().max_size_bytes(), 1337u);
}

}  // namespace
}  // namespace gaggle::http2
