// SPDX-License-Identifier: Apache-2.0
//
// What resolvers, service configs and balancers make of a connection's calls.
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gaggle/rpc/balancer/endpoint_balancer.h"
#include "gaggle/rpc/balancer/pickers.h"
#include "gaggle/rpc/client_testing.h"
#include "gaggle/rpc/stats_handler.h"

namespace gaggle {
namespace {

using namespace std::chrono_literals;
using Mode = ScriptedNetwork::Mode;

ResolverState state_with(const std::vector<std::string>& addresses, std::string_view config) {
  ResolverState state;
  for (const std::string& address : addresses) state.endpoints.push_back({{*Address::parse(address)}});
  state.service_config = ServiceConfig::parse(config);
  return state;
}

constexpr std::string_view kRoundRobin = R"({"loadBalancingConfig": [{"nobody_has_this": {}}, {"round_robin": {}}]})";
constexpr std::string_view kPickFirst = R"({"loadBalancingConfig": [{"pick_first": {}}]})";

// Makes a call and answers it, wherever it went; gives the address.
std::string call_goes_to(ClientWorld& world) {
  std::vector<size_t> before;
  for (auto& server : world.network.servers) before.push_back(server->requests.size());
  UnaryRun call(world, Context{}, "a");
  world.settle();
  for (size_t i = 0; i < world.network.servers.size(); ++i) {
    ScriptedServer& server = *world.network.servers[i];
    if (server.requests.size() == (i < before.size() ? before[i] : 0)) continue;
    server.answer(*server.requests.back(), "reply");
    world.settle();
    return call.done() && call.status().is_ok() ? world.network.dialled[i] : "failed";
  }
  return call.done() ? call.status().to_string() : "waits";
}

// --- Service configs ---

TEST(ClientPolicyTest, the_service_config_chooses_the_first_policy_that_is_known) {  // gRFC A24
  ClientWorld world;
  ClientConn& conn = world.connect();
  world.resolver.update(state_with({"a:1", "b:2"}, kRoundRobin));
  conn.connect();
  world.settle();
  EXPECT_EQ(world.network.dialled, (std::vector<std::string>{"a:1", "b:2"})) << "round_robin connects to all";
  const std::string first = call_goes_to(world);
  EXPECT_NE(call_goes_to(world), first);
}

TEST(ClientPolicyTest, a_policy_that_changes_takes_over_when_it_is_ready) {
  ClientWorld world;
  world.connect({}, {"a:1", "b:2"});
  EXPECT_EQ(call_goes_to(world), "a:1") << "pick_first";
  world.network.mode = Mode::kSilent;
  world.resolver.update(state_with({"a:1", "b:2"}, kRoundRobin));
  world.settle();
  EXPECT_EQ(world.network.dialled.size(), 3u) << "the new policy has begun";
  EXPECT_EQ(call_goes_to(world), "a:1") << "the old one still serves";
  EXPECT_FALSE(world.network.servers[0]->goaway_came);
  world.network.mode = Mode::kAnswer;
  world.advance(25s);
  EXPECT_EQ(world.conn->state(), ConnectivityState::kReady);
  EXPECT_TRUE(world.network.servers[0]->goaway_came) << "the old one's connection isn't needed any more";
}

TEST(ClientPolicyTest, running_calls_survive_a_change_of_policy) {
  ClientWorld world;
  world.connect({}, {"a:1", "b:2"});
  UnaryRun running(world, Context{}, "a");
  world.settle();
  for (int i = 0; i < 10; ++i) {
    world.resolver.update(state_with({"a:1", "b:2"}, i % 2 == 0 ? kRoundRobin : kPickFirst));
    world.settle();
  }
  ASSERT_FALSE(running.done());
  world.network.servers[0]->answer(world.network.servers[0]->request(0), "reply");
  world.settle();
  EXPECT_TRUE(running.done() && running.status().is_ok());
}

TEST(ClientPolicyTest, a_bad_config_keeps_the_last_good_one_and_takes_the_new_addresses) {  // gRFC A21
  ClientWorld world;
  world.connect();
  world.resolver.update(state_with({"a:1"}, kRoundRobin));
  EXPECT_EQ(call_goes_to(world), "a:1");
  for (const std::string_view bad : {R"({"methodConfig": 1})", R"({"loadBalancingConfig": [{"nobody": {}}]})",
                                     R"({"loadBalancingConfig": [{"pick_first": {"shuffleAddressList": 1}}]})"}) {
    world.resolver.update(state_with({"a:1", "b:2"}, bad));
    world.settle();
    EXPECT_EQ(world.conn->state(), ConnectivityState::kReady) << bad;
  }
  const std::string first = call_goes_to(world);
  EXPECT_NE(call_goes_to(world), first) << "round_robin still, over both";
}

TEST(ClientPolicyTest, a_bad_config_at_first_fails_hasty_calls) {  // gRFC A21
  ClientWorld world;
  world.connect();
  world.resolver.update(state_with({"a:1"}, R"({"loadBalancingConfig": [{"nobody": {}}]})"));
  UnaryRun hasty(world, Context{}, "a");
  UnaryRun patient(world, Context{}, "b", {.wait_for_ready = true});
  world.settle();
  ASSERT_TRUE(hasty.done());
  const Status status = hasty.status();
  EXPECT_EQ(status.code(), StatusCode::kUnavailable);
  EXPECT_NE(status.message().find("nobody"), std::string_view::npos) << status.to_string();
  EXPECT_TRUE(world.network.dialled.empty()) << "no policy, no connection";
  EXPECT_FALSE(patient.done());
  world.resolver.update(state_with({"a:1"}, "{}"));
  world.settle();
  ASSERT_EQ(world.network.servers.size(), 1u);
  world.server().answer(world.request(), "reply");
  world.settle();
  EXPECT_TRUE(patient.done() && patient.status().is_ok());
}

TEST(ClientPolicyTest, a_default_config_with_an_unknown_policy_is_an_error_at_creation) {
  ClientWorld world;
  ClientConnOptions options;
  options.credentials = insecure_credentials();
  options.default_service_config = R"({"loadBalancingConfig": [{"nobody": {}}]})";
  EXPECT_EQ(ClientConn::create(world.loops, "host:1", options).status().code(), StatusCode::kInvalidArgument);
  options.default_service_config = kRoundRobin;
  EXPECT_TRUE(ClientConn::create(world.loops, "host:1", options));
}

TEST(ClientPolicyTest, ignored_service_configs_change_nothing) {
  ClientWorld world;
  ClientConnOptions options;
  options.disable_service_config = true;
  world.connect(options);
  world.resolver.update(state_with({"a:1", "b:2"}, kRoundRobin));
  EXPECT_EQ(call_goes_to(world), "a:1");
  EXPECT_EQ(world.network.dialled.size(), 1u) << "pick_first";
}

// --- Pickers ---

// A policy with no SubConns, whose picker is the test's function.
struct Scripted final : BalancerBuilder {
  using Pick = std::function<PickResult(const PickInfo&)>;
  struct FunctionPicker final : Picker {
    explicit FunctionPicker(Pick function) : pick_(std::move(function)) {}
    PickResult pick(const PickInfo& info) override { return pick_(info); }
    const Pick pick_;
  };
  struct Policy final : Balancer {
    Policy(Scripted& made_by, BalancerHelper& connection) : builder(made_by), helper(connection) {
      builder.policy = this;
    }
    ~Policy() override { builder.policy = nullptr; }
    Status on_resolved(const ResolverState&, const BalancerConfig*) override {
      publish(builder.first);
      return {};
    }
    void on_resolver_error(const Status&) override {}
    void exit_idle() override {}
    void publish(Pick pick) {
      helper.update_state(ConnectivityState::kReady, make_ref<FunctionPicker>(std::move(pick)));
    }
    Scripted& builder;
    BalancerHelper& helper;
  };
  Pick first = [](const PickInfo&) { return PickResult::queue(); };
  Policy* policy = nullptr;

