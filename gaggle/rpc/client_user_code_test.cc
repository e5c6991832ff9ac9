// SPDX-License-Identifier: Apache-2.0
//
// Balancers and resolvers that throw, or give nothing where something is needed: they cost calls, never the
// program.
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gaggle/rpc/balancer/endpoint_balancer.h"
#include "gaggle/rpc/client_user_code_testing.h"

namespace gaggle {
namespace {

using namespace std::chrono_literals;

// --- Balancers ---

// A policy that does what a test says in each of its functions, and is pick_first's like otherwise.
struct Wilful final : BalancerBuilder {
  struct Policy;
  struct WilfulPicker final : Picker {
    WilfulPicker(Wilful& builder, Ref<SubConn> subconn) : builder_(builder), subconn_(std::move(subconn)) {}
    PickResult pick(const PickInfo&) override { return builder_.on_pick(*subconn_); }
    Wilful& builder_;
    const Ref<SubConn> subconn_;
  };
  struct Policy final : Balancer, SubConnListener {
    Policy(Wilful& made_by, BalancerHelper& connection) : builder(made_by), helper(connection) { ++builder.alive; }
    ~Policy() override {
      if (subconn) subconn->shutdown();
      --builder.alive;
    }
    Status on_resolved(const ResolverState& state, const BalancerConfig*) override {
      builder.act("on_resolved");
      if (!subconn) {
        subconn = helper.new_subconn(state.endpoints.at(0).addresses.at(0), *this);
        subconn->connect();
      }
      return {};
    }
    void on_resolver_error(const Status&) override { builder.act("on_resolver_error"); }
    void exit_idle() override { builder.act("exit_idle"); }
    void on_subconn_state(SubConn&, const SubConnState& state) override {
      builder.act("on_subconn_state");
      const bool ready = state.state == ConnectivityState::kReady;
      if (!ready) return helper.update_state(state.state, make_ref<QueuePicker>());
      helper.update_state(ConnectivityState::kReady,
                          builder.bad == "no picker" ? nullptr : make_ref<WilfulPicker>(builder, subconn));
    }
    struct QueuePicker final : Picker {
      PickResult pick(const PickInfo&) override { return PickResult::queue(); }
    };
    Wilful& builder;
    BalancerHelper& helper;
    Ref<SubConn> subconn;
  };

  std::string_view name() const noexcept override { return "wilful"; }
  std::unique_ptr<Balancer> build(BalancerHelper& helper) override {
    ++built;
    act("build");
    if (bad == "no balancer") return nullptr;
    return std::make_unique<Policy>(*this, helper);
  }
  Result<Ref<const BalancerConfig>> parse_config(std::string_view) const override {
    if (bad == "parse_config") fail_loudly();
    return Ref<const BalancerConfig>{};
  }
  void act(std::string_view where) const {
    if (bad == where) fail_loudly();
  }

