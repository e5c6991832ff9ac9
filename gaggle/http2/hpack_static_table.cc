// SPDX-License-Identifier: Apache-2.0
#include "gaggle/http2/hpack_static_table.h"

#include <cstddef>
#include <cstring>

namespace gaggle::http2 {
namespace {

// For each id the first index that has it; 0 = none.
consteval std::array<uint8_t, static_cast<size_t>(HeaderName::kCount)> index_by_id() {
  std::array<uint8_t, static_cast<size_t>(HeaderName::kCount)> first{};
  for (uint8_t i = kStaticTableSize; i > 0; --i) first[static_cast<size_t>(kStaticTable[i].id)] = i;
  first[static_cast<size_t>(HeaderName::kOther)] = 0;
  return first;
}

constexpr auto kIndexById = index_by_id();
constexpr size_t kLongestName = 27;

// The first index of each distinct name, sorted by the length of the name.
struct ByLength {
  std::array<uint8_t, kStaticTableSize> indices{};
  std::array<uint8_t, kLongestName + 2> first{};
};

consteval ByLength sort_by_length() {
  ByLength sorted;
  uint8_t count = 0;
  for (size_t length = 1; length <= kLongestName; ++length) {
    sorted.first[length] = count;
    for (uint8_t i = 1; i <= kStaticTableSize; ++i) {
      const std::string_view name = kStaticTable[i].name;
      if (name.size() == length && name != kStaticTable[i - 1].name) sorted.indices[count++] = i;
    }
  }
  sorted.first[kLongestName + 1] = count;
  return sorted;
}

constexpr ByLength kByLength = sort_by_length();
static_assert(kByLength.first[kLongestName + 1] == 52, "the static table has 52 different names");

uint32_t find_name(std::string_view name) {
  if (name.empty() || name.size() > kLongestName) return 0;
  for (size_t i = kByLength.first[name.size()]; i < kByLength.first[name.size() + 1]; ++i) {
    const uint32_t index = kByLength.indices[i];
    if (std::memcmp(kStaticTable[index].name.data(), name.data(), name.size()) == 0) return index;
  }
  return 0;
}

}  // namespace

HpackMatch find_static(HeaderName id, std::string_view name, std::string_view value) {
  HpackMatch match;
  match.name_index = id == HeaderName::kOther ? find_name(name) : kIndexById[static_cast<size_t>(id)];
  if (match.name_index == 0) return match;
  const std::string_view text = kStaticTable[match.name_index].name;
  for (uint32_t i = match.name_index; i <= kStaticTableSize && kStaticTable[i].name.data() == text.data(); ++i) {
    if (kStaticTable[i].value == value) {
      match.index = i;
      break;
    }
  }
  return match;
}

}  // namespace gaggle::http2
