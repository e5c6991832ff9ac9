// SPDX-License-Identifier: Apache-2.0
#include "gaggle/http2/limits.h"

#include <array>
#include <bit>

namespace gaggle::http2 {

namespace {
// Counters is nothing but these, so that none can be forgotten in the sum.
using Words = std::array<uint64_t, sizeof(Counters) / sizeof(uint64_t)>;
}  // namespace

Counters& Counters::operator+=(const Counters& other) noexcept {
  auto sum = std::bit_cast<Words>(*this);
  const auto more = std::bit_cast<Words>(other);
  for (size_t i = 0; i < sum.size(); ++i) sum[i] += more[i];
  *this = std::bit_cast<Counters>(sum);
  return *this;
}

}  // namespace gaggle::http2