  std::string_view name() const noexcept override { return "scripted"; }
  std::unique_ptr<Balancer> build(BalancerHelper& helper) override { return std::make_unique<Policy>(*this, helper); }
};

struct PickWorld : ClientWorld {
  Scripted scripted;
  void use(Scripted::Pick pick, ClientConnOptions options = {}) {
    scripted.first = std::move(pick);
    options.balancers = {&scripted};
    options.balancer = "scripted";
    connect(options);
  }
  void publish(Scripted::Pick pick) {
    const Loop::Enter enter(time.loop);
    scripted.policy->publish(std::move(pick));
  }
  ~PickWorld() { conn.reset(); }
};

// Chooses any endpoint, and passes on what it hears at the end of each attempt.
struct Observed final : BalancerBuilder {
  using Done = std::function<void(const PickDone&)>;
  struct Pick final : Picker {
    Pick(Ref<Picker> picker, Done& done) : inner(std::move(picker)), told(done) {}
    PickResult pick(const PickInfo& info) override {
      PickResult result = inner->pick(info);
      result.done = [&told = told](const PickDone& done) { told(done); };
      return result;
    }
    const Ref<Picker> inner;
    Done& told;
  };
  struct Policy final : EndpointBalancer {
    Policy(BalancerHelper& helper, Done& done) : EndpointBalancer(helper), told(done) {}
    Ref<Picker> make_picker(std::span<const ReadyEndpoint> ready) override {
      return make_ref<Pick>(ready.front().picker, told);
    }
    Done& told;
  };
  explicit Observed(Done done) : told(std::move(done)) {}
  std::string_view name() const noexcept override { return "observed"; }
  std::unique_ptr<Balancer> build(BalancerHelper& helper) override { return std::make_unique<Policy>(helper, told); }
  Done told;
};

TEST(ClientPickTest, a_call_that_was_queued_asks_each_new_picker) {
  PickWorld world;
  int asked = 0;
  const auto queue = [&](const PickInfo&) {
    ++asked;
    return PickResult::queue();
  };
  world.use(queue);
  UnaryRun call(world, Context{}, "a");
  world.settle();
  EXPECT_EQ(asked, 1);
  world.publish(queue);
  world.settle();
  EXPECT_EQ(asked, 2);
  EXPECT_FALSE(call.done());
  world.publish([](const PickInfo&) { return PickResult::fail(Status::unavailable("no more")); });
  world.settle();
  ASSERT_TRUE(call.done());
  EXPECT_EQ(call.status().to_string(), "UNAVAILABLE: no more");
}

TEST(ClientPickTest, a_plain_failure_fails_the_hasty_only_and_a_drop_everybody) {
  PickWorld world;
  world.use([](const PickInfo&) { return PickResult::fail(Status::unavailable("no backend")); });
  UnaryRun hasty(world, Context{}, "a");
  UnaryRun patient(world, Context{}, "b", {.wait_for_ready = true});
  UnaryRun late(world, world.in(1s), "c", {.wait_for_ready = true});
  world.settle();
  ASSERT_TRUE(hasty.done());
  EXPECT_EQ(hasty.status().to_string(), "UNAVAILABLE: no backend");
  world.advance(1s);
  ASSERT_TRUE(late.done());
  const Status expired = late.status();
  EXPECT_EQ(expired.code(), StatusCode::kDeadlineExceeded);
  EXPECT_NE(expired.message().find("no backend"), std::string_view::npos) << "the last reason: " << expired.to_string();
  EXPECT_FALSE(patient.done());
  world.publish([](const PickInfo&) { return PickResult::drop(Status::resource_exhausted("too many")); });
  world.settle();
  ASSERT_TRUE(patient.done());
  EXPECT_EQ(patient.status().to_string(), "RESOURCE_EXHAUSTED: too many");
}

// gRFC A54.
TEST(ClientPickTest, codes_that_only_a_server_may_give_become_internal) {
  for (int number = 1; number <= 16; ++number) {
    const auto code = static_cast<StatusCode>(number);
    PickWorld world;
    world.use([code](const PickInfo&) { return PickResult::drop(Status(code, "from the picker")); });
    UnaryRun call(world, Context{}, "a");
    world.settle();
    ASSERT_TRUE(call.done());
    const bool server_only = code == StatusCode::kInvalidArgument || code == StatusCode::kNotFound ||
                             code == StatusCode::kAlreadyExists || code == StatusCode::kFailedPrecondition ||
                             code == StatusCode::kAborted || code == StatusCode::kOutOfRange ||
                             code == StatusCode::kDataLoss;
    EXPECT_EQ(call.status().code(), server_only ? StatusCode::kInternal : code) << number;
  }
}

// What the balancer hears of each attempt: grpc-go's DoneInfo.Trailer, where load reports are (gRFC A51).
TEST(ClientPickTest, the_balancer_sees_the_trailers_of_what_it_placed) {
  ClientWorld world;
  std::vector<std::string> told;
  Observed observed([&](const PickDone& done) {
    std::string line(status_code_name(done.status.code()));
    if (done.trailer == nullptr) {
      line += " without";
    } else {
      Metadata read;
      done.trailer->read(read);
      line += " " + std::string(done.trailer->find("load-bin").value_or("-")) + " " +
              std::string(read.get("load-bin").value_or("-"));
    }
    told.push_back(line);
  });
  ClientConnOptions options;
  options.balancers = {&observed};
  options.balancer = "observed";
  options.default_service_config =
      R"({"methodConfig": [{"name": [{}], "retryPolicy": {"maxAttempts": 2, "initialBackoff": "0.1s",
          "maxBackoff": "1s", "backoffMultiplier": 2, "retryableStatusCodes": ["UNAVAILABLE"]}}]})";
  world.connect(options);
  UnaryRun retried(world, Context{}, "a");
  world.settle();
  world.server().send_fields(
      world.request(0),
      {{":status", "200"}, {"content-type", "application/grpc"}, {"grpc-status", "14"}, {"load-bin", "Yg"}}, true);
  world.settle();
  world.advance(120ms);
  world.server().send_headers(world.request(1));
  world.server().send_message(world.request(1), "reply");
  world.server().send_trailers(world.request(1), "0", {{"load-bin", "YQ"}});
  world.settle();
  EXPECT_TRUE(retried.done());
  UnaryRun cancelled(world, Context{}, "b");
  world.settle();
  cancelled.source.cancel();
  world.settle();
  EXPECT_EQ(told, (std::vector<std::string>{"UNAVAILABLE Yg b", "OK YQ a", "CANCELLED without"}));
  world.conn.reset();
}

