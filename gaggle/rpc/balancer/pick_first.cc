// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/balancer/pick_first.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "gaggle/net/loop.h"
#include "gaggle/net/timer.h"
#include "gaggle/rpc/balancer/pickers.h"

namespace gaggle {
namespace {

struct PickFirstConfig final : BalancerConfig {
  bool shuffle = false;
};

class ReadyPicker final : public Picker {
 public:
  explicit ReadyPicker(Ref<SubConn> subconn) : subconn_(std::move(subconn)) {}
  PickResult pick(const PickInfo&) override { return PickResult::complete(*subconn_); }

 private:
  const Ref<SubConn> subconn_;
};

// Begins to connect when there is a call to make.
class IdlePicker final : public Picker {
 public:
  explicit IdlePicker(Balancer& balancer) : balancer_(balancer) {}
  PickResult pick(const PickInfo&) override {
    balancer_.exit_idle();
    return PickResult::queue();
  }

 private:
  Balancer& balancer_;
};

class PickFirst final : public Balancer, SubConnListener {
 public:
  explicit PickFirst(BalancerHelper& helper) : helper_(helper), next_attempt_(helper.loop(), *this) {}
  ~PickFirst() override { drop_candidates(); }

  Status on_resolved(const ResolverState& state, const BalancerConfig* config) override;
  void on_resolver_error(const Status& error) override;
  void exit_idle() override;

 private:
  struct Candidate {
    Address address;
    Ref<SubConn> subconn;
    ConnectivityState state = ConnectivityState::kIdle;
    bool failed = false;  // since the pass began
  };

  void on_subconn_state(SubConn& subconn, const SubConnState& state) override;
  ResolverState shuffled(const ResolverState& state);
  void adopt(std::vector<Address> addresses);
  void drop_candidates();
  void begin_pass();
  void try_next();
  void attempt_failed(Candidate& candidate, const Status& error);
  void pass_failed();
  void retry_all();
  void select(Candidate& candidate);
  void selected_lost(const Status& why);
  void selected_reconnects(const Status& why);
  void report(ConnectivityState state, Ref<Picker> picker);
  void report_failure();

