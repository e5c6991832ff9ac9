// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/client_channel.h"

#include <algorithm>
#include <utility>

#include "gaggle/net/loop.h"
#include "gaggle/rpc/client_call.h"
#include "gaggle/rpc/client_subconn.h"
#include "gaggle/rpc/client_unary.h"

namespace gaggle {

ClientChannel::ClientChannel(ClientChannelParts parts)
    : parts_(std::move(parts)),
      service_config_(parts_.default_service_config, parts_.options.disable_service_config),
      random_(parts_.options.random_seed),
      state_watchers_(*parts_.loop),
      methods_(parts_.options.credentials->scheme(), parts_.authority, user_agent_text(parts_.options.user_agent)) {}

ClientChannel::~ClientChannel() = default;

// --- Life ---

void ClientChannel::exit_idle() {
  if (closed_) return;
  if (!started_) {
    started_ = true;
    set_state(ConnectivityState::kConnecting);
    balancer_ = parts_.balancer->build(*this);
    const ResolverOptions options{&loop(), random(), parts_.options.log};
    Result<std::unique_ptr<Resolver>> resolver = parts_.resolver->build(parts_.target, *this, options);
    if (!resolver) return on_resolver_error(resolver.error());
    resolver_ = std::move(*resolver);
    return;
  }
  if (state() == ConnectivityState::kIdle) balancer_->exit_idle();
}

void ClientChannel::close() {
  if (std::exchange(closed_, true)) return;
  const Ref<ClientChannel> stay = Ref<ClientChannel>::share(this);
  const Status why = Status::cancelled("the client connection is closing");
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

// --- Resolver and balancer ---

Status ClientChannel::on_resolved(ResolverState state) {
  if (closed_ || !balancer_) return {};
  if (Status bad = service_config_.update(state.service_config); !bad) {
    on_resolver_error(bad);
    return bad;
  }
  return balancer_->on_resolved(state);
}

void ClientChannel::on_resolver_error(const Status& error) {
  if (closed_) return;
  note_error(error);
  balancer_->on_resolver_error(error);
}

void ClientChannel::resolve_now() {
  if (resolver_) resolver_->resolve_now();
}

Ref<SubConn> ClientChannel::new_subconn(const Address& address, SubConnListener& listener) {
  return make_ref<ClientSubConn>(*this, address, listener);
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

transport::Options ClientChannel::transport_options() const {
  transport::Options options;
  options.http2.limits = parts_.options.http2;
  options.keepalive.time = parts_.options.keepalive.time;
  options.keepalive.timeout = parts_.options.keepalive.timeout;
  options.keepalive.permit_without_stream = parts_.options.keepalive.permit_without_stream;
  return options;
}

}  // namespace gaggle
