// SPDX-License-Identifier: Apache-2.0
#include "gaggle/cache/slot_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <xxhash.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace gaggle::cache {
namespace {

using ::testing::ElementsAre;
using Members = std::vector<std::string>;

Members ten() {
  Members members;
  for (int i = 0; i < 10; ++i) members.push_back("cache-" + std::to_string(i) + ".example:9000");
  return members;
}
const Members kThree = {"127.0.0.1:50051", "127.0.0.1:50052", "127.0.0.1:50053"};

std::vector<size_t> shares(const SlotTable& table) {
  std::vector<size_t> counts(table.members().size());
  for (size_t slot = 0; slot < kSlotCount; ++slot) ++counts[table.owner(static_cast<uint16_t>(slot))];
  return counts;
}

uint64_t digest(const SlotTable& table) {
  std::string owners;
  for (size_t slot = 0; slot < kSlotCount; ++slot) {
    const size_t owner = table.owner(static_cast<uint16_t>(slot));
    owners.push_back(static_cast<char>(owner >> 8));
    owners.push_back(static_cast<char>(owner & 0xFF));
  }
  return XXH64(owners.data(), owners.size(), 0);
}

// The vectors of proto/slots.md, which another implementation of the hash computed.
TEST(SlotTable, keys_fall_into_the_slots_of_the_contract) {
  EXPECT_EQ(slot_of(""), 61254);
  EXPECT_EQ(slot_of("Tom"), 15303);
  EXPECT_EQ(slot_of("Jack"), 11844);
  EXPECT_EQ(slot_of("user:1"), 55751);
  EXPECT_EQ(slot_of("schl\xc3\xbcssel"), 40591);
  std::string all_bytes;
  for (int byte = 0; byte < 256; ++byte) all_bytes.push_back(static_cast<char>(byte));
  EXPECT_EQ(slot_of(all_bytes), 8108) << "keys are bytes, NUL among them";
  EXPECT_EQ(slot_of(std::string(65'536, 'x')), 50993);
}

TEST(SlotTable, three_members_rank_as_in_the_contract) {
  const SlotTable table(kThree);
  EXPECT_EQ(table.version(), 0xdca0f1c19c686536u);
  EXPECT_THAT(table.ranking(0), ElementsAre(0, 1, 2));
  EXPECT_THAT(table.ranking(1), ElementsAre(0, 2, 1));
  EXPECT_THAT(table.ranking(255), ElementsAre(2, 0, 1));
  EXPECT_THAT(table.ranking(256), ElementsAre(1, 0, 2)) << "the slot's high byte comes first";
  EXPECT_THAT(table.ranking(32767), ElementsAre(0, 1, 2));
  EXPECT_THAT(table.ranking(65535), ElementsAre(1, 0, 2));
  EXPECT_THAT(shares(table), ElementsAre(21887, 21665, 21984));
  EXPECT_EQ(digest(table), 0x63f1e29842b43860u);
  EXPECT_EQ(table.members()[table.owner(slot_of("Tom"))], "127.0.0.1:50053");
}

TEST(SlotTable, ten_members_rank_as_in_the_contract) {
  const SlotTable table(ten());
  EXPECT_EQ(table.version(), 0x55f8fa46fd06eea6u);
  EXPECT_THAT(table.ranking(0), ElementsAre(8, 3, 0, 5, 9, 7, 1, 2, 4, 6));
  EXPECT_THAT(table.ranking(65535), ElementsAre(2, 7, 1, 8, 3, 4, 5, 9, 0, 6));
  EXPECT_EQ(digest(table), 0xda4ff0364584c1c7u);
}

TEST(SlotTable, one_member_owns_everything_and_none_owns_nothing) {
  const SlotTable one(Members{"127.0.0.1:50051"});
  EXPECT_EQ(one.version(), 0xf131b978b7dc314eu);
  EXPECT_THAT(shares(one), ElementsAre(kSlotCount));
  const SlotTable none(Members{});
  EXPECT_TRUE(none.members().empty());
  EXPECT_TRUE(none.ranking(7).empty());
}

TEST(SlotTable, the_order_and_repetition_of_members_do_not_matter) {
  Members shuffled = ten();
  std::mt19937 random(7);
  std::shuffle(shuffled.begin(), shuffled.end(), random);
  shuffled.push_back(shuffled[3]);
  const SlotTable table(shuffled);
  EXPECT_EQ(table.version(), SlotTable(ten()).version());
  EXPECT_EQ(digest(table), digest(SlotTable(ten())));
}

TEST(SlotTable, the_owner_is_the_first_of_the_ranking_and_the_ranking_has_everybody) {
  const SlotTable table(ten());
  for (size_t slot = 0; slot < kSlotCount; slot += 97) {
    std::vector<uint16_t> ranking = table.ranking(static_cast<uint16_t>(slot));
    ASSERT_EQ(ranking.front(), table.owner(static_cast<uint16_t>(slot)));
    std::sort(ranking.begin(), ranking.end());
    ASSERT_EQ(std::unique(ranking.begin(), ranking.end()) - ranking.begin(), 10);
  }
}

TEST(SlotTable, a_member_that_leaves_moves_only_its_own_slots_and_each_to_its_stand_in) {
  const SlotTable before(ten());
  Members rest = ten();
  const std::string gone = rest[4];
  rest.erase(rest.begin() + 4);
  const SlotTable after(rest);
  for (size_t i = 0; i < kSlotCount; ++i) {
    const auto slot = static_cast<uint16_t>(i);
    const std::string& owner = before.members()[before.owner(slot)];
    const std::string& now = after.members()[after.owner(slot)];
    if (owner != gone) {
      ASSERT_EQ(now, owner) << "slot " << slot << " moved though its owner stayed";
    } else if (slot % 16 == 0) {
      ASSERT_EQ(now, before.members()[before.ranking(slot)[1]]) << "slot " << slot;
    }
  }
  EXPECT_NE(before.version(), after.version());
}

TEST(SlotTable, shares_stay_near_the_mean) {
  for (size_t count : {2, 3, 5, 10, 32}) {
    Members members;
    for (size_t i = 0; i < count; ++i) members.push_back("10.0.0." + std::to_string(i + 1) + ":7000");
    const SlotTable table(members);
    const double mean = static_cast<double>(kSlotCount) / static_cast<double>(count);
    const double deviation = std::sqrt(static_cast<double>(count - 1) / kSlotCount);
    for (size_t share : shares(table)) {
      EXPECT_NEAR(static_cast<double>(share) / mean, 1.0, 4.5 * deviation) << count << " members";
    }
  }
}

TEST(SlotTable, sequential_keys_spread_evenly) {
  const SlotTable table(ten());
  std::vector<size_t> counts(10);
  for (int i = 0; i < 20'000; ++i) ++counts[table.owner(slot_of("user:" + std::to_string(i)))];
  EXPECT_LT(*std::max_element(counts.begin(), counts.end()), 2'000 * 1.15)
      << "the family's rings give the busiest of ten 1.6 to 1.8 times the mean";
}

TEST(SlotTable, a_very_long_address_scores_like_any_other) {
  const std::string address(300, 'a');
  const SlotTable table(Members{address, "b:1"});
  const std::string input = address + std::string("\x12\xab", 2);
  const std::string other = "b:1" + std::string("\x12\xab", 2);
  const bool first = XXH64(input.data(), input.size(), 0) > XXH64(other.data(), other.size(), 0);
  EXPECT_EQ(table.owner(0x12ab), first ? 0u : 1u);
}

}  // namespace
}  // namespace gaggle::cache