TEST(ClientPickTest, a_picker_sees_method_and_metadata) {
  PickWorld world;
  Metadata always;
  ASSERT_TRUE(always.add("tenant", "everybody").is_ok());
  std::string seen;
  ClientConnOptions options;
  options.call_defaults.metadata = &always;
  world.use(
      [&](const PickInfo& info) {
        seen = std::string(info.method) + " " + std::string(info.header("tenant").value_or("?")) + " " +
               std::string(info.header("key").value_or("?"));
        return PickResult::fail(Status::unavailable("seen"));
      },
      options);
  Metadata own;
  ASSERT_TRUE(own.add("key", "k1").is_ok());
  UnaryRun call(world, Context{}, "a", {.metadata = &own});
  world.settle();
  EXPECT_EQ(seen, "/test.Service/Unary everybody k1");
}

// --- Authority ---

// Credentials that name a server, and protect nothing.
struct Named final : ChannelCredentials {
  SecurityLevel security_level() const noexcept override { return SecurityLevel::kNone; }
  std::string_view scheme() const noexcept override { return "http"; }
  std::string_view server_name() const noexcept override { return "by.certificate"; }
  bool has_handshake() const noexcept override { return false; }
  Task<Result<std::unique_ptr<ByteStream>>> handshake(std::unique_ptr<ByteStream> stream, std::string,
                                                      Context) const override {
    co_return stream;
  }
};

