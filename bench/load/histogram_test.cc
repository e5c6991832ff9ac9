// SPDX-License-Identifier: Apache-2.0
#include "bench/load/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace bench {
namespace {

using std::chrono::nanoseconds;

TEST(Histogram, nothing_recorded_is_zero) {
  const Histogram histogram;
  EXPECT_EQ(histogram.count(), 0u);
  EXPECT_EQ(histogram.quantile(0.5), nanoseconds{0});
  EXPECT_EQ(histogram.max(), nanoseconds{0});
}

TEST(Histogram, small_values_are_exact) {
  Histogram histogram;
  for (int value = 1; value <= 100; ++value) histogram.record(nanoseconds{value});
  EXPECT_EQ(histogram.quantile(0.5), nanoseconds{50});
  EXPECT_EQ(histogram.quantile(0.99), nanoseconds{99});
  EXPECT_EQ(histogram.quantile(0), nanoseconds{1}) << "the least one";
  EXPECT_EQ(histogram.quantile(1), nanoseconds{100});
}

TEST(Histogram, every_magnitude_is_known_to_within_one_in_128) {
  for (int64_t value = 1; value < (int64_t{1} << 40); value += 1 + value / 3) {
    Histogram histogram;
    histogram.record(nanoseconds{value});
    histogram.record(nanoseconds{(int64_t{1} << 40) - 1});  // so that max() doesn't hide the bucket's width
    const int64_t found = histogram.quantile(0.5).count();
    EXPECT_GE(found, value);
    EXPECT_LE(static_cast<double>(found - value), static_cast<double>(value) / 128) << value;
  }
}

TEST(Histogram, quantiles_are_those_of_the_sorted_values) {
  std::mt19937 random(7);
  std::lognormal_distribution<double> latency(11, 1.5);
  std::vector<int64_t> values;
  Histogram histogram;
  for (int i = 0; i < 100'000; ++i) {
    values.push_back(static_cast<int64_t>(latency(random)));
    histogram.record(nanoseconds{values.back()});
  }
  std::sort(values.begin(), values.end());
  for (const double share : {0.01, 0.5, 0.9, 0.99, 0.999, 0.9999}) {
    const int64_t exact = values[static_cast<size_t>(std::ceil(share * 100'000)) - 1];
    const int64_t found = histogram.quantile(share).count();
    EXPECT_GE(found, exact) << share;
    EXPECT_LE(static_cast<double>(found - exact), static_cast<double>(exact) / 128) << share;
  }
  EXPECT_EQ(histogram.max().count(), values.back()) << "not rounded";
}

TEST(Histogram, merging_is_recording_both) {
  Histogram odd, even, all;
  for (int value = 1; value < 10'000; ++value) {
    (value % 2 == 1 ? odd : even).record(nanoseconds{value});
    all.record(nanoseconds{value});
  }
  odd.merge(even);
  EXPECT_EQ(odd.count(), all.count());
  EXPECT_EQ(odd.max(), all.max());
  for (const double share : {0.1, 0.5, 0.99}) EXPECT_EQ(odd.quantile(share), all.quantile(share));
}

TEST(Histogram, what_is_out_of_range_counts_at_its_ends) {
  Histogram histogram;
  histogram.record(nanoseconds{-5});
  histogram.record(std::chrono::hours{3});
  EXPECT_EQ(histogram.count(), 2u);
  EXPECT_EQ(histogram.quantile(0.5), nanoseconds{0});
  EXPECT_EQ(histogram.max(), nanoseconds{(int64_t{1} << 40) - 1});
}

}  // namespace
}  // namespace bench
