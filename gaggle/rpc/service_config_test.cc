// SPDX-License-Identifier: Apache-2.0
//
// What of a service config's text is understood, looked up and refused. gRFC A6, A21, A24.
#include "gaggle/rpc/service_config.h"

#include <gtest/gtest.h>

#include <string>

namespace gaggle {
namespace {

using namespace std::chrono_literals;

Ref<const ServiceConfig> parse(std::string_view text) {
  auto config = ServiceConfig::parse(text);
  EXPECT_TRUE(config) << config.status().to_string();
  return config ? *config : nullptr;
}

// A config whose default method has this in it.
Ref<const ServiceConfig> with_method(const std::string& fields) {
  return parse(R"({"methodConfig": [{"name": [{}], )" + fields + "}]}");
}

// --- Which method config ---

TEST(ServiceConfigTest, the_most_exact_name_wins) {
  const auto config = parse(R"({"methodConfig": [
    {"name": [{}], "timeout": "1s"},
    {"name": [{"service": "a.B"}], "timeout": "2s"},
    {"name": [{"service": "a.B", "method": "C"}, {"service": "d.E", "method": "F"}], "timeout": "3s"}]})");
  EXPECT_EQ(config->method_config("/a.B/C")->timeout, 3s);
  EXPECT_EQ(config->method_config("/d.E/F")->timeout, 3s) << "one config may have many names";
  EXPECT_EQ(config->method_config("/a.B/Other")->timeout, 2s);
  EXPECT_EQ(config->method_config("/a.Bc/C")->timeout, 1s) << "a service isn't named by its beginning";
  EXPECT_EQ(config->method_config("/d.E/Other")->timeout, 1s);
  EXPECT_EQ(config->method_config("")->timeout, 1s);
  EXPECT_EQ(config->method_config("/")->timeout, 1s);
}

TEST(ServiceConfigTest, a_method_that_nobody_names_has_no_config) {
  const auto config = parse(R"({"methodConfig": [{"name": [{"service": "a.B"}]}, {"timeout": "1s"}]})");
  EXPECT_EQ(config->method_config("/c.D/E"), nullptr);
  EXPECT_NE(config->method_config("/a.B/E"), nullptr);
  EXPECT_EQ(parse("{}")->method_config("/a.B/C"), nullptr);
}

TEST(ServiceConfigTest, an_empty_or_missing_method_names_the_service) {
  const auto config = parse(R"({"methodConfig": [
    {"name": [{"service": "a.B", "method": ""}], "waitForReady": true},
    {"name": [{"service": "", "method": null}], "waitForReady": false}]})");
  EXPECT_EQ(config->method_config("/a.B/C")->wait_for_ready, true);
  EXPECT_EQ(config->method_config("/c.D/E")->wait_for_ready, false);
}

// --- Fields ---

TEST(ServiceConfigTest, durations_are_protobufs) {
  const std::pair<const char*, Duration> durations[] = {
      {"1s", 1s},        {"0s", 0s},
      {"1.5s", 1500ms},  {"0.000000001s", 1ns},
      {"2.000000s", 2s}, {"300000000000s", Duration::max()},
  };
  for (const auto& [text, duration] : durations) {
    const auto config = with_method(R"("timeout": ")" + std::string(text) + "\"");
    EXPECT_EQ(config->method_config("/a/b")->timeout, duration) << text;
  }
}

TEST(ServiceConfigTest, limits_are_numbers_with_or_without_quotes) {
  const auto config = with_method(R"("maxRequestMessageBytes": 1024, "maxResponseMessageBytes": "2048")");
  EXPECT_EQ(config->method_config("/a/b")->max_request_bytes, 1024u);
  EXPECT_EQ(config->method_config("/a/b")->max_response_bytes, 2048u);
}

