// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gaggle/base/clock.h"
#include "gaggle/base/ref.h"
#include "gaggle/base/result.h"
#include "gaggle/base/status.h"

namespace gaggle {

// A set of status codes; one word.
class StatusCodeSet {
 public:
  constexpr StatusCodeSet() noexcept = default;
  constexpr void insert(StatusCode code) noexcept { bits_ |= uint32_t{1} << static_cast<unsigned>(code); }
  constexpr bool contains(StatusCode code) const noexcept { return (bits_ >> static_cast<unsigned>(code) & 1) != 0; }
  constexpr bool empty() const noexcept { return bits_ == 0; }
  friend bool operator==(const StatusCodeSet&, const StatusCodeSet&) = default;

 private:
  uint32_t bits_ = 0;
};

// More attempts than this are never made for one call, whatever a service config says (gRFC A6), unless
// the program says otherwise: CallOptions::max_attempts.
inline constexpr uint32_t kMaxCallAttempts = 5;

// After a failure with one of `codes`: again, up to `max_attempts` in all. gRFC A6.
struct RetryPolicy {
  uint32_t max_attempts = 2;   // at least 2, the first one included; what bounds it is said above
  Duration initial_backoff{};  // before the second attempt; then × multiplier, at most
  Duration max_backoff{};      // this; each ± 20 %
  double multiplier = 1;
  StatusCodeSet codes;  // never empty

  friend bool operator==(const RetryPolicy&, const RetryPolicy&) = default;
};

// While there is no answer: one more attempt every `delay`, up to `max_attempts` in all; the first
// answer wins. A failure with one of `non_fatal` brings the next attempt at once, any other ends the
// call. gRFC A6.
struct HedgingPolicy {
  uint32_t max_attempts = 2;  // at least 2, the first one included; bounded likewise
  Duration delay{};           // zero: all at once
  StatusCodeSet non_fatal;

  friend bool operator==(const HedgingPolicy&, const HedgingPolicy&) = default;
};

// While most calls fail, nothing is retried: a failure costs a token, a success gives `ratio` back,
// and at half of `max_tokens` or less there are no retries and no hedges. gRFC A6. In thousandths of
// a token, so that sums stay exact.
struct RetryThrottling {
  uint32_t max_milli_tokens = 0;  // 1,000 to 1,000,000
  uint32_t milli_ratio = 0;       // at least 1

  friend bool operator==(const RetryThrottling&, const RetryThrottling&) = default;
};

// What a service config says about calls of some methods. Not set: it says nothing.
struct MethodConfig {
  std::optional<Duration> timeout;           // at most this long; a call's own deadline may be earlier
  std::optional<bool> wait_for_ready;        // a call's own choice wins
  std::optional<size_t> max_request_bytes;   // the smaller wins: this, or the call's own limit
  std::optional<size_t> max_response_bytes;  // the same
  std::optional<RetryPolicy> retry;          // at most one of these two
  std::optional<HedgingPolicy> hedging;

  friend bool operator==(const MethodConfig&, const MethodConfig&) = default;
};

// One entry of `loadBalancingConfig`.
struct LoadBalancingPolicy {
  std::string name;
  std::string config;  // the policy's own object, as JSON text: "{}" at least

  friend bool operator==(const LoadBalancingPolicy&, const LoadBalancingPolicy&) = default;
};

// What the owner of a service wants its clients to do: a parsed gRPC service config (gRFC A2, A6, A21,
// A24; grpc/service_config/service_config.proto).
//
// Immutable and counted: any thread, and calls keep the one that they began with. Understood are
// loadBalancingConfig, loadBalancingPolicy, methodConfig (name, waitForReady, timeout,
// maxRequestMessageBytes, maxResponseMessageBytes, retryPolicy, hedgingPolicy), retryThrottling,
// healthCheckConfig.serviceName and connectionScaling.maxConnectionsPerSubchannel; fields with other
// names are ignored.
//
//   auto config = ServiceConfig::parse(R"({"methodConfig": [{"name": [{}], "timeout": "1.5s"}]})");
class ServiceConfig final : public RefCounted<ServiceConfig> {
 public:
  static constexpr size_t kMaxBytes = size_t{1} << 20;  // of text
  static constexpr size_t kMaxDepth = 64;               // of nested JSON

  // INVALID_ARGUMENT, naming the field, when the text is no JSON object, when a field that is
  // understood has a wrong type or value, when a method is named twice, or beyond the limits above:
  // one mistake makes all of it invalid (A21). May come from strangers.
  static Result<Ref<const ServiceConfig>> parse(std::string_view json);

  // What holds for "/package.Service/Method": what is said about this method, else about its
  // service, else about everything; null if nothing is. As long as the config. Allocates nothing.
  const MethodConfig* method_config(std::string_view full_method) const noexcept;

  // In order of preference: the first one that the client knows is meant. Empty: the config says
  // nothing about it.
  std::span<const LoadBalancingPolicy> load_balancing() const noexcept { return load_balancing_; }
  const std::optional<RetryThrottling>& retry_throttling() const noexcept { return throttling_; }
  // The name to ask backends' health service for (gRFC A17); not set: don't ask.
  const std::optional<std::string>& health_service() const noexcept { return health_service_; }
  // How many connections one address may have (gRFC A105).
  std::optional<size_t> max_connections_per_address() const noexcept { return max_connections_; }

  // Equal when they say the same, whatever their texts look like.
  friend bool operator==(const ServiceConfig& a, const ServiceConfig& b) noexcept;

 private:
  friend class RefCounted<ServiceConfig>;
  friend class ServiceConfigReader;

  // Whose config: "/service/method", "/service/", or "" for everything.
  struct Name {
    std::string key;
    size_t config;

    friend bool operator==(const Name&, const Name&) = default;
  };

  ServiceConfig() = default;
  ~ServiceConfig() = default;
  const MethodConfig* find(std::string_view key) const noexcept;

  std::vector<LoadBalancingPolicy> load_balancing_;
  std::vector<MethodConfig> methods_;
  std::vector<Name> names_;  // sorted by key
  std::optional<RetryThrottling> throttling_;
  std::optional<std::string> health_service_;
  std::optional<size_t> max_connections_;
};

}  // namespace gaggle