struct Overriding final : ResolverBuilder {
  std::string_view scheme() const noexcept override { return "overriding"; }
  std::optional<std::string> authority(const Target&) const override { return "by.resolver"; }
  Result<std::unique_ptr<Resolver>> build(const Target& target, ResolverListener& listener,
                                          const ResolverOptions& options) override {
    return inner.build(target, listener, options);
  }
  ManualResolver inner;
};

std::string authority_of(ClientConnOptions options, std::string_view target, CallOptions call_options = {}) {
  ClientWorld world;
  ManualResolver manual;
  Overriding overriding;
  for (ManualResolver* each : {&manual, &overriding.inner}) each->update({{{{*Address::parse("a:1")}}}});
  options.resolvers = {&manual, &overriding};
  options.dialer = &world.network;
  if (options.credentials == nullptr) options.credentials = insecure_credentials();
  world.conn = std::move(*ClientConn::create(world.loops, target, std::move(options)));
  UnaryRun call(world, Context{}, "a", call_options);
  world.settle();
  std::string authority = world.request().header(":authority");
  call.source.cancel();
  world.settle();
  world.conn.reset();
  return authority;
}

TEST(ClientAuthorityTest, one_that_cannot_travel_is_refused_before_anything_is_sent) {
  ClientWorld world;
  world.connect();
  for (const char* bad : {"a.example\r\nx: y", "a b", "caf\xc3\xa9.example", "a\x7f"}) {
    UnaryRun call(world, Context{}, "x", {.authority = bad});
    world.settle();
    ASSERT_TRUE(call.done());
    EXPECT_EQ(call.status().code(), StatusCode::kInternal) << bad;
    ClientConnOptions options{.credentials = insecure_credentials()};
    options.authority = bad;
    const auto conn = ClientConn::create(world.loops, "passthrough:///a:1", std::move(options));
    EXPECT_EQ(conn.status().code(), StatusCode::kInvalidArgument) << bad;
  }
  EXPECT_TRUE(world.network.dialled.empty());
}

TEST(ClientAuthorityTest, the_call_then_the_option_then_the_resolver_then_the_certificate_then_the_target) {
  const Named named;
  const auto with = [&](std::string_view authority) {
    ClientConnOptions options;
    options.credentials = &named;
    options.authority = authority;
    return options;
  };
  EXPECT_EQ(authority_of(with("by.option"), "overriding:///by.target", {.authority = "by.call"}), "by.call");
  EXPECT_EQ(authority_of(with("by.option"), "overriding:///by.target"), "by.option");
  EXPECT_EQ(authority_of(with(""), "overriding:///by.target"), "by.resolver");
  EXPECT_EQ(authority_of(with(""), "manual:///by.target"), "by.certificate");
  EXPECT_EQ(authority_of({}, "manual:///by.target"), "by.target");
}

}  // namespace
}  // namespace gaggle
