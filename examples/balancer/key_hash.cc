// SPDX-License-Identifier: Apache-2.0
#include "key_hash.h"

#include <string>
#include <vector>

#include "gaggle/rpc/balancer/endpoint_balancer.h"

using namespace gaggle;

// The same in every process: all clients agree who has a key.
static uint64_t mix(uint64_t value) {
  value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9u;
  value = (value ^ value >> 27) * 0x94D049BB133111EBu;
  return value ^ value >> 31;
}
static uint64_t hash(std::string_view text) {
  uint64_t value = text.size();
  for (const unsigned char byte : text) value = mix(value + byte);
  return value;
}

// Rendezvous hashing: each backend bids for the key, the highest bid wins. When a backend comes or
// goes, only the keys move that it wins or had won.
class KeyHashPicker final : public Picker {
 public:
  explicit KeyHashPicker(std::span<const ReadyEndpoint> ready) {
    for (const ReadyEndpoint& each : ready) {
      backends_.push_back({hash(each.endpoint.addresses.front().to_string()), each.picker});
    }
  }
  PickResult pick(const PickInfo& info) override {
    const uint64_t key = hash(info.header("key").value_or(""));
    Backend* best = &backends_.front();
    for (Backend& backend : backends_) {
      if (mix(backend.name ^ key) > mix(best->name ^ key)) best = &backend;
    }
    return best->picker->pick(info);
  }

 private:
  struct Backend {
    uint64_t name;
    Ref<Picker> picker;
  };
  std::vector<Backend> backends_;
};

class KeyHash final : public EndpointBalancer {
 public:
  explicit KeyHash(BalancerHelper& connection) : EndpointBalancer(connection) {}

 private:
  Ref<Picker> make_picker(std::span<const ReadyEndpoint> ready) override { return make_ref<KeyHashPicker>(ready); }
};

std::unique_ptr<Balancer> KeyHashBuilder::build(BalancerHelper& helper) { return std::make_unique<KeyHash>(helper); }
