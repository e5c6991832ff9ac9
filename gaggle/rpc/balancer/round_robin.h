// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "gaggle/rpc/balancer/balancer.h"

namespace gaggle {

// The policy "round_robin": a connection to every endpoint, calls to those that are ready in turns.
//
// It begins at a random one, so that many clients don't all call the same. What is READY and what
// isn't: see EndpointBalancer. gRPC load-balancing.md, gRFC A61.
class RoundRobinBuilder final : public BalancerBuilder {
 public:
  std::string_view name() const noexcept override { return "round_robin"; }
  std::unique_ptr<Balancer> build(BalancerHelper& helper) override;
};

}  // namespace gaggle
