// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/balancer/choice.h"

#include <algorithm>
#include <string>
#include <utility>

#include "gaggle/rpc/thrown.h"

namespace gaggle {
namespace {

Result<Ref<const BalancerConfig>> parse(const BalancerBuilder& builder, std::string_view config) {
  try {
    return builder.parse_config(config);
  } catch (...) {
    return status_of_thrown("the policy");
  }
}

}  // namespace

Result<BalancerChoice> choose_balancer(const ServiceConfig* config, std::span<BalancerBuilder* const> known,
                                       BalancerBuilder& fallback) {
  if (config == nullptr || config->load_balancing().empty()) return BalancerChoice{&fallback, {}};
  std::string unknown;
  for (const LoadBalancingPolicy& policy : config->load_balancing()) {
    const auto found = std::ranges::find(known, policy.name, &BalancerBuilder::name);
    if (found == known.end()) {
      unknown.append(unknown.empty() ? "" : ", ").append(policy.name);
      continue;
    }
    Result<Ref<const BalancerConfig>> read = parse(**found, policy.config);
    if (!read) {
      return Status::invalid_argument("service config, loadBalancingConfig, " + policy.name + ": " +
                                      std::string(read.error().message()));
    }
    return BalancerChoice{*found, *std::move(read)};
  }
  return Status::invalid_argument("service config, loadBalancingConfig: the client has none of " + unknown);
}

}  // namespace gaggle