TEST(ServiceConfigTest, a_retry_policy_with_all_its_fields) {
  const auto config = with_method(R"("retryPolicy": {"maxAttempts": 4, "initialBackoff": "0.1s", "maxBackoff": "1s",
    "backoffMultiplier": 1.5, "retryableStatusCodes": ["UNAVAILABLE", "aborted", 8]})");
  const RetryPolicy& policy = *config->method_config("/a/b")->retry;
  EXPECT_EQ(policy.max_attempts, 4u);
  EXPECT_EQ(policy.initial_backoff, 100ms);
  EXPECT_EQ(policy.max_backoff, 1s);
  EXPECT_EQ(policy.multiplier, 1.5);
  EXPECT_TRUE(policy.codes.contains(StatusCode::kUnavailable));
  EXPECT_TRUE(policy.codes.contains(StatusCode::kAborted)) << "codes may be written in any case";
  EXPECT_TRUE(policy.codes.contains(StatusCode::kResourceExhausted)) << "or as numbers";
  EXPECT_FALSE(policy.codes.contains(StatusCode::kInternal));
}

TEST(ServiceConfigTest, a_config_may_ask_for_any_number_of_attempts) {
  const auto config = with_method(R"("hedgingPolicy": {"maxAttempts": 100})");
  EXPECT_EQ(config->method_config("/a/b")->hedging->max_attempts, 100u) << "bounded where they are made";
  EXPECT_EQ(config->method_config("/a/b")->hedging->delay, 0s);
  EXPECT_TRUE(config->method_config("/a/b")->hedging->non_fatal.empty());
}

TEST(ServiceConfigTest, throttling_counts_thousandths) {
  const auto config = parse(R"({"retryThrottling": {"maxTokens": 10, "tokenRatio": 0.5466}})");
  EXPECT_EQ(config->retry_throttling()->max_milli_tokens, 10'000u);
  EXPECT_EQ(config->retry_throttling()->milli_ratio, 546u) << "A6: what is behind the third digit doesn't count";
  EXPECT_EQ(parse(R"({"retryThrottling": {"maxTokens": 1, "tokenRatio": 0.3}})")->retry_throttling()->milli_ratio,
            300u);
}

TEST(ServiceConfigTest, balancers_keep_their_order_and_their_own_config) {
  const auto config = parse(R"({"loadBalancingPolicy": "grpclb", "loadBalancingConfig": [
    {"custom": {"list": [1, "two"], "deep": {}}}, {"round_robin": {}}]})");
  ASSERT_EQ(config->load_balancing().size(), 2u) << "the list wins over the older field";
  EXPECT_EQ(config->load_balancing()[0].name, "custom");
  EXPECT_EQ(config->load_balancing()[0].config, R"({"deep":{},"list":[1,"two"]})");
  EXPECT_EQ(config->load_balancing()[1], (LoadBalancingPolicy{"round_robin", "{}"}));
  EXPECT_EQ(parse(R"({"loadBalancingPolicy": "ROUND_ROBIN"})")->load_balancing()[0].name, "round_robin");
}

TEST(ServiceConfigTest, the_service_whose_health_is_asked_for) {
  EXPECT_EQ(parse(R"({"healthCheckConfig": {"serviceName": "a.B"}})")->health_service(), "a.B");
  EXPECT_EQ(parse(R"({"healthCheckConfig": {"serviceName": ""}})")->health_service(), "") << "the server as a whole";
  EXPECT_EQ(parse(R"({"healthCheckConfig": {}})")->health_service(), std::nullopt);
}

TEST(ServiceConfigTest, what_isnt_known_is_ignored_and_null_is_nothing) {
  const auto config = parse(R"({"future": {"a": [1]}, "methodConfig": [{"name": [{}], "timeout": null, "x": 1}],
                                "retryThrottling": null})");
  EXPECT_EQ(config->method_config("/a/b")->timeout, std::nullopt);
  EXPECT_FALSE(config->retry_throttling());
}

TEST(ServiceConfigTest, configs_that_say_the_same_are_equal) {
  EXPECT_EQ(*parse(R"({"loadBalancingConfig": [{"a": {}}]})"), *parse(R"({ "loadBalancingConfig":[{"a":{ }}],"b":1})"));
  EXPECT_FALSE(*parse(R"({"loadBalancingConfig": [{"a": {}}]})") == *parse("{}"));
}

// --- Mistakes ---

struct Mistake {
  std::string text;
  std::string_view names;  // what the error names
};

void expect_refused(const std::vector<Mistake>& mistakes) {
  for (const Mistake& mistake : mistakes) {
    const auto config = ServiceConfig::parse(mistake.text);
    ASSERT_FALSE(config) << mistake.text;
    EXPECT_EQ(config.error().code(), StatusCode::kInvalidArgument);
    EXPECT_NE(config.error().message().find(mistake.names), std::string_view::npos) << mistake.text << "\n"
                                                                                    << config.error().to_string();
  }
}

