// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "gaggle/rpc/balancer/balancer.h"

// The policy "key_hash": calls with the same "key" in their metadata go to the same backend, as long
// as that one can be reached; calls without one go where the empty key does.
//
//   KeyHashBuilder key_hash;
//   auto conn = gaggle::ClientConn::create(loops, "dns:///scores.example:50051",
//       {.credentials = &tls, .balancer = "key_hash", .balancers = {&key_hash}});
class KeyHashBuilder final : public gaggle::BalancerBuilder {
 public:
  std::string_view name() const noexcept override { return "key_hash"; }
  std::unique_ptr<gaggle::Balancer> build(gaggle::BalancerHelper& helper) override;
};
