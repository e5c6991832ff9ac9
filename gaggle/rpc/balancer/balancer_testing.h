// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gaggle/net/loop_testing.h"
#include "gaggle/rpc/balancer/balancer.h"

namespace gaggle {

// A SubConn that the test moves by hand.
class FakeSubConn final : public SubConn {
 public:
  FakeSubConn(const Address& address, SubConnListener& listener) : address_(address), listener_(listener) {}
  const Address& address() const noexcept override { return address_; }
  void connect() override { ++connects; }
  void shutdown() override { is_shut_down = true; }
  void become(ConnectivityState state, Status error = {}) {
    if (!is_shut_down) listener_.on_subconn_state(*this, {state, std::move(error)});
  }

  int connects = 0;
  bool is_shut_down = false;

 private:
  const Address address_;
  SubConnListener& listener_;
};

// The connection's side of a balancer, which writes down what it's told.
struct BalancerWorld : BalancerHelper {
  VirtualLoop time;
  std::vector<Ref<FakeSubConn>> subconns;
  std::vector<ConnectivityState> states;
  Ref<Picker> picker;
  int resolves = 0;
  uint64_t next_random = 7;

  virtual ~BalancerWorld() = default;
  Ref<SubConn> new_subconn(const Address& address, SubConnListener& listener) override {
    subconns.push_back(make_ref<FakeSubConn>(address, listener));
    return subconns.back();
  }
  void update_state(ConnectivityState state, Ref<Picker> next) override {
    states.push_back(state);
    picker = std::move(next);
  }
  void resolve_now() override { ++resolves; }
  Loop& loop() noexcept override { return time.loop; }
  uint64_t random() noexcept override { return next_random; }

  PickResult pick() { return picker->pick({"/a/b", nullptr}); }
  FakeSubConn& at(size_t index) { return *subconns.at(index); }
  // The latest one to this address.
  FakeSubConn& to(std::string_view address);
  void ready(std::string_view address) { to(address).become(ConnectivityState::kReady); }
  void fail(FakeSubConn& subconn) {
    subconn.become(ConnectivityState::kTransientFailure,
                   Status::unavailable(subconn.address().to_string() + " refused"));
  }
  void fail(std::string_view address) { fail(to(address)); }
  // The address that a call goes to, or what else the picker says: "queue", "fail", "drop".
  std::string pick_address();
};

// An endpoint per address.
ResolverState state_of(const std::vector<std::string>& addresses);

}  // namespace gaggle