TEST(ServiceConfigTest, what_is_no_config_is_refused) {
  expect_refused({
      {"", "not JSON"},
      {"{", "not JSON"},
      {"{} x", "not JSON"},
      {"{\"a\": \"\xff\"}", "not JSON"},
      {"{\"a\": 1e999}", "not JSON"},
      {"[]", "must be a JSON object"},
      {"null", "must be a JSON object"},
      {R"({"loadBalancingConfig": {}})", "loadBalancingConfig: must be a list"},
      {R"({"loadBalancingConfig": [{}]})", "loadBalancingConfig[0]: must be an object with one field"},
      {R"({"loadBalancingConfig": [{"a": {}, "b": {}}]})", "loadBalancingConfig[0]"},
      {R"({"loadBalancingConfig": [{"a": {}}, {"b": []}]})", "loadBalancingConfig[1].b"},
      {R"({"loadBalancingPolicy": 1})", "loadBalancingPolicy"},
      {R"({"methodConfig": {}})", "methodConfig: must be a list"},
      {R"({"methodConfig": [1]})", "methodConfig[0]"},
      {R"({"methodConfig": [{"name": {}}]})", "methodConfig[0].name: must be a list"},
      {R"({"methodConfig": [{"name": [{"method": "C"}]}]})",
       "methodConfig[0].name[0]: names a method without a service"},
      {R"({"methodConfig": [{"name": [{"service": "a/b"}]}]})", "methodConfig[0].name[0].service"},
      {R"({"methodConfig": [{"name": [{"service": 1}]}]})", "methodConfig[0].name[0].service"},
      {R"({"methodConfig": [{"name": [{"service": "a"}]}, {"name": [{"service": "a"}]}]})",
       "\"/a/\" is named twice, in [0] and [1]"},
      {R"({"methodConfig": [{"name": [{}, {}]}]})", "the default is named twice"},
      {R"({"retryThrottling": 1})", "retryThrottling: must be an object"},
      {R"({"retryThrottling": {"tokenRatio": 1}})", "retryThrottling.maxTokens: is missing"},
      {R"({"retryThrottling": {"maxTokens": 0, "tokenRatio": 1}})", "retryThrottling.maxTokens"},
      {R"({"retryThrottling": {"maxTokens": 1001, "tokenRatio": 1}})", "retryThrottling.maxTokens"},
      {R"({"retryThrottling": {"maxTokens": 1.5, "tokenRatio": 1}})", "retryThrottling.maxTokens"},
      {R"({"retryThrottling": {"maxTokens": 10}})", "retryThrottling.tokenRatio: is missing"},
      {R"({"retryThrottling": {"maxTokens": 10, "tokenRatio": 0}})", "retryThrottling.tokenRatio"},
      {R"({"retryThrottling": {"maxTokens": 10, "tokenRatio": 0.0001}})", "retryThrottling.tokenRatio"},
      {R"({"healthCheckConfig": 1})", "healthCheckConfig"},
      {R"({"healthCheckConfig": {"serviceName": 1}})", "healthCheckConfig.serviceName"},
  });
}

