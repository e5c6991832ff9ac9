// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/client_channel.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "gaggle/net/loop.h"
#include "gaggle/rpc/balancer/choice.h"
#include "gaggle/rpc/client_call.h"
#include "gaggle/rpc/client_subconn.h"
#include "gaggle/rpc/client_unary.h"
#include "gaggle/rpc/compressor.h"
#include "gaggle/rpc/thrown.h"

namespace gaggle {

namespace {

// gRFC A105: whatever a service config says.
constexpr size_t kMaxConnectionsPerAddress = 10;

bool has_idle_timeout(const ClientConnOptions& options) {
  return options.idle_timeout > Duration::zero() && options.idle_timeout != Duration::max();
}

}  // namespace

ClientChannel::ClientChannel(ClientChannelParts parts)
    : parts_(std::move(parts)),
      service_config_(parts_.default_service_config, parts_.options.disable_service_config),
      keepalive_time_(parts_.options.keepalive.time),
      random_(parts_.options.random_seed),
      state_watchers_(*parts_.loop),
      idle_timer_(*parts_.loop, *this),
      methods_(parts_.options.credentials->scheme(), parts_.authority, user_agent_text(parts_.options.user_agent),
               parts_.compressors->accept_encoding()) {}

ClientChannel::~ClientChannel() = default;

// --- Life ---

Status ClientChannel::exit_idle() {
  if (closed_) return {};
  last_activity_ = loop().now();
  if (started_) {
    if (state() == ConnectivityState::kIdle) balancer_->exit_idle();
    return {};
  }
  Result<std::unique_ptr<Resolver>> resolver = build_resolver();
  if (!resolver) {
    note_error(resolver.error());
    parts_.options.log(LogLevel::kWarning, parts_.target.canonical + ": " + std::string(resolver.error().message()));
    return resolver.error();
  }
  started_ = true;
  resolver_ = std::move(*resolver);
  balancer_ = std::make_unique<GracefulSwitch>(static_cast<BalancerHelper&>(*this));
  ++counters_.idle_exits;
  set_state(ConnectivityState::kConnecting);
  if (has_idle_timeout(parts_.options)) idle_timer_.arm_after(parts_.options.idle_timeout);
  return {};
}

Result<std::unique_ptr<Resolver>> ClientChannel::build_resolver() noexcept {
  const ResolverOptions options{&loop(), random(), parts_.options.log, parts_.options.disable_service_config};
  try {
    Result<std::unique_ptr<Resolver>> resolver = parts_.resolver->build(parts_.target, *this, options);
    if (resolver && *resolver == nullptr) return Status::internal("the resolver's builder made none");
    return resolver;
  } catch (...) {
    return status_of_thrown("the resolver's builder");
  }
}

void ClientChannel::close() {
  if (std::exchange(closed_, true)) return;
  const Ref<ClientChannel> stay = Ref<ClientChannel>::share(this);
  const Status why = Status::cancelled("the client connection is closing");
  idle_timer_.disarm();
  while (!calls_.empty()) calls_.front().finish(why);
  resolver_.reset();
  picker_ = nullptr;
  balancer_.reset();
  const std::vector<ClientSubConn*> subconns = subconns_;
  for (ClientSubConn* subconn : subconns) {
    if (std::ranges::find(subconns_, subconn) != subconns_.end()) subconn->close_now(why);
  }
  set_state(ConnectivityState::kShutdown);
  end_if_over();
}

void ClientChannel::reset_connect_backoff() {
  const std::vector<ClientSubConn*> subconns = subconns_;
  for (ClientSubConn* subconn : subconns) subconn->reset_backoff();
}

void ClientChannel::end_if_over() {
  if (!closed_ || !subconns_.empty()) return;
  const std::lock_guard lock(ended_mutex_);
  ended_ = true;
  ended_changed_.notify_all();
}

void ClientChannel::wait_ended() {
  std::unique_lock lock(ended_mutex_);
  // A loop that was stopped for good never gets there.
  while (!ended_changed_.wait_for(lock, std::chrono::milliseconds{100}, [this] { return ended_; })) {
    if (parts_.loop->io_context().stopped()) return;
  }
}

bool ClientChannel::has_ended() const {
  const std::lock_guard lock(ended_mutex_);
  return ended_;
}

void ClientChannel::set_state(ConnectivityState state) {
  if (state_.exchange(state, std::memory_order_acq_rel) != state) state_watchers_.wake_all();
}

// --- Idleness ---

void ClientChannel::end_activity() noexcept {
  if (--activities_ == 0) last_activity_ = loop().now();
}

// The timer isn't touched by calls: when it fires, it finds out how long it was too early.
void ClientChannel::on_idle_timer() {
  if (activities_ != 0) return idle_timer_.arm_after(parts_.options.idle_timeout);
  const TimePoint due = deadline_after(last_activity_, parts_.options.idle_timeout);
  if (due > loop().now()) return idle_timer_.arm_at(due);
  enter_idle();
}

// Nobody calls: no names are resolved and no connections kept, until somebody does.
void ClientChannel::enter_idle() {
  started_ = false;
  resolver_.reset();
  picker_ = nullptr;
  balancer_.reset();
  ++counters_.idle_entries;
  set_state(ConnectivityState::kIdle);
}

// --- Resolver and balancer ---

// gRFC A21, A24: a config whose policy we don't have, or whose policy doesn't understand it, is a bad one.
Status ClientChannel::check_policy(ResolverState& state) const {
  if (!state.service_config || !state.service_config->is_ok()) return {};
  return choose_balancer((**state.service_config).get(), parts_.balancers, *parts_.balancer).status();
}

Status ClientChannel::on_resolved(ResolverState state) {
  if (closed_ || !started_) return {};
  if (Status bad = check_policy(state); !bad) state.service_config = std::move(bad);
  if (state.service_config && !state.service_config->is_ok() && !parts_.options.disable_service_config) {
    parts_.options.log(LogLevel::kWarning, std::string(state.service_config->error().message()));
  }
  if (Status bad = service_config_.update(state.service_config); !bad) {
    on_resolver_error(bad);
    return bad;
  }
  // It was checked, here or at creation.
  Result<BalancerChoice> choice = choose_balancer(service_config_.current().get(), parts_.balancers, *parts_.balancer);
  if (!choice) return choice.error();
  Status used = balancer_->on_resolved(*choice->builder, state, choice->config.get());
  // A copy: calls that find a place may bring new ones.
  const std::vector<ClientSubConn*> subconns = subconns_;
  for (ClientSubConn* subconn : subconns) {
    subconn->on_limits_changed();
    subconn->on_health_config_changed();
  }
  return used;
}

void ClientChannel::on_resolver_error(const Status& error) {
  if (closed_ || !started_) return;
  note_error(error);
  balancer_->on_resolver_error(error);
}

void ClientChannel::resolve_now() {
  if (!resolver_) return;
  try {
    resolver_->resolve_now();
  } catch (...) {
    // It was a hint; what the resolver reports will come or not.
    parts_.options.log(LogLevel::kError, status_of_thrown("the resolver").message());
  }
}

Ref<SubConn> ClientChannel::new_subconn(const Address& address, SubConnListener& listener) {
  return make_ref<ClientSubConn>(*this, address, listener, balancer_ ? balancer_->maker() : 0);
}

void ClientChannel::on_listener_threw(uint64_t maker, const Status& why) {
  if (balancer_) balancer_->on_listener_threw(maker, why);
}

void ClientChannel::update_state(ConnectivityState state, Ref<Picker> picker) {
  if (closed_) return;
  picker_ = std::move(picker);
  set_state(state);
  place_waiting();
}

void ClientChannel::add_subconn(ClientSubConn& subconn) { subconns_.push_back(&subconn); }

void ClientChannel::remove_subconn(ClientSubConn& subconn) {
  std::erase(subconns_, &subconn);
  end_if_over();
}

// Two connections that were asked equally often and complain both count once.
void ClientChannel::slow_keepalive(Duration asked) {
  if (asked >= Duration::max() / 2) return;
  keepalive_time_ = std::max(keepalive_time_, asked * 2);
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(keepalive_time_).count();
  parts_.options.log(LogLevel::kWarning, parts_.target.canonical +
                                             ": a server says too_many_pings; keepalive.time is " +
                                             std::to_string(seconds) + " s from now on");
}

size_t ClientChannel::max_connections_per_address() const noexcept {
  size_t wanted = parts_.options.max_connections_per_address;
  if (const ServiceConfig* config = service_config_.current().get()) {
    wanted = config->max_connections_per_address().value_or(wanted);
  }
  return std::clamp<size_t>(wanted, 1, kMaxConnectionsPerAddress);
}

const std::string* ClientChannel::health_service() const noexcept {
  const ServiceConfig* const config = service_config_.current().get();
  if (config == nullptr || !config->health_service() || parts_.options.disable_health_check) return nullptr;
  return &*config->health_service();
}

transport::Options ClientChannel::transport_options() const {
  transport::Options options;
  options.http2.limits = parts_.options.http2;
  options.keepalive.time = keepalive_time_;
  options.keepalive.timeout = parts_.options.keepalive.timeout;
  options.keepalive.permit_without_stream = parts_.options.keepalive.permit_without_stream;
  return options;
}

}  // namespace gaggle
