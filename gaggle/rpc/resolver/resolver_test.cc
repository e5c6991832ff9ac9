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

  Status on_resolved(ResolverState state) override {
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
    resolver = std::move(*builder.build(target_of(target), listener, {&time.loop, 1}));
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
  EXPECT_TRUE(DnsResolverBuilder().check(target_of("dns://8.8.8.8/scores.example")));
  EXPECT_TRUE(DnsResolverBuilder().check(target_of("dns:///:50051")));
}

// Names that the test answers.
class FakeLookup final : public NameLookup {
 public:
  explicit FakeLookup(Loop& loop) : loop_(loop) {}
  std::vector<std::string> asked;
  Result<std::vector<Address>> answer = std::vector<Address>{Address::tcp("10.0.0.1", 443)};
  bool hang = false;

  Task<Result<std::vector<Address>>> lookup(Loop&, std::string host, uint16_t port) override {
    asked.push_back(host + ":" + std::to_string(port));
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
  names.answer = std::vector<Address>{Address::tcp("10.0.0.2", 1)};
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