TEST(ServiceConfigTest, what_is_no_method_config_is_refused) {
  const std::string retry = R"("initialBackoff": "1s", "maxBackoff": "1s", "backoffMultiplier": 1)";
  std::vector<Mistake> mistakes = {
      {R"("timeout": 1)", "methodConfig[0].timeout"},
      {R"("timeout": "1")", "methodConfig[0].timeout"},
      {R"("timeout": "s")", "methodConfig[0].timeout"},
      {R"("timeout": "-1s")", "methodConfig[0].timeout"},
      {R"("timeout": "-0.5s")", "methodConfig[0].timeout"},
      {R"("timeout": "+1s")", "methodConfig[0].timeout"},
      {R"("timeout": "1.s")", "methodConfig[0].timeout"},
      {R"("timeout": "1.0000000001s")", "methodConfig[0].timeout"},
      {R"("timeout": "1.-1s")", "methodConfig[0].timeout"},
      {R"("timeout": "99999999999999999999s")", "methodConfig[0].timeout"},
      {R"("waitForReady": "true")", "methodConfig[0].waitForReady"},
      {R"("maxRequestMessageBytes": -1)", "methodConfig[0].maxRequestMessageBytes"},
      {R"("maxResponseMessageBytes": "1x")", "methodConfig[0].maxResponseMessageBytes"},
      {R"("maxResponseMessageBytes": 4294967296)", "methodConfig[0].maxResponseMessageBytes"},
      {R"("retryPolicy": [])", "methodConfig[0].retryPolicy"},
      {R"("retryPolicy": {)" + retry + R"(, "retryableStatusCodes": [1]})", "retryPolicy.maxAttempts: is missing"},
      {R"("retryPolicy": {"maxAttempts": 1, )" + retry + R"(, "retryableStatusCodes": [1]})",
       "retryPolicy.maxAttempts"},
      {R"("retryPolicy": {"maxAttempts": 2.5, )" + retry + R"(, "retryableStatusCodes": [1]})",
       "retryPolicy.maxAttempts"},
      {R"("retryPolicy": {"maxAttempts": 2, )" + retry + "}", "retryPolicy.retryableStatusCodes"},
      {R"("retryPolicy": {"maxAttempts": 2, )" + retry + R"(, "retryableStatusCodes": []})",
       "retryPolicy.retryableStatusCodes"},
      {R"("retryPolicy": {"maxAttempts": 2, )" + retry + R"(, "retryableStatusCodes": [14, 17]})",
       "retryableStatusCodes[1]"},
      {R"("retryPolicy": {"maxAttempts": 2, )" + retry + R"(, "retryableStatusCodes": ["OK"]})",
       "retryableStatusCodes[0]: OK is no failure"},
      {R"("retryPolicy": {"maxAttempts": 2, )" + retry + R"(, "retryableStatusCodes": ["SOMETIMES"]})",
       "retryableStatusCodes[0]"},
      {R"("retryPolicy": {"maxAttempts": 2, "maxBackoff": "1s"})", "retryPolicy.initialBackoff: is missing"},
      {R"("retryPolicy": {"maxAttempts": 2, "initialBackoff": "0s"})", "retryPolicy.initialBackoff"},
      {R"("retryPolicy": {"maxAttempts": 2, "initialBackoff": "1s"})", "retryPolicy.maxBackoff: is missing"},
      {R"("retryPolicy": {"maxAttempts": 2, "initialBackoff": "1s", "maxBackoff": "1s"})",
       "retryPolicy.backoffMultiplier: is missing"},
      {R"("retryPolicy": {"maxAttempts": 2, "initialBackoff": "1s", "maxBackoff": "1s", "backoffMultiplier": 0})",
       "retryPolicy.backoffMultiplier"},
      {R"("hedgingPolicy": {})", "hedgingPolicy.maxAttempts: is missing"},
      {R"("hedgingPolicy": {"maxAttempts": 2, "hedgingDelay": "soon"})", "hedgingPolicy.hedgingDelay"},
      {R"("hedgingPolicy": {"maxAttempts": 2, "nonFatalStatusCodes": 1})", "hedgingPolicy.nonFatalStatusCodes"},
      {R"("hedgingPolicy": {"maxAttempts": 2}, "retryPolicy": {"maxAttempts": 2, )" + retry +
           R"(, "retryableStatusCodes": [1]})",
       "both a retryPolicy and a hedgingPolicy"},
  };
  for (Mistake& mistake : mistakes) mistake.text = R"({"methodConfig": [{"name": [{}], )" + mistake.text + "}]}";
  expect_refused(mistakes);
}

TEST(ServiceConfigTest, size_and_depth_are_bounded) {
  std::string deep(ServiceConfig::kMaxDepth + 10, '[');
  deep.append(ServiceConfig::kMaxDepth + 10, ']');
  expect_refused({
      {"{\"a\": \"" + std::string(ServiceConfig::kMaxBytes, 'x') + "\"}", "longer than"},
      {"{\"a\": " + deep + "}", "nested deeper"},
      {std::string(ServiceConfig::kMaxBytes, '['), "not JSON"},
  });
}

}  // namespace
}  // namespace gaggle
