// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "gaggle/net/loop_work.h"
#include "gaggle/rpc/balancer/balancer.h"

namespace gaggle {

// A connection's balancer, whatever its policy is at the moment.
//
// When the policy changes, the old balancer serves calls until the new one has something to say: it's
// READY, or has failed, or is IDLE; or until the old one isn't READY itself any more. A balancer that
// was replaced ends at the end of the loop's turn, never while it's being called. One loop's thread;
// destroyed only when no balancer is being called.
class GracefulSwitch {
 public:
  explicit GracefulSwitch(BalancerHelper& helper);
  ~GracefulSwitch();

  // The resolver's state, and the policy that is to work with it from now on. `builder` outlives this.
  Status on_resolved(BalancerBuilder& builder, const ResolverState& state, const BalancerConfig* config);
  // Before there is any policy: calls fail with it.
  void on_resolver_error(const Status& error);
  void exit_idle();

 private:
  class Child;

  Child* latest() noexcept { return pending_ ? pending_.get() : current_.get(); }
  void on_update(Child& child, ConnectivityState state, Ref<Picker> picker);
  void swap();
  void retire(std::unique_ptr<Child> child);
  void destroy_retired() noexcept;

  BalancerHelper& helper_;
  std::unique_ptr<Child> current_;
  std::unique_ptr<Child> pending_;
  std::vector<std::unique_ptr<Child>> retired_;
  HookOf<&GracefulSwitch::destroy_retired> destroy_retired_{*this};
};

}  // namespace gaggle
