// SPDX-License-Identifier: Apache-2.0
#include "gaggle/http2/header_field.h"

#include <gtest/gtest.h>

#include <string>

#include "gaggle/http2/hpack_static_table.h"

namespace gaggle::http2 {
namespace {

TEST(HeaderField, every_known_name_is_found_and_nothing_else) {
  for (int i = static_cast<int>(HeaderName::kAuthority); i < static_cast<int>(HeaderName::kCount); ++i) {
    const auto id = static_cast<HeaderName>(i);
    std::string name(header_name_text(id));
    EXPECT_EQ(find_header_name(name), id) << name;
    EXPECT_EQ(check_header_name(name), HeaderProblem::kNone) << name;
    EXPECT_EQ(is_pseudo(id), name[0] == ':') << name;
    name.back() ^= 1;
    EXPECT_LE(find_header_name(name), HeaderName::kOtherPseudo) << name;
  }
  EXPECT_EQ(find_header_name(""), HeaderName::kOther);
  EXPECT_EQ(find_header_name(":foo"), HeaderName::kOtherPseudo);
  EXPECT_EQ(find_header_name(std::string(1000, 'x')), HeaderName::kOther);
}

TEST(HeaderField, static_table_has_the_ids_of_its_names) {
  for (uint32_t i = 1; i <= kStaticTableSize; ++i) {
    EXPECT_EQ(kStaticTable[i].id, find_header_name(kStaticTable[i].name)) << kStaticTable[i].name;
  }
}

TEST(HeaderField, static_table_is_searched_by_name_and_by_id) {
  for (uint32_t i = 1; i <= kStaticTableSize; ++i) {
    const HeaderField& field = kStaticTable[i];
    EXPECT_EQ(find_static(field.id, field.name, field.value).index, i) << field.name;
    EXPECT_EQ(find_static(HeaderName::kOther, field.name, field.value).index, i) << "without the hint";
    const HpackMatch other = find_static(field.id, field.name, "some other value");
    EXPECT_EQ(other.index, 0u);
    EXPECT_EQ(kStaticTable[other.name_index].name, field.name);
  }
  EXPECT_EQ(find_static(HeaderName::kGrpcTimeout, "grpc-timeout", "").name_index, 0u);
  EXPECT_EQ(find_static(HeaderName::kOther, "x", "").name_index, 0u);
}

TEST(HeaderField, names_are_lower_case_tokens) {
  EXPECT_EQ(check_header_name(""), HeaderProblem::kEmptyName);
  EXPECT_EQ(check_header_name("x-Request-id"), HeaderProblem::kUppercaseName);
  EXPECT_EQ(check_header_name("x_1.!#$%&'*+^`|~"), HeaderProblem::kNone);
  EXPECT_EQ(check_header_name(":pseudo"), HeaderProblem::kNone);
  for (const char* bad : {":", "::a", "a:b", "a b", "a\tb", "a\r", "a\n", "(a)", "a\x7f", "\xc3\xa4", "a,b", "a;"}) {
    EXPECT_EQ(check_header_name(bad), HeaderProblem::kBadNameCharacter) << bad;
  }
  EXPECT_EQ(check_header_name(std::string("a\0", 2)), HeaderProblem::kBadNameCharacter);
}

TEST(HeaderField, values_have_no_line_ends_anywhere) {
  // At each offset of values of each length around the word size: the check reads words.
  for (size_t size = 1; size <= 20; ++size) {
    for (size_t at = 0; at < size; ++at) {
      for (int c = 0; c < 256; ++c) {
        std::string value(size, 'v');
        value[at] = static_cast<char>(c);
        uint8_t expected = c == 0 || c == '\r' || c == '\n' ? HeaderProblem::kBadValueCharacter : 0;
        if ((c == ' ' || c == '\t') && (at == 0 || at + 1 == size)) expected = HeaderProblem::kPaddedValue;
        ASSERT_EQ(check_header_value(value), expected) << size << ' ' << at << ' ' << c;
      }
    }
  }
  EXPECT_EQ(check_header_value(""), HeaderProblem::kNone);
}

}  // namespace
}  // namespace gaggle::http2
