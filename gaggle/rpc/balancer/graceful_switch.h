// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "gaggle/net/loop_work.h"
#include "gaggle/net/timer.h"
#include "gaggle/rpc/balancer/balancer.h"

namespace gaggle {

// A connection's balancer, whatever its policy is at the moment.
//
// When the policy changes, the old balancer serves calls until the new one has something to say: it's
// READY, or has failed, or is IDLE; or until the old one isn't READY itself any more. A balancer that
// was replaced ends at the end of the loop's turn, never while it's being called. So does one that throws;
// in its place calls end with INTERNAL until the next on_resolved(). One loop's thread; destroyed only when
// no balancer is being called.
class GracefulSwitch {
 public:
  explicit GracefulSwitch(BalancerHelper& helper);
  ~GracefulSwitch();

  // The resolver's state, and the policy that is to work with it from now on. `builder` outlives this.
  Status on_resolved(BalancerBuilder& builder, const ResolverState& state, const BalancerConfig* config);
  // Before there is any policy: calls fail with it.
  void on_resolver_error(const Status& error);
  void exit_idle();

  // Which balancer asks for a SubConn, while one does; and that its listener threw.
  uint64_t maker() const noexcept { return maker_; }
  void on_listener_threw(uint64_t maker, const Status& why);

 private:
  class Child;

  Child* latest() noexcept { return pending_ ? pending_.get() : current_.get(); }
  bool is_used(const Child& child) const noexcept { return &child == current_.get() || &child == pending_.get(); }
  template <class Function>
  Status call(Child& child, Function function);
  void give_up(Child& child, const Status& why);
  void on_update(Child& child, ConnectivityState state, Ref<Picker> picker);
  void swap();
  void retire(std::unique_ptr<Child> child);
  void destroy_retired() noexcept;
  void look_again() { helper_.resolve_now(); }

  BalancerHelper& helper_;
  std::unique_ptr<Child> current_;
  std::unique_ptr<Child> pending_;
  std::vector<std::unique_ptr<Child>> retired_;
  uint64_t made_ = 0;   // children, to tell them apart
  uint64_t maker_ = 0;  // the one whose SubConn is being made
  HookOf<&GracefulSwitch::destroy_retired> destroy_retired_{*this};
  TimerOf<&GracefulSwitch::look_again> look_again_;
};

}  // namespace gaggle
