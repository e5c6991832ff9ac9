// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <vector>

#include "gaggle/base/clock.h"
#include "gaggle/rpc/balancer/balancer.h"

namespace gaggle {

// The policy "pick_first": one connection at a time, to the first address that answers.
//
// Addresses are tried in the resolver's order, families alternating; the next one is tried too when
// one has failed or hasn't answered within kAttemptDelay (RFC 8305, gRFC A61). The first to be ready
// gets all calls, the other attempts end. A service config may say {"shuffleAddressList": true}: then
// endpoints are tried in a random order, which each new list changes. When all have failed the policy stays in
// TRANSIENT_FAILURE, naming the last error, until one succeeds, and goes on trying each at the end of
// its backoff (gRFC A62). A connection that was ready and is lost leaves it IDLE: the next call
// connects again, from the first address.
class PickFirstBuilder final : public BalancerBuilder {
 public:
  static constexpr Duration kAttemptDelay = std::chrono::milliseconds{250};

  std::string_view name() const noexcept override { return "pick_first"; }
  Result<Ref<const BalancerConfig>> parse_config(std::string_view json) const override;
  std::unique_ptr<Balancer> build(BalancerHelper& helper) override;
};

// The addresses of all endpoints in the order in which they are to be tried: each once, families
// alternating, beginning with that of the first. RFC 8305 §4.
std::vector<Address> order_of_attempts(const ResolverState& state);

}  // namespace gaggle
