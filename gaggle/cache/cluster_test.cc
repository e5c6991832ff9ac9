// SPDX-License-Identifier: Apache-2.0
//
// Clusters whose nodes disagree, die or hang, on virtual time. Numbers in brackets are those of the
// catalogue of failure scenarios.
#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "gaggle/cache/cache_testing.h"
#include "gaggle/cache/slot_table.h"

namespace gaggle::cache {
namespace {

using namespace std::chrono_literals;
using Members = std::vector<std::string>;

const std::string kA = "a:1", kB = "b:1", kC = "c:1";
const Members kAll = {kA, kB, kC};

TEST(Cluster, loads_a_cold_key_once_however_many_nodes_are_asked) {
  FakeCluster cluster(kAll);
  const std::string key = FakeCluster::key_of(kAll, kB);
  cluster.origin.rows[key] = "v";
  cluster.origin.takes = 10ms;
  cluster.network.latency = 1ms;
  std::vector<Call*> calls;
  for (int i = 0; i < 999; ++i) calls.push_back(&cluster.get(kAll[i % 3], key));
  cluster.world.advance(20ms);
  for (Call* call : calls) ASSERT_EQ(call->outcome(), "v");
  EXPECT_EQ(cluster.origin.loads, 1);
  EXPECT_EQ(cluster.network.log.size(), 2u) << "each of the other nodes asks the owner once";
  const GroupCounters owner = cluster.group(kB).counters();
  EXPECT_EQ(owner.gets, 335u) << "333 of its own and two questions";
  EXPECT_EQ(owner.local_loads, 1u);
  EXPECT_EQ(owner.loads_deduped, 1u);
  const GroupCounters other = cluster.group(kA).counters();
  EXPECT_EQ(other.gets, 333u);
  EXPECT_EQ(other.loads, 333u);
  EXPECT_EQ(other.loads_deduped, 1u);
  EXPECT_EQ(other.peer_loads, 1u);
  EXPECT_EQ(other.store.items, 0u) << "a value is kept where it was loaded";
}

TEST(Cluster, the_owners_not_found_is_the_answer_and_nobody_else_loads) {
  FakeCluster cluster(kAll);
  const std::string key = FakeCluster::key_of(kAll, kB);
  Call& call = cluster.get(kA, key);
  cluster.world.advance(1s);
  EXPECT_EQ(call.outcome(), "NOT_FOUND: no such key");
  EXPECT_EQ(cluster.origin.loads, 1);
  EXPECT_EQ(cluster.group(kA).counters().peer_errors, 0u);
  EXPECT_EQ(cluster.group(kA).counters().peer_loads, 0u) << "an error is no load";
}

TEST(Cluster, a_value_keeps_its_remaining_time_on_its_way) {
  FakeCluster cluster(kAll, {.ttl = 10s});
  const std::string key = FakeCluster::key_of(kAll, kB);
  cluster.origin.rows[key] = "v1";
  Call& first = cluster.get(kA, key);
  cluster.world.advance(9s);
  EXPECT_EQ(first.outcome(), "v1");
  cluster.origin.rows[key] = "v2";
  Call& second = cluster.get(kA, key);
  cluster.world.advance(1s);
  EXPECT_EQ(second.outcome(), "v1") << "nine seconds old, good for ten";
  Call& third = cluster.get(kA, key);
  cluster.world.advance(1s);
  EXPECT_EQ(third.outcome(), "v2");
}

// [1] The owner is killed while a thousand callers wait at the other nodes.
TEST(Cluster, when_the_owner_dies_the_next_in_the_ranking_loads_once_and_nobody_sees_an_error) {
  FakeCluster cluster(kAll);
  const std::string key = FakeCluster::key_of(kAll, kB, kC);
  cluster.origin.rows[key] = "v";
  cluster.origin.takes = 500ms;
  cluster.network.latency = 1ms;
  std::vector<Call*> calls;
  for (int i = 0; i < 1'000; ++i) calls.push_back(&cluster.get(i % 2 == 0 ? kA : kC, key, 2s));
  cluster.world.advance(100ms);
  EXPECT_EQ(cluster.origin.loads, 1) << "the owner's";
  cluster.network.kill(kB);
  cluster.world.advance(700ms);
  for (Call* call : calls) ASSERT_EQ(call->outcome(), "v");
  EXPECT_EQ(cluster.origin.loads, 2);
  EXPECT_EQ(cluster.group(kC).counters().store.items, 1u) << "the stand-in keeps what it loaded";
  EXPECT_EQ(cluster.group(kA).counters().peer_errors, 1u);
  EXPECT_EQ(cluster.group(kA).counters().peer_loads, 1u) << "from the stand-in";

  Call& later = cluster.get(kA, key, 2s);
  cluster.world.advance(100ms);
  EXPECT_EQ(later.outcome(), "v");
  EXPECT_EQ(cluster.origin.loads, 2) << "the stand-in has it";
}

TEST(Cluster, when_everybody_else_is_dead_a_node_loads_itself) {
  FakeCluster cluster(kAll);
  const std::string key = FakeCluster::key_of(kAll, kB, kC);
  cluster.origin.rows[key] = "v";
  cluster.network.kill(kB);
  cluster.network.kill(kC);
  Call& call = cluster.get(kA, key);
  cluster.world.advance(1s);
  EXPECT_EQ(call.outcome(), "v");
  EXPECT_EQ(cluster.group(kA).counters().peer_errors, 2u);
  EXPECT_EQ(cluster.group(kA).counters().local_loads, 1u);
}

// [2] The owner's port accepts, but nothing comes back.
TEST(Cluster, a_hung_owner_costs_the_peer_timeout_and_then_the_stand_in_answers) {
  FakeCluster cluster(kAll, {.peer_timeout = 300ms});
  const std::string key = FakeCluster::key_of(kAll, kB, kC);
  cluster.origin.rows[key] = "v";
  cluster.network.hang(kB);
  Call& patient = cluster.get(kA, key, 2s);
  Call& hasty = cluster.get(kA, key, 200ms);
  cluster.world.advance(200ms);
  EXPECT_EQ(hasty.outcome(), "DEADLINE_EXCEEDED: the deadline passed while the value was being fetched");
  cluster.world.advance(150ms);
  EXPECT_EQ(patient.outcome(), "v");
}

TEST(Cluster, a_peer_without_the_group_is_misconfigured_and_the_next_one_is_asked) {
  FakeCluster cluster(kAll);
  Cache without(cluster.network.factory(), cluster.world.clock);
  cluster.network.attach(kB, without);
  const std::string key = FakeCluster::key_of(kAll, kB, kC);
  cluster.origin.rows[key] = "v";
  Call& call = cluster.get(kA, key);
  cluster.world.advance(1s);
  EXPECT_EQ(call.outcome(), "v");
  EXPECT_EQ(cluster.group(kA).counters().peer_errors, 1u);
  EXPECT_EQ(cluster.group(kC).counters().local_loads, 1u);
}

TEST(Cluster, callers_who_leave_are_no_fault_of_the_peer) {
  FakeCluster cluster(kAll);
  const std::string key = FakeCluster::key_of(kAll, kB);
  cluster.origin.takes = 1s;
  Call& call = cluster.get(kA, key);
  cluster.world.advance(100ms);
  call.cancel();
  cluster.world.advance(1ms);
  EXPECT_EQ(call.outcome(), "CANCELLED: the context was cancelled");
  EXPECT_EQ(cluster.group(kA).counters().peer_errors, 0u);
  EXPECT_EQ(cluster.origin.cancelled, 1) << "the last caller anywhere has gone, so the load ends";
  for (const std::string& node : kAll) EXPECT_EQ(cluster.group(node).counters().loads_now, 0u);
}

// Nodes know each other by several names, so that each can believe that another owns a key: with the
// same names for all, the ranking itself would allow no ring.
struct SplitViews : ::testing::Test {
  FakeCluster cluster{{kA, kB, kC}};

  SplitViews() {
    cluster.network.latency = 1ms;
    cluster.origin.takes = 10ms;
    for (const auto& [alias, node] : {std::pair{"alias-a:1", kA}, {"alias-b:1", kB}, {"alias-c:1", kC}}) {
      cluster.network.attach(alias, cluster.cache(node));
    }
  }
  // A key that each of the views gives to the owner beside it.
  std::string key_owned(const std::vector<std::pair<Members, std::string>>& views) {
    for (int i = 0;; ++i) {
      const std::string key = "key-" + std::to_string(i);
      const bool fits = std::ranges::all_of(views, [&](const auto& view) {
        const SlotTable table(view.first);
        return table.members()[table.owner(slot_of(key))] == view.second;
      });
      if (!fits) continue;
      cluster.origin.rows[key] = "v";
      return key;
    }
  }
  uint64_t split_views() {
    uint64_t sum = 0;
    for (const std::string& node : kAll) sum += cluster.group(node).counters().split_views;
    return sum;
  }
};

// [9a] and [9b] with senders that the receiver knows: the request stays where it arrives.
TEST_F(SplitViews, crossed_owners_do_not_wait_for_each_other) {
  const Members as_a = {kA, "alias-b:1", kB};
  const Members as_b = {kB, "alias-a:1", kA};
  cluster.set_view(kA, as_a);
  cluster.set_view(kB, as_b);

  const std::string one = key_owned({{as_a, "alias-b:1"}, {as_b, "alias-a:1"}});
  Call& alone = cluster.get(kA, one, 1s);
  cluster.world.advance(15ms);
  EXPECT_EQ(alone.outcome(), "v") << "[9a] a client at one node, answered in the origin's time";

  const std::string two = key_owned({{as_a, "alias-b:1"}, {as_b, "alias-a:1"}});
  cluster.cache(kA).group("g")->remove(two);
  cluster.cache(kB).group("g")->remove(two);
  Call& at_a = cluster.get(kA, two, 1s);
  Call& at_b = cluster.get(kB, two, 1s);
  cluster.world.advance(15ms);
  EXPECT_EQ(at_a.outcome(), "v") << "[9b] clients at both at the same instant";
  EXPECT_EQ(at_b.outcome(), "v");
  EXPECT_LE(cluster.origin.loads_of[two], 3) << "one before, then at most one per view";
  EXPECT_GT(split_views(), 0u) << "and somebody notices";
}

// The same between nodes that don't know each other's names.
TEST_F(SplitViews, crossed_owners_with_strange_names_do_not_wait_for_each_other) {
  const Members as_a = {kA, "alias-b:1"};
  const Members as_b = {kB, "alias-a:1"};
  cluster.set_view(kA, as_a);
  cluster.set_view(kB, as_b);
  const std::string key = key_owned({{as_a, "alias-b:1"}, {as_b, "alias-a:1"}});
  Call& at_a = cluster.get(kA, key, 1s);
  Call& at_b = cluster.get(kB, key, 1s);
  cluster.world.advance(20ms);
  EXPECT_EQ(at_a.outcome(), "v");
  EXPECT_EQ(at_b.outcome(), "v");
  EXPECT_LE(cluster.origin.loads, 2);
}

// [10] a believes in b, b in c, c in a.
TEST_F(SplitViews, rotated_owners_forward_a_request_at_most_once) {
  const Members as_a = {kA, "alias-b:1", kC};
  const Members as_b = {kB, "alias-c:1", kA};
  const Members as_c = {kC, "alias-a:1", kB};
  cluster.set_view(kA, as_a);
  cluster.set_view(kB, as_b);
  cluster.set_view(kC, as_c);
  const std::string key = key_owned({{as_a, "alias-b:1"}, {as_b, "alias-c:1"}, {as_c, "alias-a:1"}});
  Call& call = cluster.get(kA, key, 1s);
  cluster.world.advance(15ms);
  EXPECT_EQ(call.outcome(), "v");
  EXPECT_EQ(cluster.network.log.size(), 1u);
  std::vector<Call*> all;
  for (const std::string& node : kAll) cluster.group(node).remove(key);
  for (const std::string& node : kAll) all.push_back(&cluster.get(node, key, 1s));
  cluster.world.advance(15ms);
  for (Call* one : all) EXPECT_EQ(one->outcome(), "v");
}

TEST_F(SplitViews, rotated_owners_with_strange_names_end_after_two_hops) {
  const Members as_a = {kA, "alias-b:1"};
  const Members as_b = {kB, "alias-c:1"};
  const Members as_c = {kC, "alias-a:1"};
  cluster.set_view(kA, as_a);
  cluster.set_view(kB, as_b);
  cluster.set_view(kC, as_c);
  const std::string key = key_owned({{as_a, "alias-b:1"}, {as_b, "alias-c:1"}, {as_c, "alias-a:1"}});
  std::vector<Call*> all;
  for (const std::string& node : kAll) all.push_back(&cluster.get(node, key, 1s));
  cluster.world.advance(20ms);
  for (Call* one : all) EXPECT_EQ(one->outcome(), "v");
  EXPECT_LE(cluster.network.log.size(), 6u) << "two hops for each client at most";
}

// [29] A node lists itself under a second name and takes that for a peer.
TEST_F(SplitViews, a_node_that_takes_itself_for_a_peer_answers_all_the_same) {
  const Members view = {kA, "alias-a:1"};
  cluster.set_view(kA, view);
  const std::string key = key_owned({{view, "alias-a:1"}});
  Call& call = cluster.get(kA, key, 1s);
  cluster.world.advance(20ms);
  EXPECT_EQ(call.outcome(), "v");
  EXPECT_EQ(cluster.origin.loads, 1);
}

// [30] A mark from somebody who isn't a member makes nobody load what belongs to another node.
TEST(Cluster, a_strangers_mark_is_treated_as_a_client) {
  FakeCluster cluster(kAll);
  const std::string key = FakeCluster::key_of(kAll, kB);
  cluster.origin.rows[key] = "v";
  Call call;
  const Hop hop{"stranger:1", 12345, 1};
  call.begin(cluster.world.loop, cluster.group(kA).fetch_forwarded(call.context(), key, hop));
  cluster.world.advance(10ms);
  EXPECT_EQ(call.outcome(), "v");
  EXPECT_EQ(cluster.group(kA).counters().local_loads, 0u);
  EXPECT_EQ(cluster.group(kB).counters().local_loads, 1u) << "the owner's";
}

TEST(Cluster, members_may_change_while_lookups_are_under_way) {
  FakeCluster cluster(kAll);
  const std::string key = FakeCluster::key_of(kAll, kB);
  cluster.origin.rows[key] = "v";
  cluster.origin.takes = 10ms;
  Call& before = cluster.get(kA, key);
  cluster.world.advance(1ms);
  for (const std::string& node : {kA, kC}) cluster.set_view(node, {kA, kC});
  Call& after = cluster.get(kC, key);
  cluster.world.advance(20ms);
  EXPECT_EQ(before.outcome(), "v") << "finishes with what it saw";
  EXPECT_EQ(after.outcome(), "v");
  EXPECT_EQ(cluster.group(kB).counters().local_loads, 1u);
}

}  // namespace
}  // namespace gaggle::cache
