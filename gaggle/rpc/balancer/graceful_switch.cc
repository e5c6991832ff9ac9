// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/balancer/graceful_switch.h"

#include <chrono>
#include <string>
#include <utility>

#include "gaggle/net/loop.h"
#include "gaggle/rpc/balancer/pickers.h"
#include "gaggle/rpc/thrown.h"

namespace gaggle {
namespace {

// After a balancer has thrown. Some resolvers answer at once: what throws whenever it has a connection
// must not make one after the other.
constexpr Duration kRebuildDelay = std::chrono::seconds{1};

}  // namespace

// One balancer and what it has said last. It works with this instead of the connection.
class GracefulSwitch::Child final : public BalancerHelper {
 public:
  Child(GracefulSwitch& owner, BalancerBuilder& made_by)
      : builder(made_by), number(++owner.made_), picker(make_queue_picker()), owner_(owner) {}

  // Not in the constructor: the balancer may say something at once, and is to be known by then.
  Status build() {
    try {
      balancer = builder.build(*this);
    } catch (...) {
      return status_of_thrown("the builder of " + name());
    }
    return balancer ? Status{} : Status::internal("the builder of " + name() + " made none");
  }
  std::string name() const { return "the balancer \"" + std::string(builder.name()) + "\""; }

  BalancerBuilder& builder;
  const uint64_t number;
  ConnectivityState state = ConnectivityState::kConnecting;
  Ref<Picker> picker;
  std::unique_ptr<Balancer> balancer;  // null: it couldn't be built, or has thrown

 private:
  Ref<SubConn> new_subconn(const Address& address, SubConnListener& listener) override {
    owner_.maker_ = number;
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

GracefulSwitch::GracefulSwitch(BalancerHelper& helper) : helper_(helper), look_again_(helper.loop(), *this) {}

GracefulSwitch::~GracefulSwitch() = default;

Status GracefulSwitch::on_resolved(BalancerBuilder& builder, const ResolverState& state, const BalancerConfig* config) {
  if (latest() == nullptr || &latest()->builder != &builder || !latest()->balancer) {
    look_again_.disarm();
    auto child = std::make_unique<Child>(*this, builder);
    if (pending_) retire(std::move(pending_));
    (current_ ? pending_ : current_) = std::move(child);
    Child& made = *latest();
    if (Status failed = made.build(); !failed) {
      give_up(made, failed);
      return failed;
    }
  }
  return call(*latest(), [&](Balancer& balancer) { return balancer.on_resolved(state, config); });
}

void GracefulSwitch::on_resolver_error(const Status& error) {
  if (latest() == nullptr) {
    return helper_.update_state(ConnectivityState::kTransientFailure, make_fail_picker(error));
  }
  static_cast<void>(call(*latest(), [&](Balancer& balancer) {
    balancer.on_resolver_error(error);
    return Status{};
  }));
}

void GracefulSwitch::exit_idle() {
  if (latest() == nullptr) return;
  static_cast<void>(call(*latest(), [](Balancer& balancer) {
    balancer.exit_idle();
    return Status{};
  }));
}

// --- Those that throw ---

template <class Function>
Status GracefulSwitch::call(Child& child, Function function) {
  if (!child.balancer) return {};
  try {
    return function(*child.balancer);
  } catch (...) {
    const Status why = status_of_thrown(child.name());
    give_up(child, why);
    return why;
  }
}

void GracefulSwitch::on_listener_threw(uint64_t maker, const Status& why) {
  Child* const pending = pending_.get();
  Child* const child = pending != nullptr && pending->number == maker ? pending : current_.get();
  if (child == nullptr || child->number != maker) return;  // it was replaced
  give_up(*child, Status::internal(child->name() + ": " + std::string(why.message())));
}

// One without a balancer takes its place, until the resolver reports again.
void GracefulSwitch::give_up(Child& child, const Status& why) {
  if (!is_used(child)) return;
  std::unique_ptr<Child>& place = &child == pending_.get() ? pending_ : current_;
  auto broken = std::make_unique<Child>(*this, child.builder);
  Child& instead = *broken;
  retire(std::exchange(place, std::move(broken)));
  look_again_.arm_after(kRebuildDelay);
  on_update(instead, ConnectivityState::kTransientFailure, make_drop_picker(why));
}

void GracefulSwitch::on_update(Child& child, ConnectivityState state, Ref<Picker> picker) {
  if (!picker) {
    state = ConnectivityState::kTransientFailure;
    picker = make_drop_picker(Status::internal(child.name() + " gave no picker"));
  }
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
