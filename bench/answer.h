// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace bench {

// The 32 bytes that every benchmarked server answers to GroupCache/Get, whatever the key.
// bench.py reads them back from each server before it measures it.
inline constexpr std::string_view kAnswer = "gaggle-bench-0123456789-abcdefgh";
static_assert(kAnswer.size() == 32);

}  // namespace bench