  BalancerHelper& helper_;
  std::vector<Address> resolved_;  // in the resolver's order
  bool shuffled_ = false;
  std::vector<Candidate> candidates_;  // in the order of attempts
  size_t tried_ = 0;                   // candidates_[0, tried_) have been asked to connect in this pass
  bool in_pass_ = false;               // the first pass over the addresses isn't over
  size_t failures_ = 0;                // after the pass, since we last asked for a new look
  SubConn* selected_ = nullptr;        // the ready one
  bool heard_ = false;                 // the resolver has said something
  ConnectivityState state_ = ConnectivityState::kConnecting;
  Status last_error_;
  TimerOf<&PickFirst::try_next> next_attempt_;
};

void PickFirst::report(ConnectivityState state, Ref<Picker> picker) {
  state_ = state;
  helper_.update_state(state, std::move(picker));
}

void PickFirst::report_failure() { report(ConnectivityState::kTransientFailure, make_fail_picker(last_error_)); }

Status PickFirst::on_resolved(const ResolverState& state, const BalancerConfig* config) {
  const bool shuffle = config != nullptr && static_cast<const PickFirstConfig*>(config)->shuffle;
  std::vector<Address> addresses = order_of_attempts(state);
  const bool first = !std::exchange(heard_, true);
  if (addresses.empty()) {
    drop_candidates();
    resolved_.clear();
    last_error_ = Status::unavailable("the resolver gave no addresses");
    report_failure();
    return last_error_;
  }
  if (addresses == resolved_ && shuffle == shuffled_) return {};
  const bool had_none = candidates_.empty();
  resolved_ = addresses;
  shuffled_ = shuffle;
  if (shuffle) addresses = order_of_attempts(shuffled(state));
  adopt(std::move(addresses));
  if (selected_ != nullptr) return {};
  if (state_ == ConnectivityState::kIdle && !first) return {};
  // Failing stays failing until something works, unless there was nothing to try.
  if (state_ != ConnectivityState::kTransientFailure || had_none) {
    report(ConnectivityState::kConnecting, make_queue_picker());
  }
  begin_pass();
  return {};
}

// gRFC A62: endpoints change places, the addresses of one don't.
ResolverState PickFirst::shuffled(const ResolverState& state) {
  ResolverState mixed;
  mixed.endpoints = state.endpoints;
  for (size_t i = mixed.endpoints.size(); i > 1; --i) {
    std::swap(mixed.endpoints[i - 1], mixed.endpoints[helper_.random() % i]);
  }
  return mixed;
}

// Takes a new list; of the old connections only the ready one stays, if its address is still there.
void PickFirst::adopt(std::vector<Address> addresses) {
  std::vector<Candidate> next;
  next.reserve(addresses.size());
  for (Address& address : addresses) next.push_back({std::move(address), {}, ConnectivityState::kIdle, false});
  if (selected_ != nullptr) {
    const auto kept = std::ranges::find(next, selected_->address(), &Candidate::address);
    const auto old = std::ranges::find(candidates_, selected_, [](const Candidate& c) { return c.subconn.get(); });
    if (kept != next.end()) {
      kept->subconn = std::exchange(old->subconn, nullptr);
      kept->state = ConnectivityState::kReady;
    } else {
      state_ = ConnectivityState::kConnecting;
    }
  }
  SubConn* const selected = selected_;
  drop_candidates();
  candidates_ = std::move(next);
  const bool still_there =
      std::ranges::any_of(candidates_, [&](const Candidate& c) { return c.subconn && c.subconn.get() == selected; });
  if (still_there) selected_ = selected;
}

void PickFirst::drop_candidates() {
  next_attempt_.disarm();
  in_pass_ = false;
  selected_ = nullptr;
  for (Candidate& candidate : candidates_) {
    if (candidate.subconn) candidate.subconn->shutdown();
  }
  candidates_.clear();
}

void PickFirst::on_resolver_error(const Status& error) {
  heard_ = true;
  // What we have is better than nothing.
  if (!candidates_.empty()) return;
  last_error_ = error;
  report_failure();
}

void PickFirst::exit_idle() {
  if (state_ != ConnectivityState::kIdle || candidates_.empty()) return;
  report(ConnectivityState::kConnecting, make_queue_picker());
  begin_pass();
}

void PickFirst::begin_pass() {
  in_pass_ = true;
  tried_ = 0;
  for (Candidate& candidate : candidates_) candidate.failed = false;
  try_next();
}

// Starts with the next address; the one after it gets its turn when this one fails, or soon.
void PickFirst::try_next() {
  next_attempt_.disarm();
  while (tried_ < candidates_.size()) {
    Candidate& candidate = candidates_[tried_++];
    if (!candidate.subconn) candidate.subconn = helper_.new_subconn(candidate.address, *this);
    if (candidate.state == ConnectivityState::kTransientFailure) {
      candidate.failed = true;  // its backoff isn't over
      continue;
    }
    if (candidate.state == ConnectivityState::kIdle) candidate.subconn->connect();
    if (tried_ < candidates_.size()) next_attempt_.arm_after(PickFirstBuilder::kAttemptDelay);
    return;
  }
  if (std::ranges::all_of(candidates_, &Candidate::failed)) pass_failed();
}

void PickFirst::on_subconn_state(SubConn& subconn, const SubConnState& state) {
  const auto found = std::ranges::find(candidates_, &subconn, [](const Candidate& c) { return c.subconn.get(); });
  if (found == candidates_.end()) return;
  Candidate& candidate = *found;
  candidate.state = state.state;
  const bool was_lost = &subconn == selected_ && state.state != ConnectivityState::kReady;
  if (was_lost && state.state != ConnectivityState::kIdle) return selected_reconnects(state.error);
  switch (state.state) {
    case ConnectivityState::kReady: select(candidate); break;
    case ConnectivityState::kTransientFailure: attempt_failed(candidate, state.error); break;
    case ConnectivityState::kIdle:
      if (&subconn == selected_) {
        selected_lost(state.error);
      } else if (!in_pass_ && state_ == ConnectivityState::kTransientFailure) {
        subconn.connect();  // its backoff is over
      }
      break;
    case ConnectivityState::kConnecting:
    case ConnectivityState::kShutdown: break;
  }
}

void PickFirst::attempt_failed(Candidate& candidate, const Status& error) {
  last_error_ = error;
  candidate.failed = true;
  if (!in_pass_) {
    if (++failures_ % candidates_.size() != 0) return;
    report_failure();
    helper_.resolve_now();
    return;
  }
  const bool latest = &candidate == &candidates_[tried_ - 1];
  if (latest || tried_ == candidates_.size()) try_next();
}

void PickFirst::pass_failed() {
  in_pass_ = false;
  failures_ = 0;
  report_failure();
  helper_.resolve_now();
  retry_all();
}

void PickFirst::retry_all() {
  for (Candidate& candidate : candidates_) {
    if (candidate.state == ConnectivityState::kIdle) candidate.subconn->connect();
  }
}

void PickFirst::select(Candidate& candidate) {
  next_attempt_.disarm();
  in_pass_ = false;
  selected_ = candidate.subconn.get();
  for (Candidate& other : candidates_) {
    if (&other == &candidate || !other.subconn) continue;
    other.subconn->shutdown();
    other.subconn = nullptr;
    other.state = ConnectivityState::kIdle;
  }
  report(ConnectivityState::kReady, make_ref<ReadyPicker>(candidate.subconn));
}

void PickFirst::selected_lost(const Status& why) {
  if (!why.is_ok()) last_error_ = why;
  selected_ = nullptr;
  report(ConnectivityState::kIdle, make_ref<IdlePicker>(*this));
  helper_.resolve_now();
}

// gRFC A105: one of several connections was lost while another was being made. It's wanted: on.
void PickFirst::selected_reconnects(const Status& why) {
  if (!why.is_ok()) last_error_ = why;
  selected_ = nullptr;
  report(ConnectivityState::kConnecting, make_queue_picker());
  helper_.resolve_now();
  begin_pass();
}

bool is_ipv6(const Address& address) {
  return address.kind == Address::Kind::kTcp && address.host.find(':') != std::string::npos;
}

}  // namespace

Result<Ref<const BalancerConfig>> PickFirstBuilder::parse_config(std::string_view json) const {
  const auto object = nlohmann::json::parse(json, nullptr, false);
  if (!object.is_object()) return Status::invalid_argument("must be an object");
  const auto shuffle = object.find("shuffleAddressList");
  Ref<PickFirstConfig> config = make_ref<PickFirstConfig>();
  if (shuffle != object.end() && !shuffle->is_null()) {
    if (!shuffle->is_boolean()) return Status::invalid_argument("shuffleAddressList must be true or false");
    config->shuffle = shuffle->get<bool>();
  }
  return Ref<const BalancerConfig>(std::move(config));
}

std::unique_ptr<Balancer> PickFirstBuilder::build(BalancerHelper& helper) {
  return std::make_unique<PickFirst>(helper);
}

std::vector<Address> order_of_attempts(const ResolverState& state) {
  std::vector<Address> families[2];
  bool first_is_ipv6 = false;
  for (const Endpoint& endpoint : state.endpoints) {
    for (const Address& address : endpoint.addresses) {
      const bool ipv6 = is_ipv6(address);
      if (families[0].empty() && families[1].empty()) first_is_ipv6 = ipv6;
      std::vector<Address>& family = families[ipv6 == first_is_ipv6 ? 0 : 1];
      if (std::ranges::find(family, address) == family.end()) family.push_back(address);
    }
  }
  std::vector<Address> order;
  const size_t longest = std::max(families[0].size(), families[1].size());
  for (size_t i = 0; i < longest; ++i) {
    for (std::vector<Address>& family : families) {
      if (i < family.size()) order.push_back(std::move(family[i]));
    }
  }
  return order;
}

}  // namespace gaggle
