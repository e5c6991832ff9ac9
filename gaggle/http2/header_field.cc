// SPDX-License-Identifier: Apache-2.0
#include "gaggle/http2/header_field.h"

#include <array>
#include <cstddef>
#include <cstring>

namespace gaggle::http2 {
namespace {

constexpr size_t kLongestName = 30;

// The ids sorted by the length of their names, and where each length begins.
struct ByLength {
  std::array<HeaderName, kHeaderNameTexts.size()> ids{};
  std::array<uint8_t, kLongestName + 2> first{};
};

consteval ByLength sort_by_length() {
  ByLength sorted;
  uint8_t count = 0;
  for (size_t length = 1; length <= kLongestName; ++length) {
    sorted.first[length] = count;
    for (size_t id = 0; id < kHeaderNameTexts.size(); ++id) {
      if (kHeaderNameTexts[id].size() == length) sorted.ids[count++] = static_cast<HeaderName>(id);
    }
  }
  sorted.first[kLongestName + 1] = count;
  return sorted;
}

constexpr ByLength kByLength = sort_by_length();
static_assert(kByLength.first[kLongestName + 1] == kHeaderNameTexts.size() - 2, "a name is too long or empty");

// RFC 9110 §5.6.2 tchar without upper case, which RFC 9113 §8.2.1 forbids.
consteval std::array<uint8_t, 256> make_name_problems() {
  constexpr std::string_view kAllowed = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz";
  std::array<uint8_t, 256> problems;
  problems.fill(HeaderProblem::kBadNameCharacter);
  for (const char c : kAllowed) problems[static_cast<uint8_t>(c)] = 0;
  for (int c = 'A'; c <= 'Z'; ++c) problems[c] = HeaderProblem::kUppercaseName;
  return problems;
}

constexpr std::array<uint8_t, 256> kNameProblems = make_name_problems();

constexpr uint64_t kOnes = 0x0101010101010101;
constexpr uint64_t kHighBits = 0x8080808080808080;

// Non-zero if one of the eight bytes is zero.
constexpr uint64_t zero_bytes(uint64_t word) { return (word - kOnes) & ~word & kHighBits; }

constexpr uint64_t bad_bytes(uint64_t word) {
  return zero_bytes(word) | zero_bytes(word ^ kOnes * '\r') | zero_bytes(word ^ kOnes * '\n');
}

bool has_bad_byte(std::string_view value) {
  const char* next = value.data();
  size_t left = value.size();
  uint64_t word;
  uint64_t bad = 0;
  for (; left >= sizeof word; left -= sizeof word, next += sizeof word) {
    std::memcpy(&word, next, sizeof word);
    bad |= bad_bytes(word);
  }
  if (left != 0) {
    word = kOnes * 'x';
    std::memcpy(&word, next, left);
    bad |= bad_bytes(word);
  }
  return bad != 0;
}

constexpr bool is_blank(char c) { return c == ' ' || c == '\t'; }

}  // namespace

HeaderName find_header_name(std::string_view name) {
  const size_t length = name.size();
  if (length == 0) return HeaderName::kOther;
  if (length <= kLongestName) {
    for (size_t i = kByLength.first[length]; i < kByLength.first[length + 1]; ++i) {
      const std::string_view known = kHeaderNameTexts[static_cast<size_t>(kByLength.ids[i])];
      if (std::memcmp(known.data(), name.data(), length) == 0) return kByLength.ids[i];
    }
  }
  return name[0] == ':' ? HeaderName::kOtherPseudo : HeaderName::kOther;
}

uint8_t check_header_name(std::string_view name) {
  if (name.empty()) return HeaderProblem::kEmptyName;
  // "With the exception of pseudo-header fields, which have a name that starts with a single
  // colon, field names MUST NOT include a colon." A colon alone names nothing.
  if (name[0] == ':') {
    name.remove_prefix(1);
    if (name.empty()) return HeaderProblem::kBadNameCharacter;
  }
  uint8_t problems = 0;
  for (const char c : name) problems |= kNameProblems[static_cast<uint8_t>(c)];
  return problems;
}

uint8_t check_header_value(std::string_view value) {
  if (value.empty()) return HeaderProblem::kNone;
  uint8_t problems = has_bad_byte(value) ? HeaderProblem::kBadValueCharacter : HeaderProblem::kNone;
  if (is_blank(value.front()) || is_blank(value.back())) problems |= HeaderProblem::kPaddedValue;
  return problems;
}

}  // namespace gaggle::http2
