// SPDX-License-Identifier: Apache-2.0
//
// gRFC A21: which config counts after what a resolver has said.
#include "gaggle/rpc/client_service_config.h"

#include <gtest/gtest.h>

namespace gaggle {
namespace {

using Reported = std::optional<Result<Ref<const ServiceConfig>>>;

Ref<const ServiceConfig> config(std::string_view text) { return *ServiceConfig::parse(text); }

const Reported kBad = Result<Ref<const ServiceConfig>>(Status::invalid_argument("methodConfig must be a list"));

TEST(ClientServiceConfigTest, nothing_is_known_before_the_resolver_has_spoken) {
  const ClientServiceConfig configs(config("{}"), false);
  EXPECT_FALSE(configs.is_known());
  EXPECT_EQ(configs.current(), nullptr);
}

TEST(ClientServiceConfigTest, without_a_config_of_the_resolvers_the_default_counts) {
  const auto fallback = config("{}");
  ClientServiceConfig configs(fallback, false);
  ASSERT_TRUE(configs.update(std::nullopt));
  EXPECT_TRUE(configs.is_known());
  EXPECT_EQ(configs.current(), fallback);

  ClientServiceConfig none(nullptr, false);
  ASSERT_TRUE(none.update(std::nullopt));
  EXPECT_TRUE(none.is_known()) << "no config at all is a good one";
}

TEST(ClientServiceConfigTest, the_resolvers_config_wins_over_the_default_until_it_says_nothing) {
  const auto fallback = config("{}");
  const auto resolved = config("{}");
  ClientServiceConfig configs(fallback, false);
  ASSERT_TRUE(configs.update(Reported(resolved)));
  EXPECT_EQ(configs.current(), resolved);
  ASSERT_TRUE(configs.update(std::nullopt));
  EXPECT_EQ(configs.current(), fallback);
}

TEST(ClientServiceConfigTest, a_bad_config_keeps_the_last_good_one) {
  const auto resolved = config("{}");
  ClientServiceConfig configs(config("{}"), false);
  ASSERT_TRUE(configs.update(Reported(resolved)));
  EXPECT_TRUE(configs.update(kBad));
  EXPECT_EQ(configs.current(), resolved);
}

TEST(ClientServiceConfigTest, a_bad_first_config_fails_calls_even_with_a_default) {
  ClientServiceConfig configs(config("{}"), false);
  const Status bad = configs.update(kBad);
  EXPECT_EQ(bad.code(), StatusCode::kUnavailable);
  EXPECT_NE(bad.message().find("methodConfig must be a list"), std::string_view::npos);
  EXPECT_FALSE(configs.is_known());
  ASSERT_TRUE(configs.update(Reported(config("{}"))));
  EXPECT_TRUE(configs.is_known()) << "a good one later heals it";
}

TEST(ClientServiceConfigTest, who_ignores_configs_hears_of_no_bad_one) {
  const auto fallback = config("{}");
  ClientServiceConfig configs(fallback, true);
  ASSERT_TRUE(configs.update(kBad));
  EXPECT_EQ(configs.current(), fallback);
  ASSERT_TRUE(configs.update(Reported(config("{}"))));
  EXPECT_EQ(configs.current(), fallback);
}

}  // namespace
}  // namespace gaggle
