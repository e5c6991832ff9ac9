// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "gaggle/net/loop_work.h"
#include "gaggle/rpc/balancer/balancer.h"

namespace gaggle {

// An endpoint that calls can go to at this moment.
struct ReadyEndpoint {
  Endpoint endpoint;
  Ref<Picker> picker;  // completes every call, to this endpoint
};

// A balancer that keeps one connection to every endpoint, and leaves the choice to the class that
// derives from it: what most policies are made of.
//
// Each endpoint is served by a pick_first of its own (gRFC A61), so that one with several addresses
// is reached by whichever answers first. Connections are made at once and remade when they are lost.
// READY while one endpoint is, else CONNECTING while one is being connected to, TRANSIENT_FAILURE
// when all have failed. An endpoint that appears twice counts once; one that stays in the resolver's
// list keeps its connection.
class EndpointBalancer : public Balancer {
 public:
  ~EndpointBalancer() override;
  Status on_resolved(const ResolverState& state, const BalancerConfig* config) override;
  void on_resolver_error(const Status& error) override;
  void exit_idle() override {}  // it never rests

 protected:
  explicit EndpointBalancer(BalancerHelper& helper) noexcept;

  // A picker that chooses among `ready`, which isn't empty and is in the resolver's order. Asked for
  // whenever the set or a connection has changed. If it throws or gives null, the connection is in
  // TRANSIENT_FAILURE and calls end with INTERNAL until it's asked again.
  virtual Ref<Picker> make_picker(std::span<const ReadyEndpoint> ready) = 0;
  // Before the endpoints are looked at: keep what make_picker() needs of it.
  virtual void on_config(const BalancerConfig* config) { static_cast<void>(config); }
  BalancerHelper& helper() noexcept { return helper_; }

 private:
  class Child;

  void adopt(const std::vector<Endpoint>& endpoints);
  void on_child_update();
  void wake_idle() noexcept;
  void publish();
  void publish_ready(std::span<const ReadyEndpoint> ready);

  BalancerHelper& helper_;
  std::vector<std::unique_ptr<Child>> children_;
  bool updating_ = false;  // publish() comes when that is over
  Status last_error_;
  HookOf<&EndpointBalancer::wake_idle> wake_idle_{*this};
};

}  // namespace gaggle
