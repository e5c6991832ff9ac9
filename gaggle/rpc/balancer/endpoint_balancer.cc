// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/balancer/endpoint_balancer.h"

#include <algorithm>
#include <string>
#include <utility>

#include "gaggle/net/loop.h"
#include "gaggle/rpc/balancer/pick_first.h"
#include "gaggle/rpc/balancer/pickers.h"
#include "gaggle/rpc/thrown.h"

namespace gaggle {

// One endpoint and the policy that serves it, which works with this instead of the connection.
class EndpointBalancer::Child final : public BalancerHelper, private SubConnHealthListener {
 public:
  Child(EndpointBalancer& owner, Endpoint served) : endpoint(std::move(served)), owner_(owner) {}
  ~Child() { unwatch(); }

  void begin() {
    balancer = PickFirstBuilder().build(*this);
    update();
  }
  void update() {
    ResolverState only;
    only.endpoints.push_back(endpoint);
    static_cast<void>(balancer->on_resolved(only, nullptr));
  }

  Endpoint endpoint;
  ConnectivityState state = ConnectivityState::kConnecting;
  Ref<Picker> picker;
  std::unique_ptr<Balancer> balancer;

 private:
  Ref<SubConn> new_subconn(const Address& address, SubConnListener& listener) override {
    return owner_.helper_.new_subconn(address, listener);
  }
  // What pick_first says counts, but for READY: whether that is so, the server's health decides.
  void update_state(ConnectivityState now, Ref<Picker> next) override {
    if (now != ConnectivityState::kReady) {
      unwatch();
      return adopt(now, std::move(next));
    }
    connected_ = std::move(next);
    SubConn* const chosen = connected_->pick({}).subconn;
    if (chosen != watched_.get()) {
      unwatch();
      watched_ = Ref<SubConn>::share(chosen);
      health_ = chosen->watch_health(this);
    }
    adopt_health();
  }
  void on_subconn_health(const SubConnState& health) override {
    health_ = health;
    adopt_health();
  }
  void unwatch() noexcept {
    if (watched_) std::exchange(watched_, nullptr)->watch_health(nullptr);
  }
  void adopt_health() {
    switch (health_.state) {
      case ConnectivityState::kReady: return adopt(ConnectivityState::kReady, connected_);
      case ConnectivityState::kTransientFailure: return adopt(health_.state, make_fail_picker(health_.error));
      default: return adopt(ConnectivityState::kConnecting, make_queue_picker());
    }
  }
  void adopt(ConnectivityState now, Ref<Picker> next) {
    const bool was_ready = state == ConnectivityState::kReady;
    const bool changed = state != now;
    state = now;
    picker = std::move(next);
    // Its picker begins to connect when a call comes; here nobody waits for that.
    if (now == ConnectivityState::kIdle) owner_.helper_.loop().defer(owner_.wake_idle_);
    if (changed || was_ready || now == ConnectivityState::kTransientFailure) owner_.on_child_update();
  }
  void resolve_now() override { owner_.helper_.resolve_now(); }
  Loop& loop() noexcept override { return owner_.helper_.loop(); }
  uint64_t random() noexcept override { return owner_.helper_.random(); }

  EndpointBalancer& owner_;
  Ref<Picker> connected_;  // pick_first's, while it's READY
  Ref<SubConn> watched_;   // whose health counts; null while it isn't
  SubConnState health_;
};

EndpointBalancer::EndpointBalancer(BalancerHelper& helper) noexcept : helper_(helper) {}

EndpointBalancer::~EndpointBalancer() { updating_ = true; }

Status EndpointBalancer::on_resolved(const ResolverState& state, const BalancerConfig* config) {
  updating_ = true;
  on_config(config);
  adopt(state.endpoints);
  updating_ = false;
  if (children_.empty()) last_error_ = Status::unavailable("the resolver gave no addresses");
  publish();
  return children_.empty() ? last_error_ : Status::ok();
}

void EndpointBalancer::adopt(const std::vector<Endpoint>& endpoints) {
  std::vector<std::unique_ptr<Child>> old = std::exchange(children_, {});
  for (const Endpoint& endpoint : endpoints) {
    if (endpoint.addresses.empty()) continue;
    const auto same = [&](const std::unique_ptr<Child>& child) {
      return child && std::ranges::is_permutation(child->endpoint.addresses, endpoint.addresses);
    };
    if (std::ranges::any_of(children_, same)) continue;
    const auto kept = std::ranges::find_if(old, same);
    if (kept != old.end()) {
      Child& child = *children_.emplace_back(std::move(*kept));
      child.endpoint = endpoint;
      child.update();
    } else {
      children_.push_back(std::make_unique<Child>(*this, endpoint));
      children_.back()->begin();
    }
  }
}

void EndpointBalancer::on_resolver_error(const Status& error) {
  last_error_ = error;
  updating_ = true;
  for (const auto& child : children_) child->balancer->on_resolver_error(error);
  updating_ = false;
  publish();
}

// From a hook, not from within the child's report: it isn't done with what made it report.
void EndpointBalancer::wake_idle() noexcept {
  updating_ = true;
  for (const auto& child : children_) {
    if (child->state == ConnectivityState::kIdle) child->balancer->exit_idle();
  }
  updating_ = false;
  publish();
}

void EndpointBalancer::on_child_update() {
  if (!updating_) publish();
}

// gRPC load-balancing.md: READY if one is, else CONNECTING if one is, else failing.
void EndpointBalancer::publish() {
  std::vector<ReadyEndpoint> ready;
  bool connecting = false;
  for (const auto& child : children_) {
    switch (child->state) {
      case ConnectivityState::kReady: ready.push_back({child->endpoint, child->picker}); break;
      case ConnectivityState::kConnecting:
      case ConnectivityState::kIdle: connecting = true; break;
      case ConnectivityState::kTransientFailure:
      case ConnectivityState::kShutdown: {
        const PickResult why = child->picker->pick({});
        if (!why.status.is_ok()) last_error_ = why.status;
        break;
      }
    }
  }
  if (!ready.empty()) return publish_ready(ready);
  if (connecting) return helper_.update_state(ConnectivityState::kConnecting, make_queue_picker());
  helper_.update_state(ConnectivityState::kTransientFailure, make_fail_picker(last_error_));
}

// It comes from hooks, too, where nobody would catch what the policy throws.
void EndpointBalancer::publish_ready(std::span<const ReadyEndpoint> ready) {
  Ref<Picker> picker;
  try {
    picker = make_picker(ready);
  } catch (...) {
    picker = make_drop_picker(status_of_thrown("the balancer's make_picker()"));
    return helper_.update_state(ConnectivityState::kTransientFailure, std::move(picker));
  }
  helper_.update_state(ConnectivityState::kReady, std::move(picker));
}

}  // namespace gaggle
