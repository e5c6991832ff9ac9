// SPDX-License-Identifier: Apache-2.0
#include "gaggle/cache/group.h"

#include <gtest/gtest.h>

#include <stdexcept>

#include "gaggle/cache/cache_testing.h"

namespace gaggle::cache {
namespace {

using namespace std::chrono_literals;

// One node alone.
struct GroupTest : ::testing::Test {
  VirtualLoop world;
  Origin origin;
  Cache cache{nullptr, world.clock};
  std::deque<Call> calls;

  Group& group(GroupOptions options = {}) {
    const std::string name = "g" + std::to_string(cache.groups().size());
    return **cache.add_group(name, options, origin.loader());
  }
  std::string get(Group& group, std::string_view key) {
    Call& call = calls.emplace_back();
    const Loop::Enter enter(world.loop);
    call.begin(world.loop, group.get(call.context().with_clock(world.clock), key));
    world.advance(origin.takes);
    return call.outcome();
  }
};

TEST_F(GroupTest, loads_once_and_answers_from_memory_from_then_on) {
  origin.rows["k"] = "v";
  Group& scores = group();
  EXPECT_EQ(get(scores, "k"), "v");
  EXPECT_EQ(get(scores, "k"), "v");
  EXPECT_EQ(origin.loads, 1);
  const GroupCounters counters = scores.counters();
  EXPECT_EQ(counters.gets, 2u);
  EXPECT_EQ(counters.cache_hits, 1u);
  EXPECT_EQ(counters.loads, 1u);
  EXPECT_EQ(counters.loads_deduped, 1u);
  EXPECT_EQ(counters.local_loads, 1u);
  EXPECT_EQ(counters.store.items, 1u);
}

TEST_F(GroupTest, a_hit_needs_no_task) {
  origin.rows["k"] = "v";
  Group& scores = group();
  get(scores, "k");
  EXPECT_TRUE(scores.get({}, "k").is_ready());
  EXPECT_FALSE(scores.get({}, "other").is_ready());
}

TEST_F(GroupTest, refuses_keys_that_are_empty_or_too_long) {
  Group& scores = group();
  EXPECT_EQ(get(scores, ""), "INVALID_ARGUMENT: the key is empty");
  const std::string longest(kMaxKeyBytes, 'k');
  EXPECT_EQ(get(scores, longest), "NOT_FOUND: no such key") << "64 KiB are allowed";
  EXPECT_EQ(get(scores, longest + "k"), "INVALID_ARGUMENT: the key has 65537 bytes; at most 65536 are allowed");
  EXPECT_EQ(scores.counters().gets, 1u) << "what is refused is no get";
  EXPECT_EQ(origin.loads, 1);
}

TEST_F(GroupTest, the_loaders_status_comes_through_and_is_not_kept) {
  Group& scores = group();
  EXPECT_EQ(get(scores, "k"), "NOT_FOUND: no such key");
  origin.rows["k"] = "v";
  EXPECT_EQ(get(scores, "k"), "v") << "the next call asks again";
  EXPECT_EQ(scores.counters().local_load_errs, 1u);
  EXPECT_EQ(scores.counters().local_loads, 1u);
}

TEST_F(GroupTest, a_loader_that_throws_is_unknown_and_the_key_is_usable_at_once) {
  origin.rows["k"] = "v";
  origin.before = [](std::string_view) { throw std::runtime_error("disk on fire"); };
  Group& scores = group();
  EXPECT_EQ(get(scores, "k"), "UNKNOWN: the loader of group g0 failed: disk on fire");
  EXPECT_EQ(scores.counters().local_load_errs, 1u);
  origin.before = nullptr;
  EXPECT_EQ(get(scores, "k"), "v");
}

TEST_F(GroupTest, a_value_over_the_limit_is_refused_and_not_stored) {
  origin.rows["fits"] = std::string(100, 'x');
  origin.rows["big"] = std::string(101, 'x');
  Group& scores = group({.max_value_bytes = 100});
  EXPECT_EQ(get(scores, "fits"), origin.rows["fits"]);
  EXPECT_EQ(get(scores, "big"), "RESOURCE_EXHAUSTED: the value has 101 bytes; group g0 allows 100");
  EXPECT_EQ(scores.counters().store.items, 1u);
}

TEST_F(GroupTest, an_empty_value_is_a_value) {
  origin.rows["k"] = "";
  Group& scores = group();
  EXPECT_EQ(get(scores, "k"), "");
  EXPECT_EQ(get(scores, "k"), "");
  EXPECT_EQ(origin.loads, 1);
}

TEST_F(GroupTest, values_expire_after_the_groups_ttl) {
  origin.rows["k"] = "v1";
  Group& scores = group({.ttl = 10s});
  get(scores, "k");
  origin.rows["k"] = "v2";
  world.advance(10s - 1ms);
  EXPECT_EQ(get(scores, "k"), "v1");
  world.advance(1ms);
  EXPECT_EQ(get(scores, "k"), "v2");
}

TEST_F(GroupTest, the_loaders_own_expiry_wins_over_the_groups) {
  origin.rows["k"] = "v1";
  origin.ttl = 1s;
  Group& scores = group({.ttl = 10s});
  get(scores, "k");
  origin.rows["k"] = "v2";
  world.advance(1s);
  EXPECT_EQ(get(scores, "k"), "v2");
}

TEST_F(GroupTest, a_load_ends_at_its_timeout_however_long_the_caller_would_wait) {
  origin.takes = 5s;
  Group& scores = group({.load_timeout = 1s});
  EXPECT_EQ(get(scores, "k"), "DEADLINE_EXCEEDED: the load took too long");
  EXPECT_EQ(origin.cancelled, 1);
}

// [23] The value that a load found before the removal is given to those who asked before, and kept
// nowhere.
TEST_F(GroupTest, a_load_that_began_before_a_removal_is_never_published) {
  origin.rows["k"] = "old";
  origin.takes = 10ms;
  Group& scores = group();
  Call before;
  before.begin(world.loop, scores.get(before.context(), "k"));
  world.advance(5ms);
  origin.rows["k"] = "new";
  scores.remove("k");
  world.advance(5ms);
  EXPECT_EQ(before.outcome(), "old");
  EXPECT_EQ(scores.counters().store.items, 0u);
  EXPECT_EQ(get(scores, "k"), "new");
}

TEST_F(GroupTest, counters_add_up) {
  for (int i = 0; i < 5; ++i) origin.rows["k" + std::to_string(i)] = "v";
  origin.takes = 1ms;
  Group& scores = group();
  for (int i = 0; i < 40; ++i) get(scores, "k" + std::to_string(i % 7));
  const GroupCounters counters = scores.counters();
  EXPECT_EQ(counters.gets, 40u);
  EXPECT_EQ(counters.gets, counters.cache_hits + counters.loads);
  EXPECT_EQ(counters.loads_deduped, counters.local_loads + counters.local_load_errs);
  EXPECT_EQ(counters.loads_now, 0u);
}

// The group's store is big enough for the loads that outlive it, and its loader is, too.
TEST_F(GroupTest, a_load_that_outlives_the_cache_harms_nobody) {
  origin.rows["k"] = "v";
  origin.takes = 10ms;
  Call call;
  {
    Cache brief(nullptr, world.clock);
    Group& scores = **brief.add_group("g", {}, origin.loader());
    call.begin(world.loop, scores.get(call.context(), "k"));
    call.cancel();
  }
  world.advance(20ms);
  EXPECT_EQ(call.outcome(), "CANCELLED: the context was cancelled");
}

}  // namespace
}  // namespace gaggle::cache
