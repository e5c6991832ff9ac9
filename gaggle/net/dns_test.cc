// SPDX-License-Identifier: Apache-2.0
#include "gaggle/net/dns.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "gaggle/net/dns_server_testing.h"
#include "gaggle/net/loop_testing.h"
#include "gaggle/net/resolve.h"

namespace gaggle {
namespace {

using namespace std::chrono_literals;

struct World {
  Loop loop;
  TestDnsServer server{loop};
  Duration text_patience = DnsQuery{}.text_patience;

  Result<DnsAnswer> ask(const std::string& host, const std::string& text_name = {}, const Context& context = {}) {
    DnsQuery query;
    query.host = host;
    query.port = 50051;
    query.text_name = text_name;
    query.server = server.address();
    query.text_patience = text_patience;
    return run_on(loop, ask_dns(loop, query), context);
  }
  size_t times_asked(const std::string& question) const {
    return static_cast<size_t>(std::ranges::count(server.asked, question));
  }
};

std::vector<std::string> texts_of(const std::vector<Address>& addresses) {
  std::vector<std::string> texts;
  for (const Address& address : addresses) texts.push_back(address.to_string());
  std::ranges::sort(texts);  // their order is the system's policy
  return texts;
}

TEST(DnsTest, both_families_are_asked_for) {
  World world;
  world.server.add_a("scores.example", {10, 0, 0, 1});
  world.server.add_a("scores.example", {10, 0, 0, 2});
  world.server.add_aaaa("scores.example", 9);
  Result<DnsAnswer> answer = world.ask("scores.example");
  ASSERT_TRUE(answer) << answer.status().to_string();
  EXPECT_EQ(texts_of(answer->addresses), (std::vector<std::string>{"10.0.0.1:50051", "10.0.0.2:50051", "[::9]:50051"}));
  EXPECT_TRUE(answer->texts && answer->texts->empty()) << "nobody asked for any";
}

TEST(DnsTest, one_family_is_enough) {
  World world;
  world.server.add_aaaa("six.example", 7);
  Result<DnsAnswer> answer = world.ask("six.example");
  ASSERT_TRUE(answer) << answer.status().to_string();
  EXPECT_EQ(texts_of(answer->addresses), std::vector<std::string>{"[::7]:50051"});
}

TEST(DnsTest, text_records_come_with_it_their_strings_joined) {
  World world;
  world.server.add_a("scores.example", {10, 0, 0, 1});
  world.server.add_txt("_grpc_config.scores.example", {std::string(255, 'a'), "b"});
  world.server.add_txt("_grpc_config.scores.example", {"second"});
  Result<DnsAnswer> answer = world.ask("scores.example", "_grpc_config.scores.example");
  ASSERT_TRUE(answer && answer->texts);
  EXPECT_EQ(*answer->texts, (std::vector<std::string>{std::string(255, 'a') + "b", "second"}));
}

TEST(DnsTest, a_name_without_text_records_has_none) {
  World world;
  world.server.add_a("scores.example", {10, 0, 0, 1});
  Result<DnsAnswer> answer = world.ask("scores.example", "_grpc_config.scores.example");
  ASSERT_TRUE(answer && answer->texts);
  EXPECT_TRUE(answer->texts->empty()) << "NXDOMAIN";
  world.server.add_a("_grpc_config.scores.example", {10, 0, 0, 1});
  answer = world.ask("scores.example", "_grpc_config.scores.example");
  ASSERT_TRUE(answer && answer->texts);
  EXPECT_TRUE(answer->texts->empty()) << "other records only";
}

TEST(DnsTest, text_records_that_cant_be_asked_for_are_an_error_of_their_own) {
  World world;
  world.server.add_a("scores.example", {10, 0, 0, 1});
  world.server.broken.insert("_grpc_config.scores.example");
  Result<DnsAnswer> answer = world.ask("scores.example", "_grpc_config.scores.example");
  ASSERT_TRUE(answer) << "the addresses are there";
  EXPECT_EQ(answer->texts.status().code(), StatusCode::kUnavailable);
}

TEST(DnsTest, text_records_that_nobody_answers_for_do_not_cost_the_addresses) {
  World world;
  world.text_patience = 50ms;
  world.server.add_a("scores.example", {10, 0, 0, 1});
  world.server.muted.insert("_grpc_config.scores.example");
  const TimePoint before = world.loop.refresh_now();
  Result<DnsAnswer> answer = world.ask("scores.example", "_grpc_config.scores.example");
  ASSERT_TRUE(answer) << answer.status().to_string();
  EXPECT_EQ(texts_of(answer->addresses), std::vector<std::string>{"10.0.0.1:50051"});
  EXPECT_EQ(answer->texts.status().code(), StatusCode::kUnavailable);
  EXPECT_LT(world.loop.refresh_now() - before, 4s) << "not after all tries of c-ares";
  EXPECT_EQ(world.ask("nobody.example", "_grpc_config.scores.example").status().code(), StatusCode::kUnavailable)
      << "nor are they waited for when there are no addresses";
}

TEST(DnsTest, a_name_that_isnt_there_is_unavailable) {  // [175]
  World world;
  const Result<DnsAnswer> answer = world.ask("nobody.example");
  EXPECT_EQ(answer.status().code(), StatusCode::kUnavailable);
  EXPECT_NE(answer.status().message().find("nobody.example"), std::string_view::npos);
  world.server.add_txt("empty.example", {"no address"});
  EXPECT_EQ(world.ask("empty.example").status().code(), StatusCode::kUnavailable);
  world.server.broken.insert("broken.example");
  EXPECT_EQ(world.ask("broken.example").status().code(), StatusCode::kUnavailable);
}

TEST(DnsTest, an_answer_that_is_cut_short_is_asked_for_by_tcp) {
  World world;
  world.server.add_a("scores.example", {10, 0, 0, 1});
  const std::string name = "_grpc_config.scores.example";
  std::vector<std::string> strings(16, std::string(255, 'x'));
  world.server.add_txt(name, strings);
  world.server.truncated.insert(name);
  Result<DnsAnswer> answer = world.ask("scores.example", name);
  ASSERT_TRUE(answer && answer->texts) << answer.status().to_string();
  ASSERT_EQ(answer->texts->size(), 1u);
  EXPECT_EQ(answer->texts->front().size(), 16u * 255);
  EXPECT_EQ(world.times_asked(name + " TXT/tcp"), 1u);
}

TEST(DnsTest, rubbish_before_the_answer_is_ignored) {
  World world;
  world.server.add_a("scores.example", {10, 0, 0, 1});
  world.server.lies = true;
  Result<DnsAnswer> answer = world.ask("scores.example");
  ASSERT_TRUE(answer) << answer.status().to_string();
  EXPECT_EQ(texts_of(answer->addresses), std::vector<std::string>{"10.0.0.1:50051"});
}

TEST(DnsTest, a_deadline_ends_the_wait_for_a_silent_server) {  // [176]
  World world;
  world.server.silent = true;
  const TimePoint before = world.loop.refresh_now();
  const Result<DnsAnswer> answer = world.ask("slow.example", "_grpc_config.slow.example",
                                             Context{}.with_clock(world.loop.clock()).with_timeout(50ms));
  EXPECT_EQ(answer.status().code(), StatusCode::kDeadlineExceeded);
  EXPECT_LT(world.loop.refresh_now() - before, 4s) << "not after c-ares' own first try";
}

TEST(DnsTest, numbers_and_names_of_the_hosts_file_need_no_server) {
  World world;
  world.server.silent = true;
  Result<DnsAnswer> answer = world.ask("localhost");
  ASSERT_TRUE(answer) << answer.status().to_string();
  EXPECT_NE(std::ranges::find(answer->addresses, Address::tcp("127.0.0.1", 50051)), answer->addresses.end());
  EXPECT_TRUE(world.server.asked.empty());
}

}  // namespace
}  // namespace gaggle
