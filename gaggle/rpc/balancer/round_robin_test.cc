// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/balancer/round_robin.h"

#include <gtest/gtest.h>

#include <map>

#include "gaggle/rpc/balancer/balancer_testing.h"

namespace gaggle {
namespace {

using namespace std::chrono_literals;
using State = ConnectivityState;

struct World final : BalancerWorld {
  std::unique_ptr<Balancer> balancer = RoundRobinBuilder().build(*this);

  ~World() override {
    picker = nullptr;
    balancer.reset();
  }
  Status resolve(const std::vector<std::string>& addresses) {
    return balancer->on_resolved(state_of(addresses), nullptr);
  }
  std::map<std::string, int> spread(int calls) {
    std::map<std::string, int> counts;
    for (int i = 0; i < calls; ++i) ++counts[pick_address()];
    return counts;
  }
};

TEST(RoundRobinTest, every_endpoint_is_connected_and_gets_its_turn) {
  World world;
  ASSERT_TRUE(world.resolve({"a:1", "b:2", "c:3"}).is_ok());
  EXPECT_EQ(world.states.back(), State::kConnecting);
  EXPECT_EQ(world.pick_address(), "queue");
  for (const auto& subconn : world.subconns) EXPECT_EQ(subconn->connects, 1) << "without a call";
  world.ready("b:2");
  EXPECT_EQ(world.states.back(), State::kReady) << "one is enough";
  EXPECT_EQ(world.spread(3), (std::map<std::string, int>{{"b:2", 3}}));
  world.ready("a:1");
  world.ready("c:3");
  EXPECT_EQ(world.spread(300), (std::map<std::string, int>{{"a:1", 100}, {"b:2", 100}, {"c:3", 100}}));
  const std::string first = world.pick_address();
  EXPECT_NE(world.pick_address(), first) << "turns, not luck";
}

TEST(RoundRobinTest, it_begins_at_a_random_endpoint) {
  World world;
  ASSERT_TRUE(world.resolve({"a:1", "b:2", "c:3"}).is_ok());
  world.ready("a:1");
  world.ready("b:2");
  world.next_random = 2;
  world.ready("c:3");
  EXPECT_EQ(world.pick_address(), "c:3");
}

TEST(RoundRobinTest, a_lost_connection_is_left_out_and_remade_at_once) {
  World world;
  ASSERT_TRUE(world.resolve({"a:1", "b:2"}).is_ok());
  world.ready("a:1");
  world.ready("b:2");
  FakeSubConn& a = world.to("a:1");
  a.become(State::kIdle, Status::unavailable("gone"));
  EXPECT_EQ(world.spread(4), (std::map<std::string, int>{{"b:2", 4}})) << "nobody waits for the lost one";
  EXPECT_EQ(world.resolves, 1) << "maybe the list has changed";
  world.time.settle();
  EXPECT_EQ(a.connects, 2) << "without a call";
  world.ready("a:1");
  EXPECT_EQ(world.spread(4), (std::map<std::string, int>{{"a:1", 2}, {"b:2", 2}}));
}

TEST(RoundRobinTest, it_fails_only_when_all_have_failed_and_stays_so_until_one_works) {
  World world;
  ASSERT_TRUE(world.resolve({"a:1", "b:2"}).is_ok());
  world.fail("a:1");
  EXPECT_EQ(world.states.back(), State::kConnecting);
  world.fail("b:2");
  EXPECT_EQ(world.states.back(), State::kTransientFailure);
  EXPECT_EQ(world.pick().kind, PickResult::Kind::kFail);
  EXPECT_EQ(world.pick().status.message(), "b:2 refused") << "the reason is in the message";
  world.to("a:1").become(State::kIdle);
  world.to("a:1").become(State::kConnecting);
  EXPECT_EQ(world.states.back(), State::kTransientFailure) << "trying isn't working";
  world.ready("a:1");
  EXPECT_EQ(world.pick_address(), "a:1");
}

TEST(RoundRobinTest, a_new_list_keeps_the_connections_of_those_that_stay) {  // [181]
  World world;
  ASSERT_TRUE(world.resolve({"a:1", "b:2", "b:2"}).is_ok());
  EXPECT_EQ(world.subconns.size(), 2u) << "one that appears twice counts once";
  world.ready("a:1");
  world.ready("b:2");
  ASSERT_TRUE(world.resolve({"b:2", "c:3"}).is_ok());
  EXPECT_TRUE(world.to("a:1").is_shut_down);
  EXPECT_FALSE(world.to("b:2").is_shut_down);
  EXPECT_EQ(world.spread(4), (std::map<std::string, int>{{"b:2", 4}}));
  world.ready("c:3");
  EXPECT_EQ(world.spread(4), (std::map<std::string, int>{{"b:2", 2}, {"c:3", 2}}));
}

TEST(RoundRobinTest, no_addresses_fail_calls_and_make_the_resolver_look_again) {  // [177]
  World world;
  EXPECT_FALSE(world.resolve({}).is_ok());
  EXPECT_EQ(world.states.back(), State::kTransientFailure);
  world.balancer->on_resolver_error(Status::unavailable("no such host"));
  EXPECT_EQ(world.pick().status.message(), "no such host");
  ASSERT_TRUE(world.resolve({"a:1"}).is_ok());
  EXPECT_EQ(world.states.back(), State::kConnecting);
  world.ready("a:1");
  world.balancer->on_resolver_error(Status::unavailable("no such host"));
  EXPECT_EQ(world.pick_address(), "a:1") << "what works is better than what the resolver says";
}

// gRFC A61: an endpoint's addresses are ways to the same backend.
TEST(RoundRobinTest, an_endpoint_with_two_addresses_is_one_backend) {
  World world;
  ResolverState state = state_of({"a:1"});
  state.endpoints.push_back({{Address::tcp("::1", 2), Address::tcp("127.0.0.1", 2)}});
  ASSERT_TRUE(world.balancer->on_resolved(state, nullptr).is_ok());
  world.ready("a:1");
  world.to("[::1]:2").become(State::kConnecting);
  world.time.advance(250ms);
  world.ready("127.0.0.1:2");
  EXPECT_EQ(world.spread(4), (std::map<std::string, int>{{"a:1", 2}, {"127.0.0.1:2", 2}}));
  EXPECT_TRUE(world.to("[::1]:2").is_shut_down);
}

}  // namespace
}  // namespace gaggle
