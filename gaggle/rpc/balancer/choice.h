// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "gaggle/rpc/balancer/balancer.h"
#include "gaggle/rpc/service_config.h"

namespace gaggle {

// A policy and what it is told.
struct BalancerChoice {
  BalancerBuilder* builder = nullptr;
  Ref<const BalancerConfig> config;
};

// The policy that a service config asks for: the first of its list that is among `known`. `fallback`
// when it names none, or when `config` is null. INVALID_ARGUMENT when it names only unknown ones, or
// when the policy can't read what it is told: then the service config is a bad one (gRFC A24).
Result<BalancerChoice> choose_balancer(const ServiceConfig* config, std::span<BalancerBuilder* const> known,
                                       BalancerBuilder& fallback);

}  // namespace gaggle
