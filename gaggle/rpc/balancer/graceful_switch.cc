// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/balancer/graceful_switch.h"

#include <utility>

#include "gaggle/net/loop.h"
#include "gaggle/rpc/balancer/pickers.h"

namespace gaggle {

// One balancer and what it has said last. It works with this instead of the connection.
class GracefulSwitch::Child final : public BalancerHelper {
 public:
  Child(GracefulSwitch& owner, BalancerBuilder& made_by)
      : builder(made_by), picker(make_queue_picker()), owner_(owner) {}

  // Not in the constructor: the balancer may say something at once, and is to be known by then.
  void build() { balancer = builder.build(*this); }

  BalancerBuilder& builder;
  ConnectivityState state = ConnectivityState::kConnecting;
  Ref<Picker> picker;
  std::unique_ptr<Balancer> balancer;

 private:
  Ref<SubConn> new_subconn(const Address& address, SubConnListener& listener) override {
    return owner_.helper_.new_subconn(address, listener);
  }
  void update_state(ConnectivityState now, Ref<Picker> next) override { owner_.on_update(*this, now, std::move(next)); }
  void resolve_now() override {
    if (this == owner_.latest()) owner_.helper_.resolve_now();
  }
  Loop& loop() noexcept override { return owner_.helper_.loop(); }
  uint64_t random() noexcept override { return owner_.helper_.random(); }

  GracefulSwitch& owner_;
};

GracefulSwitch::GracefulSwitch(BalancerHelper& helper) : helper_(helper) {}

GracefulSwitch::~GracefulSwitch() = default;

Status GracefulSwitch::on_resolved(BalancerBuilder& builder, const ResolverState& state, const BalancerConfig* config) {
  if (latest() == nullptr || &latest()->builder != &builder) {
    auto child = std::make_unique<Child>(*this, builder);
    if (pending_) retire(std::move(pending_));
    (current_ ? pending_ : current_) = std::move(child);
    latest()->build();
  }
  return latest()->balancer->on_resolved(state, config);
}

void GracefulSwitch::on_resolver_error(const Status& error) {
  if (latest() != nullptr) return latest()->balancer->on_resolver_error(error);
  helper_.update_state(ConnectivityState::kTransientFailure, make_fail_picker(error));
}

void GracefulSwitch::exit_idle() {
  if (latest() != nullptr) latest()->balancer->exit_idle();
}

void GracefulSwitch::on_update(Child& child, ConnectivityState state, Ref<Picker> picker) {
  child.state = state;
  child.picker = std::move(picker);
  if (&child == current_.get()) {
    if (pending_ && state != ConnectivityState::kReady) return swap();
    return helper_.update_state(state, child.picker);
  }
  if (&child != pending_.get()) return;  // it was replaced
  if (state != ConnectivityState::kConnecting || current_->state != ConnectivityState::kReady) swap();
}

void GracefulSwitch::swap() {
  retire(std::exchange(current_, std::move(pending_)));
  helper_.update_state(current_->state, current_->picker);
}

void GracefulSwitch::destroy_retired() noexcept { retired_.clear(); }

void GracefulSwitch::retire(std::unique_ptr<Child> child) {
  retired_.push_back(std::move(child));
  helper_.loop().defer(destroy_retired_);
}

}  // namespace gaggle
