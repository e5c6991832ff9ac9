// SPDX-License-Identifier: Apache-2.0
#include "gaggle/http2/limits.h"

#include <array>
#include <bit>

namespace gaggle::http2 {

namespace {
// Both are nothing but numbers, so that none can be forgotten.
constexpr size_t kNumbers = sizeof(Counters) / sizeof(uint64_t);
using Words = std::array<uint64_t, kNumbers>;
static_assert(sizeof(Tallies) == kNumbers * sizeof(Tally));
}  // namespace

Counters& operator+=(Counters& sum, const Counters& more) noexcept {
  auto words = std::bit_cast<Words>(sum);
  const auto added = std::bit_cast<Words>(more);
  for (size_t i = 0; i < kNumbers; ++i) words[i] += added[i];
  return sum = std::bit_cast<Counters>(words);
}

Counters read(const Tallies& tallies) noexcept {
  const auto* const numbers = reinterpret_cast<const Tally*>(&tallies);
  Words words;
  for (size_t i = 0; i < kNumbers; ++i) words[i] = numbers[i].get();
  return std::bit_cast<Counters>(words);
}

}  // namespace gaggle::http2
