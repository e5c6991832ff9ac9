// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace gaggle::http2::hpack {

// A quick hash to tell strings apart before comparing them. Not for tables that an attacker may
// fill: here a collision costs one comparison.
inline uint64_t hash(std::string_view text, uint64_t seed = 0) {
  constexpr uint64_t kMultiplier = 0x9e3779b97f4a7c15;
  uint64_t sum = (seed + text.size()) * kMultiplier;
  const char* next = text.data();
  size_t left = text.size();
  uint64_t word;
  for (; left >= sizeof word; left -= sizeof word, next += sizeof word) {
    std::memcpy(&word, next, sizeof word);
    sum = (sum ^ word) * kMultiplier;
    sum ^= sum >> 29;
  }
  if (left != 0) {
    word = 0;
    std::memcpy(&word, next, left);
    sum = (sum ^ word) * kMultiplier;
  }
  return sum ^ sum >> 32;
}

}  // namespace gaggle::http2::hpack
