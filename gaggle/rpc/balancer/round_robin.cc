// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/balancer/round_robin.h"

#include <memory>
#include <utility>
#include <vector>

#include "gaggle/rpc/balancer/endpoint_balancer.h"

namespace gaggle {
namespace {

class RoundRobinPicker final : public Picker {
 public:
  RoundRobinPicker(std::span<const ReadyEndpoint> ready, uint64_t first) : next_(first % ready.size()) {
    for (const ReadyEndpoint& endpoint : ready) endpoints_.push_back(endpoint.picker);
  }
  PickResult pick(const PickInfo& info) override {
    Picker& chosen = *endpoints_[next_];
    if (++next_ == endpoints_.size()) next_ = 0;
    return chosen.pick(info);
  }

 private:
  std::vector<Ref<Picker>> endpoints_;
  size_t next_;
};

class RoundRobin final : public EndpointBalancer {
 public:
  explicit RoundRobin(BalancerHelper& connection) : EndpointBalancer(connection) {}

 private:
  Ref<Picker> make_picker(std::span<const ReadyEndpoint> ready) override {
    return make_ref<RoundRobinPicker>(ready, helper().random());
  }
};

}  // namespace

std::unique_ptr<Balancer> RoundRobinBuilder::build(BalancerHelper& helper) {
  return std::make_unique<RoundRobin>(helper);
}

}  // namespace gaggle
