// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/balancer/graceful_switch.h"

#include <gtest/gtest.h>

#include "gaggle/rpc/balancer/balancer_testing.h"
#include "gaggle/rpc/balancer/pick_first.h"
#include "gaggle/rpc/balancer/round_robin.h"

namespace gaggle {
namespace {

using State = ConnectivityState;

struct World final : BalancerWorld {
  PickFirstBuilder pick_first;
  RoundRobinBuilder round_robin;
  std::unique_ptr<GracefulSwitch> policy = std::make_unique<GracefulSwitch>(*this);

  ~World() override {
    picker = nullptr;
    policy.reset();
  }
  void use(BalancerBuilder& builder, const std::vector<std::string>& addresses) {
    EXPECT_TRUE(policy->on_resolved(builder, state_of(addresses), nullptr).is_ok());
  }
};

TEST(GracefulSwitchTest, the_old_policy_serves_until_the_new_one_is_ready) {
  World world;
  world.use(world.pick_first, {"a:1", "b:2"});
  world.ready("a:1");
  FakeSubConn& old = world.to("a:1");
  world.use(world.round_robin, {"a:1", "b:2"});
  EXPECT_EQ(world.states.back(), State::kReady) << "nobody notices yet";
  EXPECT_EQ(world.pick().subconn, &old);
  world.ready("b:2");
  EXPECT_EQ(world.pick_address(), "b:2") << "the new one has taken over";
  EXPECT_FALSE(old.is_shut_down) << "not while it may be in use";
  world.time.settle();
  EXPECT_TRUE(old.is_shut_down);
}

TEST(GracefulSwitchTest, the_new_policy_takes_over_when_it_fails_too) {
  World world;
  world.use(world.pick_first, {"a:1"});
  world.ready("a:1");
  world.use(world.round_robin, {"b:2"});
  EXPECT_EQ(world.pick_address(), "a:1");
  world.fail("b:2");
  EXPECT_EQ(world.states.back(), State::kTransientFailure) << "that is what its owner wants to know";
}

TEST(GracefulSwitchTest, an_old_policy_that_isnt_ready_is_replaced_at_once) {
  World world;
  world.use(world.pick_first, {"a:1"});
  world.use(world.round_robin, {"b:2"});
  world.time.settle();
  EXPECT_TRUE(world.to("a:1").is_shut_down);
  world.ready("b:2");
  EXPECT_EQ(world.pick_address(), "b:2");
}

TEST(GracefulSwitchTest, an_old_policy_that_loses_its_connection_gives_way) {
  World world;
  world.use(world.pick_first, {"a:1"});
  world.ready("a:1");
  world.use(world.round_robin, {"b:2"});
  world.to("a:1").become(State::kIdle, Status::unavailable("gone"));
  EXPECT_EQ(world.states.back(), State::kConnecting) << "what the new one is in";
  EXPECT_EQ(world.pick_address(), "queue");
  world.time.settle();
  EXPECT_TRUE(world.to("a:1").is_shut_down);
}

TEST(GracefulSwitchTest, a_third_policy_replaces_the_one_that_waits) {
  World world;
  PickFirstBuilder third;
  world.use(world.pick_first, {"a:1"});
  world.ready("a:1");
  world.use(world.round_robin, {"b:2"});
  world.use(third, {"c:3"});
  world.time.settle();
  EXPECT_TRUE(world.to("b:2").is_shut_down);
  EXPECT_EQ(world.pick_address(), "a:1");
  world.ready("c:3");
  EXPECT_EQ(world.pick_address(), "c:3");
}

TEST(GracefulSwitchTest, the_same_policy_hears_of_new_addresses) {
  World world;
  world.use(world.round_robin, {"a:1"});
  world.ready("a:1");
  world.use(world.round_robin, {"a:1", "b:2"});
  EXPECT_EQ(world.pick_address(), "a:1");
  EXPECT_FALSE(world.to("a:1").is_shut_down) << "nothing is thrown away";
}

TEST(GracefulSwitchTest, an_error_before_there_is_a_policy_fails_calls) {
  World world;
  world.policy->on_resolver_error(Status::unavailable("no such host"));
  EXPECT_EQ(world.states.back(), State::kTransientFailure);
  EXPECT_EQ(world.pick().status.message(), "no such host");
}

}  // namespace
}  // namespace gaggle
