// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/client_backoff.h"

#include <gtest/gtest.h>

#include <limits>
#include <set>

namespace gaggle {
namespace {

using std::chrono::seconds;

TEST(BackoffTest, waits_grow_from_one_second_by_1_6_to_two_minutes) {  // [175]
  ConnectBackoff options;
  options.jitter = 0;
  Backoff backoff(options, 1);
  EXPECT_EQ(backoff.next(), seconds{1}) << "the first failure waits `initial`";
  EXPECT_EQ(backoff.next(), std::chrono::milliseconds{1600});
  EXPECT_EQ(backoff.next(), std::chrono::milliseconds{2560});
  for (int i = 0; i < 100; ++i) (void)backoff.next();
  EXPECT_EQ(backoff.next(), seconds{120}) << "it never waits longer than `max`";
  backoff.reset();
  EXPECT_EQ(backoff.next(), seconds{1}) << "success forgets the failures";
}

TEST(BackoffTest, jitter_stays_within_a_fifth_and_spreads) {
  Backoff backoff(ConnectBackoff{}, 7);
  std::set<Duration> seen;
  for (int i = 0; i < 200; ++i) {
    backoff.reset();
    const Duration wait = backoff.next();
    EXPECT_GE(wait, std::chrono::milliseconds{800});
    EXPECT_LE(wait, std::chrono::milliseconds{1200});
    seen.insert(wait);
  }
  EXPECT_GT(seen.size(), 190u) << "clients that fail together must not come back together";
}

TEST(BackoffTest, the_same_seed_gives_the_same_waits) {
  Backoff a(ConnectBackoff{}, 42);
  Backoff b(ConnectBackoff{}, 42);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(a.next(), b.next());
}

TEST(BackoffTest, durations_beyond_what_can_be_said_are_cut) {
  ConnectBackoff options;
  options.max = Duration::max();
  options.initial = Duration::max() / 4;
  Backoff backoff(options, 1);
  for (int i = 0; i < 50; ++i) EXPECT_GT(backoff.next(), Duration::zero()) << "an overflow would come out negative";
}

TEST(BackoffTest, senseless_options_are_named) {
  const auto with = [](auto change) {
    ConnectBackoff options;
    change(options);
    return check_backoff(options);
  };
  EXPECT_TRUE(check_backoff(ConnectBackoff{}));
  EXPECT_FALSE(with([](ConnectBackoff& o) { o.initial = seconds{-1}; }));
  EXPECT_FALSE(with([](ConnectBackoff& o) { o.max = seconds{-1}; }));
  EXPECT_FALSE(with([](ConnectBackoff& o) { o.min_connect_timeout = seconds{0}; }));
  EXPECT_FALSE(with([](ConnectBackoff& o) { o.multiplier = 0.5; }));
  EXPECT_FALSE(with([](ConnectBackoff& o) { o.multiplier = std::numeric_limits<double>::quiet_NaN(); }));
  const Status jitter = with([](ConnectBackoff& o) { o.jitter = 1.5; });
  EXPECT_NE(jitter.message().find("jitter"), std::string_view::npos) << jitter.to_string();
}

}  // namespace
}  // namespace gaggle
