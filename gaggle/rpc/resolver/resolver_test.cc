// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/resolver/resolver.h"

#include <gtest/gtest.h>

#include <deque>
#include <string>
#include <vector>

#include "gaggle/net/event.h"
#include "gaggle/net/loop_testing.h"
#include "gaggle/net/sleep.h"
#include "gaggle/rpc/resolver/dns.h"
#include "gaggle/rpc/resolver/fixed.h"
#include "gaggle/rpc/resolver/manual.h"

namespace gaggle {
namespace {

using namespace std::chrono_literals;

struct Listener final : ResolverListener {
  std::vector<std::string> heard;  // "a:1 b:2", or the error
  Status answer;                   // to what is resolved
  std::optional<Result<Ref<const ServiceConfig>>> config;

  Status on_resolved(ResolverState state) override {
    config = state.service_config;
    std::string text;
    for (const Endpoint& endpoint : state.endpoints) {
      for (const Address& address : endpoint.addresses) text += (text.empty() ? "" : " ") + address.to_string();
    }
    heard.push_back(text);
    return answer;
  }
  void on_resolver_error(const Status& error) override { heard.push_back(error.to_string()); }
};

Target target_of(std::string_view text) {
  return *parse_target(text, "passthrough", [](std::string_view) { return true; });
}

struct World {
  VirtualLoop time;
  Listener listener;
  std::unique_ptr<Resolver> resolver;
  void build(ResolverBuilder& builder, std::string_view target) {
    const Loop::Enter enter(time.loop);
    resolver = std::move(*builder.build(target_of(target), listener, {.loop = &time.loop, .random_seed = 1}));
  }
  void ask() {
    const Loop::Enter enter(time.loop);
    resolver->resolve_now();
  }
};

TEST(ResolverTest, fixed_schemes_say_what_the_target_says) {
  PassthroughResolverBuilder passthrough;
  UnixResolverBuilder unix_paths;
  StaticResolverBuilder list;
  UnixAbstractResolverBuilder abstract;
  Ipv4ResolverBuilder ipv4;
  Ipv6ResolverBuilder ipv6;
  const std::vector<std::tuple<ResolverBuilder*, std::string_view, std::string_view, std::string_view>> rows = {
      {&passthrough, "passthrough:///scores.example:1", "scores.example:1", "scores.example:1"},
      {&unix_paths, "unix:rel/path", "unix:rel/path", "localhost"},
      {&unix_paths, "unix:///abs/path", "unix:/abs/path", "localhost"},
      {&unix_paths, "unix:@name", "unix:@name", "localhost"},
      {&list, "static:///a:1,[::1]:2,unix:/x", "a:1 [::1]:2 unix:/x", "a:1"},
      {&abstract, "unix-abstract:name", "unix:@name", "localhost"},
      {&ipv4, "ipv4:127.0.0.1:1,10.0.0.1", "127.0.0.1:1 10.0.0.1:443", "127.0.0.1:1"},
      {&ipv6, "ipv6:[::1]:1,[::2]", "[::1]:1 [::2]:443", "[::1]:1"},
  };
  for (const auto& [builder, target, addresses, authority] : rows) {
    World world;
    EXPECT_EQ(builder->authority(target_of(target)).value_or(default_authority(target_of(target))), authority)
        << target;
    world.build(*builder, target);
    EXPECT_TRUE(world.listener.heard.empty()) << "never from within build";
    world.time.settle();
    ASSERT_EQ(world.listener.heard.size(), 1u) << target;
    EXPECT_EQ(world.listener.heard[0], addresses);
  }
}

TEST(ResolverTest, targets_that_cant_work_are_refused_before_anything_is_built) {
  EXPECT_FALSE(PassthroughResolverBuilder().check(target_of("passthrough:///")));
  EXPECT_FALSE(UnixResolverBuilder().check(target_of("unix:")));
  EXPECT_FALSE(UnixResolverBuilder().check(target_of("unix://a/b")));
  EXPECT_FALSE(StaticResolverBuilder().check(target_of("static:///a:1,,b:2")));
  EXPECT_FALSE(UnixAbstractResolverBuilder().check(target_of("unix-abstract:")));
  EXPECT_FALSE(UnixAbstractResolverBuilder().check(target_of("unix-abstract://a/b")));
  EXPECT_FALSE(Ipv4ResolverBuilder().check(target_of("ipv4:localhost:1")));
  EXPECT_FALSE(Ipv4ResolverBuilder().check(target_of("ipv4:127.0.0.1:1,[::1]:1")));
  EXPECT_FALSE(Ipv4ResolverBuilder().check(target_of("ipv4://8.8.8.8/127.0.0.1:1")));
  EXPECT_FALSE(Ipv6ResolverBuilder().check(target_of("ipv6:127.0.0.1:1")));
  EXPECT_FALSE(DnsResolverBuilder().check(target_of("dns:///")));
  EXPECT_FALSE(DnsResolverBuilder().check(target_of("dns:///a:b:c")));
  EXPECT_FALSE(DnsResolverBuilder().check(target_of("dns://server.example/scores.example"))) << "not in numbers";
  EXPECT_TRUE(DnsResolverBuilder().check(target_of("dns://8.8.8.8/scores.example")));
  EXPECT_TRUE(DnsResolverBuilder().check(target_of("dns://[::1]:5353/scores.example")));
  EXPECT_TRUE(DnsResolverBuilder().check(target_of("dns:///:50051")));
}

// Names that the test answers.
class FakeLookup final : public NameLookup {
 public:
  explicit FakeLookup(Loop& loop) : loop_(loop) {}
  std::vector<std::string> asked;
  std::vector<DnsQuery> queries;
  Result<DnsAnswer> answer = DnsAnswer{.addresses = {Address::tcp("10.0.0.1", 443)}};
  bool hang = false;