  std::string bad;
  int built = 0;
  int alive = 0;
  std::function<PickResult(SubConn&)> on_pick = [](SubConn& subconn) { return PickResult::complete(subconn); };
};

struct BalancerRun : ClientWorld {
  Wilful policy;
  BalancerRun() {
    ClientConnOptions options;
    options.balancers = {&policy};
    options.balancer = "wilful";
    connect(options);
  }
  ~BalancerRun() { conn.reset(); }
};

TEST(ClientUserCode, a_picker_that_throws_or_contradicts_itself_ends_the_call_it_was_asked_for) {
  BalancerRun world;
  EXPECT_EQ(outcome_of_call(world), "OK");
  world.policy.on_pick = [](SubConn&) -> PickResult { fail_loudly(); };
  EXPECT_EQ(outcome_of_call(world), "INTERNAL: the picker threw an exception: no idea");
  EXPECT_EQ(outcome_of_call(world, {.wait_for_ready = true}), "INTERNAL: the picker threw an exception: no idea");
  world.policy.on_pick = [](SubConn&) -> PickResult { throw 7; };
  EXPECT_EQ(outcome_of_call(world), "INTERNAL: the picker threw something that is no std::exception");
  world.policy.on_pick = [](SubConn&) -> PickResult { return {.kind = PickResult::Kind::kComplete}; };
  EXPECT_EQ(outcome_of_call(world), "INTERNAL: the picker has chosen, but no connection");
  world.policy.on_pick = [](SubConn&) { return PickResult::drop(Status::ok()); };
  EXPECT_EQ(outcome_of_call(world), "INTERNAL: the picker dropped the call with OK") << "nobody has answered it";
  world.policy.on_pick = [](SubConn&) { return PickResult::fail(Status::ok()); };
  EXPECT_EQ(outcome_of_call(world), "UNAVAILABLE: the picker failed the call and doesn't say why");
  world.policy.on_pick = [](SubConn& subconn) { return PickResult::complete(subconn); };
  EXPECT_EQ(outcome_of_call(world), "OK") << "the others aren't concerned";
  EXPECT_EQ(world.policy.built, 1);
}

TEST(ClientUserCode, what_a_pick_throws_when_its_call_has_ended_changes_nothing) {
  BalancerRun world;
  int told = 0;
  world.policy.on_pick = [&told](SubConn& subconn) {
    PickResult result = PickResult::complete(subconn);
    result.done = [&told](const PickDone&) {
      ++told;
      fail_loudly();
    };
    return result;
  };
  EXPECT_EQ(outcome_of_call(world), "OK");
  EXPECT_EQ(told, 1);
}

// One second after it, the resolver is asked; what it reports builds the policy anew.
TEST(ClientUserCode, a_balancer_that_throws_is_replaced_when_the_resolver_has_reported_again) {
  const std::string said = "INTERNAL: the balancer \"wilful\"";
  for (const auto& [bad, expected] : std::vector<std::pair<std::string, std::string>>{
           {"build", "INTERNAL: the builder of the balancer \"wilful\" threw an exception: no idea"},
           {"no balancer", "INTERNAL: the builder of the balancer \"wilful\" made none"},
           {"on_resolved", said + " threw an exception: no idea"},
           {"on_subconn_state", said + ": on_subconn_state() threw an exception: no idea"},
           {"no picker", said + " gave no picker"}}) {
    BalancerRun world;
    world.policy.bad = bad;
    EXPECT_EQ(outcome_of_call(world, {.wait_for_ready = true}), expected) << bad;
    EXPECT_EQ(world.conn->state(), ConnectivityState::kTransientFailure) << bad;
    EXPECT_EQ(outcome_of_call(world), expected) << bad;
    if (bad == "no picker") continue;  // it wasn't said by an exception: the balancer goes on
    EXPECT_EQ(world.policy.built, 1) << bad << ": not again and again";
    EXPECT_EQ(world.policy.alive, 0) << bad;
    const uint64_t asked = world.resolver.asked();
    world.advance(1s);
    EXPECT_EQ(world.resolver.asked(), asked + 1) << bad;
    world.policy.bad.clear();
    world.resolve_to({"a:1"});
    world.settle();
    EXPECT_EQ(outcome_of_call(world), "OK") << bad;
  }
}

TEST(ClientUserCode, a_working_balancer_that_throws_at_bad_news_is_replaced_too) {
  BalancerRun world;
  EXPECT_EQ(outcome_of_call(world), "OK");
  world.policy.bad = "on_resolver_error";
  world.resolver.fail(Status::unavailable("no such name"));
  world.settle();
  EXPECT_EQ(outcome_of_call(world), "INTERNAL: the balancer \"wilful\" threw an exception: no idea");
  world.policy.bad = "exit_idle";
  world.conn->connect();
  world.settle();
  world.resolve_to({"a:1"});
  world.settle();
  EXPECT_EQ(outcome_of_call(world), "OK");
}

TEST(ClientUserCode, a_policy_that_throws_at_its_config_refuses_it) {
  ClientWorld world;
  Wilful policy;
  policy.bad = "parse_config";
  ClientConnOptions options{.credentials = insecure_credentials()};
  options.balancers = {&policy};
  options.default_service_config = R"({"loadBalancingConfig": [{"wilful": {}}]})";
  const auto conn = ClientConn::create(world.loops, "passthrough:///a:1", options);
  EXPECT_EQ(conn.status().code(), StatusCode::kInvalidArgument) << conn.status().to_string();
}

struct NoPicker final : BalancerBuilder {
  struct Policy final : EndpointBalancer {
    Policy(NoPicker& made_by, BalancerHelper& helper) : EndpointBalancer(helper), builder(made_by) {}
    Ref<Picker> make_picker(std::span<const ReadyEndpoint> ready) override {
      if (builder.mode == 1) fail_loudly();
      return builder.mode == 2 ? nullptr : ready.front().picker;
    }
    NoPicker& builder;
  };
  std::string_view name() const noexcept override { return "no_picker"; }
  std::unique_ptr<Balancer> build(BalancerHelper& helper) override { return std::make_unique<Policy>(*this, helper); }
  int mode = 0;
};

TEST(ClientUserCode, an_endpoint_balancer_without_a_picker_fails_until_it_makes_one) {
  ClientWorld world;
  NoPicker policy;
  ClientConnOptions options;
  options.balancers = {&policy};
  options.balancer = "no_picker";
  policy.mode = 1;
  world.connect(options);
  EXPECT_EQ(outcome_of_call(world), "INTERNAL: the balancer's make_picker() threw an exception: no idea");
  EXPECT_EQ(world.conn->state(), ConnectivityState::kTransientFailure);
  policy.mode = 2;
  world.resolve_to({"a:1"});
  world.settle();
  EXPECT_EQ(outcome_of_call(world), "INTERNAL: the balancer \"no_picker\" gave no picker");
  policy.mode = 0;
  world.resolve_to({"a:1"});
  world.settle();
  EXPECT_EQ(outcome_of_call(world), "OK");
  world.conn.reset();
}

// --- Resolvers ---

struct WilfulResolver final : ResolverBuilder {
  struct Instance final : Resolver {
    void resolve_now() override { fail_loudly(); }
  };
  std::string_view scheme() const noexcept override { return "wilful"; }
  Status check(const Target&) const override {
    if (bad == "check") fail_loudly();
    return {};
  }
  Result<std::unique_ptr<Resolver>> build(const Target& target, ResolverListener& listener,
                                          const ResolverOptions& options) override {
    if (bad == "build") fail_loudly();
    if (bad == "null") return std::unique_ptr<Resolver>();
    if (bad == "resolve_now") {
      listening = &listener;
      return std::unique_ptr<Resolver>(std::make_unique<Instance>());
    }
    return inner.build(target, listener, options);
  }
  ManualResolver inner;
  ResolverListener* listening = nullptr;
  std::string bad;
};

TEST(ClientUserCode, a_resolver_that_cannot_be_built_fails_the_call_that_needed_it) {
  ClientWorld world;
  WilfulResolver resolver;
  resolver.inner.update({{{{*Address::parse("a:1")}}}});
  ClientConnOptions options{.credentials = insecure_credentials()};
  options.resolvers = {&resolver};
  options.dialer = &world.network;
  resolver.bad = "check";
  EXPECT_EQ(ClientConn::create(world.loops, "wilful:x", options).status().code(), StatusCode::kInternal);
  options.resolvers.push_back(nullptr);
  EXPECT_EQ(ClientConn::create(world.loops, "wilful:x", options).status().code(), StatusCode::kInvalidArgument);
  options.resolvers.pop_back();
  resolver.bad.clear();
  world.conn = std::move(*ClientConn::create(world.loops, "wilful:x", options));
  resolver.bad = "build";
  EXPECT_EQ(outcome_of_call(world), "INTERNAL: the resolver's builder threw an exception: no idea");
  resolver.bad = "null";
  EXPECT_EQ(outcome_of_call(world), "INTERNAL: the resolver's builder made none");
  resolver.bad.clear();
  EXPECT_EQ(outcome_of_call(world), "OK");
  world.conn.reset();
}

TEST(ClientUserCode, a_resolver_that_throws_when_asked_again_is_left_alone) {
  ClientWorld world;
  WilfulResolver resolver;
  resolver.bad = "resolve_now";
  ClientConnOptions options{.credentials = insecure_credentials()};
  options.resolvers = {&resolver};
  options.dialer = &world.network;
  world.conn = std::move(*ClientConn::create(world.loops, "wilful:x", options));
  world.conn->connect();
  world.settle();
  {
    const Loop::Enter enter(world.time.loop);
    static_cast<void>(resolver.listening->on_resolved({{{{*Address::parse("a:1")}}}}));
  }
  EXPECT_EQ(outcome_of_call(world), "OK");
  world.server().close();  // pick_first asks the resolver then
  world.settle();
  EXPECT_EQ(outcome_of_call(world), "OK");
  world.conn.reset();
}

}  // namespace
}  // namespace gaggle
