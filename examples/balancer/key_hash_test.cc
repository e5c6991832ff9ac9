// SPDX-License-Identifier: Apache-2.0
//
// The example's policy on a real ClientConn, whose servers are the test's.
#include "key_hash.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <string>

#include "gaggle/rpc/client_testing.h"

namespace gaggle {
namespace {

struct World : ClientWorld {
  KeyHashBuilder key_hash;

  World() {
    ClientConnOptions options;
    options.balancer = "key_hash";
    options.balancers = {&key_hash};
    connect(options, {"a:1", "b:2", "c:3"});
    conn->connect();
    settle();
  }
  ~World() { conn.reset(); }

  // The address of the server that answers a call with this key.
  std::string owner(const std::string& key) {
    Metadata metadata;
    EXPECT_TRUE(metadata.add("key", key).is_ok());
    UnaryRun call(*this, Context{}, key, {.metadata = &metadata});
    settle();
    for (size_t i = 0; i < network.servers.size(); ++i) {
      ScriptedServer& each = *network.servers[i];
      if (each.closed || each.open_requests() == 0) continue;
      each.answer(*each.requests.back(), "reply");
      settle();
      EXPECT_TRUE(call.done() && call.status().is_ok());
      return network.dialled[i];
    }
    return "nobody";
  }
  std::map<std::string, std::string> owners() {
    std::map<std::string, std::string> all;
    for (int i = 0; i < 300; ++i) all["key " + std::to_string(i)] = owner("key " + std::to_string(i));
    return all;
  }
};

TEST(KeyHashExample, a_key_has_one_backend_and_every_backend_its_share) {
  World world;
  const auto owners = world.owners();
  EXPECT_EQ(world.owners(), owners) << "the same again";
  std::map<std::string, int> shares;
  for (const auto& [key, owner] : owners) ++shares[owner];
  EXPECT_EQ(shares.size(), 3u);
  for (const auto& [owner, share] : shares) EXPECT_GT(share, 70) << owner;
}

TEST(KeyHashExample, only_the_keys_of_a_lost_backend_move) {
  World world;
  const auto before = world.owners();
  world.network.modes["b:2"] = ScriptedNetwork::Mode::kRefuse;
  world.network.servers[1]->close();
  world.settle();
  for (const auto& [key, owner] : world.owners()) {
    if (before.at(key) == "b:2") {
      EXPECT_NE(owner, "b:2");
    } else {
      EXPECT_EQ(owner, before.at(key));
    }
  }
}

TEST(KeyHashExample, it_is_as_short_as_promised) {
  std::ifstream file(GAGGLE_KEY_HASH_SOURCE);
  ASSERT_TRUE(file);
  int lines = 0;
  for (std::string line; std::getline(file, line);) ++lines;
  EXPECT_LT(lines, 80);
}

}  // namespace
}  // namespace gaggle