  Task<Result<DnsAnswer>> lookup(Loop&, DnsQuery query) override {
    asked.push_back(query.host + ":" + std::to_string(query.port));
    queries.push_back(query);
    if (hang) {
      AsyncEvent never(loop_);
      Status ended = co_await never.wait();
      co_return ended;
    }
    co_return answer;
  }

 private:
  Loop& loop_;
};

TEST(DnsResolverTest, looks_up_at_first_and_again_when_asked_but_not_within_30_s) {  // [181]
  World world;
  FakeLookup names(world.time.loop);
  DnsResolverBuilder dns({}, &names);
  world.build(dns, "dns:///scores.example");
  world.time.settle();
  EXPECT_EQ(names.asked, std::vector<std::string>{"scores.example:443"}) << "443 is the default port";
  EXPECT_EQ(world.listener.heard, std::vector<std::string>{"10.0.0.1:443"});
  for (int i = 0; i < 100; ++i) world.ask();
  world.time.advance(29s);
  EXPECT_EQ(names.asked.size(), 1u);
  world.time.advance(2s);
  EXPECT_EQ(names.asked.size(), 2u) << "a hundred requests are one look";
  world.time.advance(10min);
  EXPECT_EQ(names.asked.size(), 2u) << "and nobody asked again";
}

TEST(DnsResolverTest, failures_are_reported_and_repeated_with_growing_waits) {  // [175]
  World world;
  FakeLookup names(world.time.loop);
  names.answer = Status::unavailable("NXDOMAIN");
  DnsResolverBuilder dns({}, &names);
  world.build(dns, "dns:///nobody.example:1");
  world.time.settle();
  ASSERT_EQ(world.listener.heard.size(), 1u);
  EXPECT_NE(world.listener.heard[0].find("nobody.example"), std::string::npos) << world.listener.heard[0];
  EXPECT_NE(world.listener.heard[0].find("NXDOMAIN"), std::string::npos);
  world.time.advance(790ms);
  EXPECT_EQ(names.asked.size(), 1u);
  world.time.advance(410ms);
  EXPECT_EQ(names.asked.size(), 2u) << "after a second, give or take a fifth";
  world.time.advance(1h);
  const size_t in_an_hour = names.asked.size();
  world.time.advance(1h);
  EXPECT_LT(names.asked.size() - in_an_hour, 40u) << "about every two minutes in the long run";
  names.answer = DnsAnswer{.addresses = {Address::tcp("10.0.0.2", 1)}};
  world.time.advance(3min);
  EXPECT_EQ(world.listener.heard.back(), "10.0.0.2:1");
}

TEST(DnsResolverTest, a_result_that_is_of_no_use_is_asked_for_again) {
  World world;
  world.listener.answer = Status::unavailable("no address");
  FakeLookup names(world.time.loop);
  DnsResolverBuilder dns({}, &names);
  world.build(dns, "dns:///scores.example");
  world.time.advance(1200ms);
  EXPECT_EQ(names.asked.size(), 2u);
}

TEST(DnsResolverTest, a_look_up_that_hangs_is_given_up) {  // [176]
  World world;
  FakeLookup names(world.time.loop);
  names.hang = true;
  DnsResolverBuilder dns({}, &names);
  world.build(dns, "dns:///slow.example");
  world.time.advance(29s);
  EXPECT_TRUE(world.listener.heard.empty());
  world.time.advance(1s);
  ASSERT_EQ(world.listener.heard.size(), 1u);
  EXPECT_TRUE(world.listener.heard[0].starts_with("UNAVAILABLE")) << world.listener.heard[0];
}

TEST(DnsResolverTest, destroying_the_resolver_ends_a_look_up_silently) {
  World world;
  FakeLookup names(world.time.loop);
  names.hang = true;
  DnsResolverBuilder dns({}, &names);
  world.build(dns, "dns:///slow.example");
  world.time.settle();
  {
    const Loop::Enter enter(world.time.loop);
    world.resolver.reset();
  }
  world.time.advance(1min);
  EXPECT_TRUE(world.listener.heard.empty());
}

TEST(DnsResolverTest, numbers_are_never_looked_up) {
  World world;
  FakeLookup names(world.time.loop);
  DnsResolverBuilder dns({}, &names);
  world.build(dns, "dns:///[::1]");
  world.time.settle();
  EXPECT_TRUE(names.asked.empty());
  EXPECT_EQ(world.listener.heard, std::vector<std::string>{"[::1]:443"});
}

TEST(DnsResolverTest, the_targets_authority_is_who_is_asked) {
  World world;
  FakeLookup names(world.time.loop);
  DnsResolverBuilder dns({}, &names);
  world.build(dns, "dns://8.8.8.8/scores.example");
  world.time.settle();
  ASSERT_EQ(names.queries.size(), 1u);
  EXPECT_EQ(names.queries[0].server, "8.8.8.8:53");
  world.build(dns, "dns://[::1]:5353/scores.example");
  world.time.settle();
  EXPECT_EQ(names.queries.back().server, "[::1]:5353");
}

// gRFC A2.
TEST(DnsResolverTest, the_service_config_comes_from_text_records) {
  World world;
  FakeLookup names(world.time.loop);
  names.answer->texts = std::vector<std::string>{
      "v=spf1", R"(grpc_config=[{"serviceConfig": {"loadBalancingConfig": [{"round_robin": {}}]}}])"};
  DnsResolverBuilder dns({}, &names);
  world.build(dns, "dns:///scores.example");
  world.time.settle();
  EXPECT_EQ(names.queries[0].text_name, "_grpc_config.scores.example");
  ASSERT_TRUE(world.listener.config && world.listener.config->is_ok());
  EXPECT_EQ((**world.listener.config)->load_balancing()[0].name, "round_robin");
}

TEST(DnsResolverTest, text_records_that_cant_be_had_leave_the_config_as_it_was) {
  World world;
  FakeLookup names(world.time.loop);
  names.answer->texts = Status::unavailable("SERVFAIL");
  DnsResolverBuilder dns({}, &names);
  world.build(dns, "dns:///scores.example");
  world.time.settle();
  EXPECT_EQ(world.listener.heard, std::vector<std::string>{"10.0.0.1:443"}) << "the addresses are good";
  EXPECT_FALSE(world.listener.config.has_value()) << "which is enough to make calls";
  names.answer->texts = std::vector<std::string>{R"(grpc_config=[{"serviceConfig": {}}])"};
  world.resolver->resolve_now();
  world.time.advance(30s);
  ASSERT_TRUE(world.listener.config && world.listener.config->is_ok());
  names.answer->texts = Status::unavailable("SERVFAIL");
  world.resolver->resolve_now();
  world.time.advance(30s);
  ASSERT_TRUE(world.listener.config && world.listener.config->is_ok()) << "kept";
  names.answer->texts = std::vector<std::string>{"v=spf1"};
  world.resolver->resolve_now();
  world.time.advance(30s);
  EXPECT_FALSE(world.listener.config.has_value()) << "gone, and that is known";
  EXPECT_EQ(names.queries.size(), 4u);
}

TEST(DnsResolverTest, without_service_configs_no_text_records_are_asked_for) {
  World world;
  FakeLookup names(world.time.loop);
  DnsResolverBuilder dns({}, &names);
  const Loop::Enter enter(world.time.loop);
  world.resolver = std::move(*dns.build(target_of("dns:///scores.example"), world.listener,
                                        {.loop = &world.time.loop, .disable_service_config = true}));
  world.time.settle();
  EXPECT_EQ(names.queries.at(0).text_name, "");
}

TEST(ManualResolverTest, says_what_it_is_told_before_and_after_it_is_used) {
  World world;
  ManualResolver manual;
  manual.update({{{{Address::tcp("a", 1)}}}});
  world.build(manual, "manual:///x");
  world.time.settle();
  EXPECT_EQ(world.listener.heard, std::vector<std::string>{"a:1"});
  manual.fail(Status::unavailable("gone"));
  world.time.settle();
  EXPECT_EQ(world.listener.heard.back(), "UNAVAILABLE: gone");
  world.ask();
  EXPECT_EQ(manual.asked(), 1u);
  world.resolver.reset();
  EXPECT_FALSE(manual.in_use());
  manual.update({});
  world.time.settle();
  EXPECT_EQ(world.listener.heard.size(), 2u) << "nobody listens any more";
}

}  // namespace
}  // namespace gaggle
