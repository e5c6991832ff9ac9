// SPDX-License-Identifier: Apache-2.0
//
// Three `gaggle serve` processes, a database that counts nothing but can be locked, and clients.
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <optional>

#include "cluster_testing.h"
#include "gaggle/cache/slot_table.h"

namespace gaggle::e2e {
namespace {

using namespace std::chrono_literals;

struct ClusterTest : ::testing::Test {
  const std::vector<std::string> addresses = free_addresses(3);
  OriginDatabase origin;
  std::vector<std::optional<Node>> nodes{3};
  Client client{addresses, 4};

  ClusterTest() {
    for (size_t i = 0; i < nodes.size(); ++i) start(i);
  }
  void start(size_t i) { nodes[i].emplace(Node::Options{addresses[i], addresses, {origin.group()}}); }

  // The node with the given rank for the key; rank 0 owns it.
  size_t ranked(std::string_view key, size_t rank) const {
    const cache::SlotTable table(addresses);
    const std::string& address = table.members()[table.ranking(cache::slot_of(key))[rank]];
    return static_cast<size_t>(std::find(addresses.begin(), addresses.end(), address) - addresses.begin());
  }
  // A new key of that node's, in the database.
  std::string key_of(size_t owner) {
    for (;;) {
      std::string key = "key-" + std::to_string(next_key_++);
      if (ranked(key, 0) != owner) continue;
      origin.put(key, "value of " + key);
      return key;
    }
  }
  uint64_t gets(std::initializer_list<size_t> of) {
    uint64_t sum = 0;
    for (size_t node : of) sum += client.stats(node).gets();
    return sum;
  }
  uint64_t loads(std::initializer_list<size_t> of) {
    uint64_t sum = 0;
    for (size_t node : of) {
      const auto stats = client.stats(node);
      sum += stats.local_loads() + stats.local_load_errs();
    }
    return sum;
  }

 private:
  int next_key_ = 0;
};

TEST_F(ClusterTest, a_thousand_gets_of_one_cold_key_over_three_nodes_are_one_load) {
  const std::string key = key_of(1);
  origin.lock();
  std::vector<std::future<Result<std::string>>> answers;
  for (size_t i = 0; i < 1'000; ++i) answers.push_back(client.get(i % 3, key, patience(10s)));
  EXPECT_TRUE(eventually([&] { return gets({0, 1, 2}) == 1'000 + 2; })) << "the callers', and two that nodes forward";
  EXPECT_EQ(client.stats(1).loads_now(), 1u);
  origin.unlock();
  for (auto& answer : answers) {
    const Result<std::string> value = answer.get();
    ASSERT_TRUE(value) << value.error().to_string();
    ASSERT_EQ(*value, "value of " + key);
  }
  EXPECT_EQ(loads({0, 1, 2}), 1u);
  for (size_t node : {0, 1, 2}) EXPECT_EQ(client.stats(node).loads_now(), 0u);
}

// [1]
TEST_F(ClusterTest, the_owner_is_killed_while_a_thousand_wait_and_nobody_gets_an_error) {
  const std::string key = key_of(0);
  origin.lock();
  std::vector<std::future<Result<std::string>>> answers;
  for (size_t i = 0; i < 1'000; ++i) answers.push_back(client.get(1 + i % 2, key, patience(2s)));
  ASSERT_TRUE(eventually([&] { return gets({0, 1, 2}) == 1'000 + 2; })) << "the callers', and two that nodes forward";
  EXPECT_EQ(client.stats(0).loads_now(), 1u);
  nodes[0]->kill();
  origin.unlock();
  for (auto& answer : answers) {
    const Result<std::string> value = answer.get();
    ASSERT_TRUE(value) << value.error().to_string();
    ASSERT_EQ(*value, "value of " + key);
  }
  EXPECT_LE(1 + loads({1, 2}), 2u) << "the one that died with the owner, and its stand-in's";
}

TEST_F(ClusterTest, a_node_that_comes_back_owns_its_keys_again) {
  nodes[0]->kill();
  const std::string while_away = key_of(0);
  EXPECT_EQ(client.get_now(1, while_away), "value of " + while_away);
  EXPECT_EQ(client.get_now(2, while_away), "value of " + while_away);
  EXPECT_EQ(loads({1, 2}), 1u) << "by the stand-in, for both";
  start(0);
  EXPECT_TRUE(eventually([&] {
    const std::string key = key_of(0);
    return client.get_now(1, key) == "value of " + key && client.stats(0).local_loads() > 0;
  })) << "the others connect again";
  EXPECT_TRUE(eventually([&] {
    const std::string key = key_of(0);
    const uint64_t before = client.stats(2).peer_loads();
    return client.get_now(2, key) == "value of " + key && client.stats(2).peer_loads() > before;
  }));
}

TEST_F(ClusterTest, sigterm_lets_running_calls_end) {
  const std::string key = key_of(2);
  origin.lock();
  auto answer = client.get(2, key, patience(5s));
  ASSERT_TRUE(eventually([&] { return client.stats(2).loads_now() == 1; }));
  nodes[2]->signal(SIGTERM);
  origin.unlock();
  const Result<std::string> value = answer.get();
  ASSERT_TRUE(value) << value.error().to_string();
  EXPECT_EQ(nodes[2]->wait(), 0);
}

TEST_F(ClusterTest, a_second_sigterm_stops_a_node_that_drains) {
  const std::string key = key_of(2);
  origin.lock();
  auto answer = client.get(2, key, patience(10s));
  ASSERT_TRUE(eventually([&] { return client.stats(2).loads_now() == 1; }));
  nodes[2]->signal(SIGTERM);
  nodes[2]->signal(SIGINT);
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(nodes[2]->wait(), 0);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, patience(15s)) << "well before the time to drain is over";
  origin.unlock();
  nodes[1]->kill();
  EXPECT_EQ(answer.wait_for(patience(20s)), std::future_status::ready);
}

TEST_F(ClusterTest, errors_are_those_of_the_contract) {
  EXPECT_EQ(client.get_now(0, "missing"), "NOT_FOUND: the database has no row for this key");
  EXPECT_EQ(client.get_now(1, "missing"), "NOT_FOUND: the database has no row for this key");
  EXPECT_EQ(client.get_now(0, ""), "INVALID_ARGUMENT: the key is empty");
  EXPECT_EQ(client.get_now(0, std::string(70'000, 'k')),
            "INVALID_ARGUMENT: the key has 70000 bytes; at most 65536 are allowed");
  origin.put("large", std::string(5 << 20, 'x'));
  for (size_t node : {0, 1, 2}) EXPECT_TRUE(client.get_now(node, "large").starts_with("RESOURCE_EXHAUSTED"));
}

}  // namespace
}  // namespace gaggle::e2e
