// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/balancer/pick_first.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "gaggle/rpc/balancer/balancer_testing.h"

namespace gaggle {
namespace {

using namespace std::chrono_literals;
using State = ConnectivityState;

// A pick_first with its connection.
struct Helper final : BalancerWorld {
  std::unique_ptr<Balancer> balancer = PickFirstBuilder().build(*this);
  Status last;

  ~Helper() override {
    picker = nullptr;
    balancer.reset();
  }
  void resolve(const std::vector<std::string>& addresses, const BalancerConfig* config = nullptr) {
    last = balancer->on_resolved(state_of(addresses), config);
  }
  void fail(size_t index) { BalancerWorld::fail(at(index)); }
};

TEST(PickFirstTest, the_first_address_that_answers_gets_all_calls) {
  Helper helper;
  helper.resolve({"a:1", "b:2", "c:3"});
  ASSERT_EQ(helper.subconns.size(), 1u) << "one attempt at a time";
  EXPECT_EQ(helper.at(0).connects, 1);
  EXPECT_EQ(helper.pick().kind, PickResult::Kind::kQueue);
  helper.at(0).become(State::kConnecting);
  helper.fail(0);
  ASSERT_EQ(helper.subconns.size(), 2u) << "the next one's turn";
  helper.at(1).become(State::kReady);
  EXPECT_EQ(helper.states.back(), State::kReady);
  PickResult picked = helper.pick();
  EXPECT_EQ(picked.kind, PickResult::Kind::kComplete);
  EXPECT_EQ(picked.subconn, &helper.at(1));
  EXPECT_TRUE(helper.at(0).is_shut_down) << "nobody needs the others";
}

TEST(PickFirstTest, an_address_that_says_nothing_is_overtaken) {  // [179]
  Helper helper;
  helper.resolve({"a:1", "b:2", "c:3"});
  helper.at(0).become(State::kConnecting);
  helper.time.advance(249ms);
  EXPECT_EQ(helper.subconns.size(), 1u);
  helper.time.advance(1ms);
  ASSERT_EQ(helper.subconns.size(), 2u);
  EXPECT_FALSE(helper.at(0).is_shut_down) << "it may still win";
  helper.at(0).become(State::kReady);
  EXPECT_EQ(helper.pick().subconn, &helper.at(0));
  EXPECT_TRUE(helper.at(1).is_shut_down);
  helper.time.advance(1s);
  EXPECT_EQ(helper.subconns.size(), 2u) << "no more attempts";
}

TEST(PickFirstTest, when_all_have_failed_it_stays_failing_until_one_works) {
  Helper helper;
  helper.resolve({"a:1", "b:2"});
  helper.fail(0);
  EXPECT_NE(helper.states.back(), State::kTransientFailure) << "one is left";
  helper.fail(1);
  EXPECT_EQ(helper.states.back(), State::kTransientFailure);
  EXPECT_EQ(helper.resolves, 1) << "maybe they have moved";
  PickResult picked = helper.pick();
  EXPECT_EQ(picked.kind, PickResult::Kind::kFail);
  EXPECT_EQ(picked.status.message(), "b:2 refused") << "the last error is in the message";

  helper.at(0).become(State::kIdle);
  EXPECT_EQ(helper.at(0).connects, 2) << "tried again at the end of its backoff";
  helper.at(0).become(State::kConnecting);
  EXPECT_EQ(helper.states.back(), State::kTransientFailure) << "trying isn't working";
  helper.fail(0);
  helper.at(1).become(State::kIdle);
  helper.fail(1);
  EXPECT_EQ(helper.resolves, 2) << "another round has failed";
  helper.at(1).become(State::kIdle);
  helper.at(1).become(State::kReady);
  EXPECT_EQ(helper.states.back(), State::kReady);
}

TEST(PickFirstTest, a_lost_connection_means_idle_until_somebody_calls) {
  Helper helper;
  helper.resolve({"a:1", "b:2"});
  helper.at(0).become(State::kReady);
  helper.at(0).become(State::kIdle, Status::unavailable("gone"));
  EXPECT_EQ(helper.states.back(), State::kIdle);
  EXPECT_EQ(helper.resolves, 1);
  EXPECT_EQ(helper.at(0).connects, 1) << "not by itself";
  const Ref<Picker> idle = helper.picker;
  EXPECT_EQ(helper.pick().kind, PickResult::Kind::kQueue);
  EXPECT_EQ(helper.states.back(), State::kConnecting) << "the pick woke it";
  EXPECT_EQ(helper.at(0).connects, 2) << "from the first address";
  EXPECT_EQ(idle->pick({"/a/b", nullptr}).kind, PickResult::Kind::kQueue) << "an old picker does no harm";
  EXPECT_EQ(helper.at(0).connects, 2);
}

TEST(PickFirstTest, the_same_addresses_change_nothing) {  // [181]
  Helper helper;
  helper.resolve({"a:1", "b:2"});
  helper.at(0).become(State::kReady);
  const size_t reports = helper.states.size();
  for (int i = 0; i < 10; ++i) helper.resolve({"a:1", "b:2"});
  EXPECT_EQ(helper.states.size(), reports);
  EXPECT_FALSE(helper.at(0).is_shut_down);
}

TEST(PickFirstTest, a_new_list_keeps_the_ready_connection_if_its_address_is_in_it) {
  Helper helper;
  helper.resolve({"a:1", "b:2"});
  helper.at(0).become(State::kReady);
  helper.resolve({"c:3", "a:1"});
  EXPECT_FALSE(helper.at(0).is_shut_down);
  EXPECT_EQ(helper.pick().subconn, &helper.at(0));
  helper.resolve({"d:4"});
  EXPECT_TRUE(helper.at(0).is_shut_down);
  EXPECT_EQ(helper.states.back(), State::kConnecting);
  EXPECT_EQ(helper.subconns.back()->address().to_string(), "d:4");
}

TEST(PickFirstTest, no_addresses_and_resolver_errors_fail_calls) {  // [177]
  Helper helper;
  helper.balancer->on_resolver_error(Status::unavailable("no such host"));
  EXPECT_EQ(helper.pick().kind, PickResult::Kind::kFail);
  EXPECT_EQ(helper.pick().status.message(), "no such host");
  helper.resolve({});
  EXPECT_FALSE(helper.last) << "so that the resolver looks again";
  EXPECT_EQ(helper.states.back(), State::kTransientFailure);
  helper.resolve({"a:1"});
  EXPECT_EQ(helper.states.back(), State::kConnecting) << "there is something to try now";
  helper.at(0).become(State::kReady);
  helper.balancer->on_resolver_error(Status::unavailable("no such host"));
  EXPECT_EQ(helper.states.back(), State::kReady) << "what works is better than what the resolver says";
}

TEST(PickFirstTest, a_thousand_addresses_that_refuse_are_each_tried_once) {  // [178]
  Helper helper;
  std::vector<std::string> addresses;
  for (int i = 0; i < 1000; ++i)
    addresses.push_back("10.0." + std::to_string(i / 250) + "." + std::to_string(i % 250) + ":1");
  helper.resolve(addresses);
  for (size_t i = 0; i < 1000; ++i) {
    ASSERT_EQ(helper.subconns.size(), i + 1);
    helper.fail(i);
  }
  EXPECT_EQ(helper.states.back(), State::kTransientFailure);
  for (const auto& subconn : helper.subconns) EXPECT_EQ(subconn->connects, 1);
}

TEST(PickFirstTest, families_alternate_and_doubles_go) {
  ResolverState state;
  for (const std::string_view text : {"[::1]:1", "[::2]:1", "[::1]:1", "10.0.0.1:1", "10.0.0.2:1", "10.0.0.3:1"}) {
    state.endpoints.push_back({{*Address::parse(text)}});
  }
  std::vector<std::string> order;
  for (const Address& address : order_of_attempts(state)) order.push_back(address.to_string());
  EXPECT_EQ(order, (std::vector<std::string>{"[::1]:1", "10.0.0.1:1", "[::2]:1", "10.0.0.2:1", "10.0.0.3:1"}));
}

// gRFC A62.
TEST(PickFirstTest, a_config_may_ask_for_a_random_order_of_endpoints) {
  Ref<const BalancerConfig> config = *PickFirstBuilder().parse_config(R"({"shuffleAddressList": true})");
  Helper helper;
  helper.next_random = 0;
  helper.resolve({"a:1", "b:2", "c:3"}, config.get());
  EXPECT_EQ(helper.at(0).address().to_string(), "b:2") << "0 swaps each with the first, from the last one on";
  for (int i = 0; i < 10; ++i) helper.resolve({"a:1", "b:2", "c:3"}, config.get());
  EXPECT_EQ(helper.subconns.size(), 1u) << "the same list isn't shuffled again";
  helper.resolve({"a:1", "b:2", "c:3"}, nullptr);
  EXPECT_EQ(helper.subconns.back()->address().to_string(), "a:1") << "the config changed its mind";
}

TEST(PickFirstTest, addresses_of_one_endpoint_stay_in_order_when_endpoints_are_shuffled) {
  Ref<const BalancerConfig> config = *PickFirstBuilder().parse_config(R"({"shuffleAddressList": true})");
  Helper helper;
  helper.next_random = 0;
  ResolverState state = state_of({"a:1"});
  state.endpoints.push_back({{Address::tcp("b", 1), Address::tcp("b", 2)}});
  ASSERT_TRUE(helper.balancer->on_resolved(state, config.get()).is_ok());
  helper.fail(0);
  helper.fail(1);
  ASSERT_EQ(helper.subconns.size(), 3u);
  EXPECT_EQ(helper.at(0).address().to_string(), "b:1");
  EXPECT_EQ(helper.at(1).address().to_string(), "b:2");
  EXPECT_EQ(helper.at(2).address().to_string(), "a:1");
}

TEST(PickFirstTest, a_config_with_a_mistake_is_refused) {
  EXPECT_TRUE(PickFirstBuilder().parse_config("{}"));
  EXPECT_TRUE(PickFirstBuilder().parse_config(R"({"shuffleAddressList": false, "unknown": 1})"));
  EXPECT_FALSE(PickFirstBuilder().parse_config(R"({"shuffleAddressList": "yes"})"));
}

// gRFC A105: a ready SubConn may lose its connection while it makes another.
TEST(PickFirstTest, a_ready_one_that_connects_again_makes_calls_wait) {
  for (const State next : {State::kConnecting, State::kTransientFailure}) {
    Helper helper;
    helper.resolve({"a:1", "b:2"});
    helper.at(0).become(State::kReady);
    helper.at(0).become(next, Status::unavailable("gone"));
    EXPECT_EQ(helper.states.back(), State::kConnecting);
    EXPECT_EQ(helper.pick().kind, PickResult::Kind::kQueue);
    if (next == State::kConnecting) helper.time.advance(250ms);
    ASSERT_EQ(helper.subconns.size(), 2u) << "the other addresses are tried as well";
    helper.at(1).become(State::kReady);
    EXPECT_EQ(helper.pick_address(), "b:2");
  }
}

}  // namespace
}  // namespace gaggle
