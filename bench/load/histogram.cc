// SPDX-License-Identifier: Apache-2.0
#include "bench/load/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace bench {

// Values below kSubBuckets have a bucket each; above, the kSubBits + 1 leading bits name the bucket.
std::size_t Histogram::bucket_of(std::uint64_t value) noexcept {
  if (value < kSubBuckets) return static_cast<std::size_t>(value);
  const auto shift = static_cast<unsigned>(std::bit_width(value)) - kSubBits - 1;
  return static_cast<std::size_t>(shift * kSubBuckets + (value >> shift));
}

std::uint64_t Histogram::last_of(std::size_t bucket) noexcept {
  if (bucket < kSubBuckets) return bucket;
  const std::uint64_t shift = bucket / kSubBuckets - 1;
  return ((bucket - shift * kSubBuckets + 1) << shift) - 1;
}

void Histogram::record(std::chrono::nanoseconds duration) noexcept {
  constexpr std::int64_t kGreatest = (std::int64_t{1} << kBits) - 1;
  const std::int64_t value = std::clamp<std::int64_t>(duration.count(), 0, kGreatest);
  ++buckets_[bucket_of(static_cast<std::uint64_t>(value))];
  ++count_;
  max_ = std::max(max_, value);
}

void Histogram::merge(const Histogram& other) noexcept {
  for (std::size_t i = 0; i < kBuckets; ++i) buckets_[i] += other.buckets_[i];
  count_ += other.count_;
  max_ = std::max(max_, other.max_);
}

std::chrono::nanoseconds Histogram::quantile(double share) const noexcept {
  if (count_ == 0) return std::chrono::nanoseconds::zero();
  const auto wanted =
      std::max<std::uint64_t>(1, static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count_))));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < kBuckets; ++i) {
    seen += buckets_[i];
    if (seen >= wanted)
      return std::chrono::nanoseconds{std::min<std::int64_t>(max_, static_cast<std::int64_t>(last_of(i)))};
  }
  return max();
}

}  // namespace bench
