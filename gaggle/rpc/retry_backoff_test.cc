// SPDX-License-Identifier: Apache-2.0
//
// The numbers of gRFC A6: waits, pushback, tokens.
#include "gaggle/rpc/retry_backoff.h"

#include <gtest/gtest.h>

#include "gaggle/rpc/retry_throttle.h"

namespace gaggle {
namespace {

using namespace std::chrono_literals;

TEST(RetryBackoffTest, waits_grow_up_to_the_maximum) {
  const RetryPolicy policy{.initial_backoff = 100ms, .max_backoff = 350ms, .multiplier = 2};
  const uint64_t middle = uint64_t{1} << 63;
  EXPECT_EQ(retry_backoff(policy, 0, middle), 100ms);
  EXPECT_EQ(retry_backoff(policy, 1, middle), 200ms);
  EXPECT_EQ(retry_backoff(policy, 2, middle), 350ms) << "not 400";
  EXPECT_EQ(retry_backoff(policy, 1000, middle), 350ms) << "the power overflows, the wait doesn't";
}

TEST(RetryBackoffTest, waits_are_spread_by_a_fifth_in_both_directions) {
  const RetryPolicy policy{.initial_backoff = 100ms, .max_backoff = 100ms, .multiplier = 1};
  EXPECT_EQ(retry_backoff(policy, 0, 0), 80ms);
  EXPECT_NEAR(std::chrono::duration<double>(retry_backoff(policy, 0, UINT64_MAX)).count(), 0.120, 1e-9);
}

TEST(RetryBackoffTest, a_wait_for_ever_is_as_long_as_can_be_said) {
  const RetryPolicy policy{.initial_backoff = Duration::max(), .max_backoff = Duration::max(), .multiplier = 2};
  EXPECT_EQ(retry_backoff(policy, 3, UINT64_MAX), Duration::max() / 2);
}

TEST(RetryBackoffTest, no_trailers_say_nothing) {
  const RetryPushback pushback = read_pushback(nullptr);
  EXPECT_FALSE(pushback.stop);
  EXPECT_FALSE(pushback.delay);
}

TEST(RetryThrottleTest, half_of_the_tokens_or_less_stops_retries) {
  RetryThrottle throttle({.max_milli_tokens = 4000, .milli_ratio = 500});
  EXPECT_TRUE(throttle.allows());
  throttle.on_failure();
  EXPECT_TRUE(throttle.allows()) << "3 of 4";
  throttle.on_failure();
  EXPECT_FALSE(throttle.allows()) << "2 of 4 isn't more than half";
  throttle.on_success();
  EXPECT_TRUE(throttle.allows()) << "2.5 of 4";
}

TEST(RetryThrottleTest, tokens_stay_between_none_and_the_maximum) {
  RetryThrottle throttle({.max_milli_tokens = 1000, .milli_ratio = 700});
  throttle.on_success();
  EXPECT_EQ(throttle.milli_tokens(), 1000u);
  for (int i = 0; i < 3; ++i) throttle.on_failure();
  EXPECT_EQ(throttle.milli_tokens(), 0u);
  throttle.on_success();
  EXPECT_EQ(throttle.milli_tokens(), 700u) << "failures beyond none leave no debt";
}

TEST(RetryThrottleTest, other_limits_keep_the_bucket_as_full_as_it_was) {
  RetryThrottle throttle({.max_milli_tokens = 10'000, .milli_ratio = 100});
  for (int i = 0; i < 4; ++i) throttle.on_failure();
  throttle.change({.max_milli_tokens = 100'000, .milli_ratio = 100});
  EXPECT_EQ(throttle.milli_tokens(), 60'000u);
  EXPECT_TRUE(throttle.allows());
}

}  // namespace
}  // namespace gaggle
