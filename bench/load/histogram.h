// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace bench {

// How often something took how long: buckets whose width grows with the value, so that every value is known to within
// 1/128, from a nanosecond to 18 minutes; what is longer counts as that. 34 KiB large; recording is a few
// instructions and never allocates.
class Histogram {
 public:
  void record(std::chrono::nanoseconds duration) noexcept;
  void merge(const Histogram& other) noexcept;

  std::uint64_t count() const noexcept { return count_; }
  std::chrono::nanoseconds max() const noexcept { return std::chrono::nanoseconds{max_}; }  // exact
  // The least value that at least `share` (0 to 1) of all don't exceed, rounded up to its bucket's end but not beyond
  // max(). Zero when nothing was recorded.
  std::chrono::nanoseconds quantile(double share) const noexcept;

 private:
  static constexpr unsigned kSubBits = 7;
  static constexpr std::uint64_t kSubBuckets = 1u << kSubBits;  // for each power of two
  static constexpr unsigned kBits = 40;
  static constexpr std::size_t kBuckets = (kBits - kSubBits + 1) * kSubBuckets;

  static std::size_t bucket_of(std::uint64_t value) noexcept;
  static std::uint64_t last_of(std::size_t bucket) noexcept;

  std::array<std::uint64_t, kBuckets> buckets_{};
  std::uint64_t count_ = 0;
  std::int64_t max_ = 0;
};

}  // namespace bench
