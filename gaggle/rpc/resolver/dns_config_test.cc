// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/resolver/dns_config.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace gaggle {
namespace {

// The policy of the config that a client gets; "none", or "bad".
std::string chosen(const std::string& list, const DnsConfigClient& client = {}) {
  const std::vector<std::string> records = {"something else", "grpc_config=" + list};
  const auto config = choose_dns_config(records, client);
  if (!config) return "none";
  return config->is_ok() ? (**config)->load_balancing()[0].name : "bad";
}
std::string choice(const std::string& fields, const std::string& policy) {
  return "{" + fields + (fields.empty() ? "" : ",") + R"("serviceConfig": {"loadBalancingConfig": [{")" + policy +
         R"(": {}}]}})";
}

// gRFC A2.
TEST(DnsConfigTest, the_first_choice_that_fits_counts) {
  EXPECT_EQ(chosen("[" + choice("", "a") + "," + choice("", "b") + "]"), "a");
  EXPECT_EQ(chosen("[" + choice(R"("clientLanguage": ["go"])", "a") + "," + choice("", "b") + "]"), "b");
  EXPECT_EQ(chosen("[" + choice(R"("clientLanguage": ["go", "C++"])", "a") + "]"), "a") << "without case";
  EXPECT_EQ(chosen("[" + choice(R"("clientLanguage": [])", "a") + "]"), "a") << "an empty list fits everybody";
  EXPECT_EQ(chosen("[" + choice(R"("clientLanguage": ["go"])", "a") + "]"), "none");
  EXPECT_EQ(chosen("[]"), "none");
}

TEST(DnsConfigTest, a_part_of_all_clients_can_be_meant) {
  const std::string list = "[" + choice(R"("percentage": 10)", "a") + "," + choice("", "b") + "]";
  EXPECT_EQ(chosen(list, {.percentile = 0}), "a");
  EXPECT_EQ(chosen(list, {.percentile = 9}), "a");
  EXPECT_EQ(chosen(list, {.percentile = 10}), "b");
  EXPECT_EQ(chosen("[" + choice(R"("percentage": 0)", "a") + "]", {.percentile = 0}), "none");
  EXPECT_EQ(chosen("[" + choice(R"("percentage": 100)", "a") + "]", {.percentile = 99}), "a");
}

TEST(DnsConfigTest, single_hosts_can_be_meant) {
  for (const std::string key : {"clientHostname", "clientHostName"}) {
    const std::string list = "[" + choice("\"" + key + R"(": ["canary", "test"])", "a") + "]";
    EXPECT_EQ(chosen(list, {.host_name = "canary"}), "a") << key;
    EXPECT_EQ(chosen(list, {.host_name = "Canary"}), "none") << "with case";
  }
}

TEST(DnsConfigTest, all_conditions_have_to_fit) {
  const std::string list = "[" + choice(R"("clientLanguage": ["c++"], "percentage": 50)", "a") + "]";
  EXPECT_EQ(chosen(list, {.percentile = 49}), "a");
  EXPECT_EQ(chosen(list, {.percentile = 50}), "none");
}

TEST(DnsConfigTest, one_mistake_makes_all_of_it_bad) {
  const std::string good = choice("", "a");
  for (const std::string& bad :
       std::vector<std::string>{"", "{}", "[1]", "[" + good, "[{}]", R"([{"serviceConfig": 1}])",
                                "[" + good + "," + choice(R"("clientLanguages": ["c++"])", "b") + "]",
                                "[" + good + "," + choice(R"("percentage": 101)", "b") + "]",
                                "[" + good + "," + choice(R"("percentage": "10")", "b") + "]",
                                "[" + good + "," + choice(R"("percentage": 1.5)", "b") + "]",
                                "[" + good + "," + choice(R"("clientLanguage": "c++")", "b") + "]",
                                "[" + good + "," + choice(R"("clientHostname": [1])", "b") + "]",
                                R"([{"serviceConfig": {"loadBalancingConfig": 1}}])", std::string(100'000, '[')}) {
    EXPECT_EQ(chosen(bad), "bad") << bad.substr(0, 200);
  }
}

TEST(DnsConfigTest, other_records_are_other_peoples) {
  const std::vector<std::string> records = {"v=spf1 -all", "grpc_conf=[]", "GRPC_CONFIG=[]"};
  EXPECT_FALSE(choose_dns_config(records, {}).has_value());
  EXPECT_FALSE(choose_dns_config({}, {}).has_value());
}

}  // namespace
}  // namespace gaggle
