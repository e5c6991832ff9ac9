// SPDX-License-Identifier: Apache-2.0
#include "gaggle/cache/rpc_metadata.h"

#include <gtest/gtest.h>

#include "gaggle/rpc/metadata.h"

namespace gaggle::cache {
namespace {

using namespace std::chrono_literals;

const TimePoint kNow{1h};

TEST(HopMark, comes_back_as_it_was_sent) {
  Metadata metadata;
  ASSERT_TRUE(write_hop({"node-1.example:7001", 0xdca0f1c19c686536u, 2}, metadata).is_ok());
  const std::optional<Hop> hop = read_hop(metadata);
  ASSERT_TRUE(hop);
  EXPECT_EQ(hop->from, "node-1.example:7001");
  EXPECT_EQ(hop->table_version, 0xdca0f1c19c686536u);
  EXPECT_EQ(hop->hops, 2u);
}

TEST(HopMark, is_absent_from_a_clients_request) {
  Metadata metadata;
  metadata.add_received("user-agent", "grpc-python/1.80");
  EXPECT_FALSE(read_hop(metadata));
}

TEST(HopMark, that_cannot_be_read_counts_as_the_first_hop_of_another_view) {
  for (const char* nonsense : {"", "-1", "x", "99999999999999999999", "1 "}) {
    Metadata metadata;
    metadata.add_received("gaggle-from", "a:1");
    metadata.add_received("gaggle-epoch", nonsense);
    metadata.add_received("gaggle-hops", nonsense);
    const std::optional<Hop> hop = read_hop(metadata);
    ASSERT_TRUE(hop);
    EXPECT_EQ(hop->hops, 1u) << nonsense;
    EXPECT_EQ(hop->table_version, 0u) << nonsense;
  }
}

TEST(HopMark, hops_are_bounded) {
  Metadata metadata;
  metadata.add_received("gaggle-from", "a:1");
  metadata.add_received("gaggle-hops", "4294967295");
  EXPECT_EQ(read_hop(metadata)->hops, 1'000u) << "one more mustn't begin again at zero";
}

TEST(AnswerMark, is_exactly_one) {
  Metadata trailer;
  EXPECT_FALSE(is_authoritative(trailer));
  trailer.add_received("gaggle-answer", "yes");
  EXPECT_FALSE(is_authoritative(trailer));
  trailer.clear();
  trailer.add_received("gaggle-answer", "1");
  EXPECT_TRUE(is_authoritative(trailer));
}

// [27] Only time that is left travels, never a point of somebody's clock.
TEST(TimeLeft, is_rounded_up_and_never_negative) {
  EXPECT_EQ(milliseconds_left(kNow + 1500us, kNow), 2);
  EXPECT_EQ(milliseconds_left(kNow + 2ms, kNow), 2);
  EXPECT_EQ(milliseconds_left(kNow, kNow), 0);
  EXPECT_EQ(milliseconds_left(kNow - 1s, kNow), 0);
}

TEST(TimeLeft, becomes_an_expiry_whatever_the_network_says) {
  EXPECT_EQ(expiry_after(kNow, 250), kNow + 250ms);
  EXPECT_EQ(expiry_after(kNow, 0), kNow);
  EXPECT_EQ(expiry_after(kNow, INT64_MIN), kNow);
  EXPECT_EQ(expiry_after(kNow, INT64_MAX), kNever);
}

}  // namespace
}  // namespace gaggle::cache
