// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/balancer/balancer_testing.h"

#include <stdexcept>

namespace gaggle {

FakeSubConn& BalancerWorld::to(std::string_view address) {
  for (auto subconn = subconns.rbegin(); subconn != subconns.rend(); ++subconn) {
    if ((*subconn)->address().to_string() == address) return **subconn;
  }
  throw std::out_of_range("no SubConn to " + std::string(address));
}

std::string BalancerWorld::pick_address() {
  const PickResult result = pick();
  switch (result.kind) {
    case PickResult::Kind::kComplete: return result.subconn->address().to_string();
    case PickResult::Kind::kQueue: return "queue";
    case PickResult::Kind::kFail: return "fail";
    case PickResult::Kind::kDrop: return "drop";
  }
  return {};
}

ResolverState state_of(const std::vector<std::string>& addresses) {
  ResolverState state;
  for (const std::string& text : addresses) state.endpoints.push_back({{*Address::parse(text)}});
  return state;
}

}  // namespace gaggle
