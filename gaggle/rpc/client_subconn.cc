// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/client_subconn.h"

#include <algorithm>
#include <utility>

#include "gaggle/net/loop.h"
#include "gaggle/rpc/client_call.h"
#include "gaggle/rpc/client_channel.h"
#include "gaggle/rpc/client_dialer.h"
#include "gaggle/rpc/client_health.h"
#include "gaggle/rpc/thrown.h"

namespace gaggle {

// One dial under way. Lives until it has ended, even if nobody waits for it any more; the reference
// keeps the dialer's loop and the channel's books right until then.
class ClientSubConn::Attempt final : TaskCompletion<Result<std::unique_ptr<ByteStream>>> {
 public:
  explicit Attempt(ClientSubConn& owner) : owner_(Ref<ClientSubConn>::share(&owner)) {}

  // May end, and delete itself, before it returns.
  void run(ClientChannel& channel, const Address& address) {
    start(channel.credentials().has_handshake() ? dial_and_handshake(channel, address, source_.context())
                                                : dial(channel, address, source_.context()),
          *this, source_.context());
  }
  void leave(const Status& why) noexcept {
    wanted_ = false;
    source_.cancel(why);
  }

 private:
  using Dialled = Result<std::unique_ptr<ByteStream>>;

  static Task<Dialled> dial(ClientChannel& channel, const Address& address, const Context& context) {
    try {
      return channel.dialer().dial(channel.loop(), address, context);
    } catch (...) {
      return Task<Dialled>::ready(status_of_thrown(address.to_string() + ": the dialer"));
    }
  }

  Task<Dialled> dial_and_handshake(ClientChannel& channel, Address address, Context context) {
    auto dialling = dial(channel, address, context);
    Dialled stream = co_await std::move(dialling);
    if (!stream || *stream == nullptr) co_return stream;
    who_ = "the credentials";
    auto handshake = channel.credentials().handshake(std::move(*stream), channel.authority(), context);
    Dialled secured = co_await std::move(handshake);
    if (secured) co_return secured;
    const Status& error = secured.error();
    co_return Status(error.code(), address.to_string() + ": " + std::string(error.message()));
  }

  void on_done(Dialled&& stream) noexcept override {
    if (stream && *stream == nullptr) stream = Status::unavailable(who() + " gave no stream");
    finish(std::move(stream));
  }
  void on_exception(std::exception_ptr error) noexcept override {
    try {
      std::rethrow_exception(std::move(error));
    } catch (...) {
      finish(status_of_thrown(who()));
    }
  }
  std::string who() const { return owner_->address_.to_string() + ": " + std::string(who_); }
  void on_abandoned() noexcept override { finish(Status::unavailable("the loop has ended")); }
  void finish(Result<std::unique_ptr<ByteStream>> stream) noexcept {
    const Ref<ClientSubConn> owner = std::move(owner_);
    const bool wanted = wanted_;
    delete this;
    if (wanted) {
      owner->attempt_ = nullptr;
      owner->on_dialled(std::move(stream));
    }
    owner->let_go();
  }

  Ref<ClientSubConn> owner_;
  CancelSource source_;
  std::string_view who_ = "the dialer";  // is at work
  bool wanted_ = true;
};

ClientSubConn::ClientSubConn(ClientChannel& channel, const Address& address, SubConnListener& listener, uint64_t maker)
    : channel_(Ref<ClientChannel>::share(&channel)),
      address_(address),
      listener_(&listener),
      maker_(maker),
      backoff_(channel.options().backoff, channel.random()),
      connect_timeout_(channel.loop(), *this),
      backoff_over_(channel.loop(), *this) {
  channel_->add_subconn(*this);
}

ClientSubConn::~ClientSubConn() { channel_->remove_subconn(*this); }

// --- Connecting ---

void ClientSubConn::connect() {
  if (state_ != ConnectivityState::kIdle || listener_ == nullptr) return;
  move_to(ConnectivityState::kConnecting);
  begin_attempt();
}

void ClientSubConn::begin_attempt() {
  ++channel_->counters().connect_attempts;
  self_ = Ref<ClientSubConn>::share(this);
  connect_timeout_.arm_after(channel_->options().backoff.min_connect_timeout);
  attempt_ = new Attempt(*this);
  attempt_->run(*channel_, address_);
}

void ClientSubConn::on_dialled(Result<std::unique_ptr<ByteStream>> stream) {
  if (!stream) return attempt_failed(stream.error());
  transports_.push_back(std::make_unique<ClientTransport>(std::move(*stream), channel_->transport_options(),
                                                          channel_->stats_handlers(), *this));
  fresh_ = transports_.back().get();
  fresh_->start();
}

// The connection counts once the server's SETTINGS are there: something that merely accepts sockets
// is no server.
void ClientSubConn::on_transport_ready(ClientTransport& transport) {
  if (&transport != fresh_) return;
  ready_.push_back(std::exchange(fresh_, nullptr));
  connect_timeout_.disarm();
  backoff_.reset();
  if (state_ != ConnectivityState::kReady) move_to(ConnectivityState::kReady);
}

void ClientSubConn::on_connect_timeout() {
  const Status why =
      Status::unavailable(address_.to_string() + ": no HTTP/2 connection within the time for one attempt");
  stop_attempt();
  attempt_failed(why);
}

void ClientSubConn::stop_attempt() {
  connect_timeout_.disarm();
  const Status why = Status::cancelled("the attempt to connect isn't wanted any more");
  if (attempt_ != nullptr) std::exchange(attempt_, nullptr)->leave(why);
  if (fresh_ != nullptr) std::exchange(fresh_, nullptr)->close(why);
}

void ClientSubConn::attempt_failed(const Status& why) {
  connect_timeout_.disarm();
  ++channel_->counters().connects_failed;
  const Status error = Status::unavailable("can't connect: " + std::string(why.message()));
  channel_->note_error(error);
  backoff_over_.arm_after(backoff_.next());
  if (ready_.empty()) move_to(ConnectivityState::kTransientFailure, error);
}

void ClientSubConn::on_backoff_over() {
  if (ready_.empty()) return move_to(ConnectivityState::kIdle);
  grow();
}

void ClientSubConn::reset_backoff() {
  backoff_.reset();
  if (!backoff_over_.armed()) return;
  backoff_over_.disarm();
  on_backoff_over();
}

// --- Calls ---

void ClientSubConn::place(ClientAttempt& attempt) {
  if (waiting_.empty() && try_place(attempt)) return;
  if (ready_.empty()) return channel_->place(attempt);
  waiting_.push_back(attempt.queue_link());
  grow();
}

// A transport may turn out to be of no use here; then it's gone from the list.
bool ClientSubConn::try_place(ClientAttempt& attempt) {
  for (size_t i = 0; i < ready_.size();) {
    ClientTransport* const transport = ready_[i];
    if (transport->place(attempt)) return true;
    if (i < ready_.size() && ready_[i] == transport) ++i;
  }
  return false;
}

void ClientSubConn::serve_waiting() {
  if (waiting_.empty() || serving_) return;
  serving_ = true;
  while (!waiting_.empty() && !ready_.empty()) {
    ClientAttempt& attempt = waiting_.pop_front();
    if (try_place(attempt)) continue;
    waiting_.push_front(attempt.queue_link());
    break;
  }
  serving_ = false;
  if (ready_.empty()) return return_waiting();
  grow();
}

// Calls wait and no transport has room: one more, if that is allowed and none is on its way.
void ClientSubConn::grow() {
  if (waiting_.empty() || ready_.empty() || ready_.size() >= channel_->max_connections_per_address()) return;
  if (attempt_ != nullptr || fresh_ != nullptr || backoff_over_.armed()) return;
  begin_attempt();
}

// First come, first served also where they go next. They were never sent.
void ClientSubConn::return_waiting() {
  AttemptList leaving;
  leaving.append(waiting_);
  while (!leaving.empty()) channel_->place(leaving.pop_front());
}

// --- Ending ---

void ClientSubConn::on_transport_unusable(ClientTransport& transport, const Status& why) {
  if (&transport == fresh_) {
    fresh_ = nullptr;
    return attempt_failed(why);
  }
  if (std::erase(ready_, &transport) == 0) return;
  ++channel_->counters().connections_lost;
  channel_->note_error(why);
  if (ready_.empty()) lost_last(why);
}

void ClientSubConn::lost_last(const Status& why) {
  if (attempt_ != nullptr || fresh_ != nullptr) return move_to(ConnectivityState::kConnecting, why);
  move_to(backoff_over_.armed() ? ConnectivityState::kTransientFailure : ConnectivityState::kIdle, why);
}

void ClientSubConn::on_pinged_too_often(Duration keepalive_time) { channel_->slow_keepalive(keepalive_time); }

// What all calls of the connection say needs no other proof than the handshake's.
Status ClientSubConn::check_authority(const StreamSecurity* security, std::string_view authority) const {
  if (authority == channel_->authority()) return {};
  try {
    return channel_->credentials().check_authority(security, authority);
  } catch (...) {
    return status_of_thrown("the credentials' check_authority()");
  }
}

void ClientSubConn::on_transport_closed(ClientTransport& transport, const Status& why) {
  if (transport.counters().keepalive_timeouts != 0) ++channel_->counters().keepalive_timeouts;
  on_transport_unusable(transport, why);
  std::erase_if(transports_, [&](const auto& each) { return each.get() == &transport; });
  serve_waiting();
  let_go();
}

void ClientSubConn::shutdown() {
  listener_ = nullptr;
  state_ = ConnectivityState::kShutdown;
  report_.cancel();
  health_listener_ = nullptr;
  health_changes_.cancel();
  stop_health_watch();
  backoff_over_.disarm();
  stop_attempt();
  // Calls in flight finish, those that wait go elsewhere.
  for (ClientTransport* const transport : std::exchange(ready_, {})) transport->drain();
  return_waiting();
}

void ClientSubConn::close_now(const Status& why) {
  const Ref<ClientSubConn> stay = Ref<ClientSubConn>::share(this);
  shutdown();
  for (const auto& transport : transports_) transport->close(why);
}

// Nothing is awaited any more: whoever else holds a reference decides.
void ClientSubConn::let_go() {
  if (attempt_ == nullptr && transports_.empty()) self_ = nullptr;
}

// --- Health ---

SubConnState ClientSubConn::watch_health(SubConnHealthListener* listener) {
  stop_health_watch();
  health_service_.reset();
  health_listener_ = state_ == ConnectivityState::kReady ? listener : nullptr;
  if (health_listener_ == nullptr || channel_->health_service() == nullptr) return {ConnectivityState::kReady, {}};
  on_health_config_changed();
  return {ConnectivityState::kConnecting, {}};
}

void ClientSubConn::on_health_config_changed() {
  if (health_listener_ != nullptr) channel_->loop().defer(health_changes_);
}

void ClientSubConn::follow_health_config() {
  const std::string* const wanted = channel_->health_service();
  const bool same = wanted == nullptr ? !health_service_ : health_service_ == *wanted;
  if (health_listener_ == nullptr || same) return;
  const Ref<ClientSubConn> stay = Ref<ClientSubConn>::share(this);
  stop_health_watch();
  if (wanted == nullptr) {
    health_service_.reset();
    return on_health({ConnectivityState::kReady, {}});
  }
  health_service_ = *wanted;
  on_health({ConnectivityState::kConnecting, {}});
  if (health_listener_ == nullptr || health_ != nullptr) return;
  health_ = new ClientHealthWatch(*this, *channel_, *health_service_);
  health_->begin();
}

void ClientSubConn::on_health(const SubConnState& health) {
  if (health_listener_ == nullptr) return;
  try {
    health_listener_->on_subconn_health(health);
  } catch (...) {
    channel_->on_listener_threw(maker_, status_of_thrown("on_subconn_health()"));
  }
}

void ClientSubConn::stop_health_watch() noexcept {
  if (health_ != nullptr) std::exchange(health_, nullptr)->leave();
}

// --- Reporting ---

void ClientSubConn::move_to(ConnectivityState state, Status error) {
  if (listener_ == nullptr) return;
  state_ = state;
  reports_.push_back({state, std::move(error)});
  channel_->loop().defer(report_);
}

void ClientSubConn::report() {
  const Ref<ClientSubConn> stay = Ref<ClientSubConn>::share(this);
  while (listener_ != nullptr && !reports_.empty()) {
    const SubConnState next = std::move(reports_.front());
    reports_.pop_front();
    try {
      listener_->on_subconn_state(*this, next);
    } catch (...) {
      channel_->on_listener_threw(maker_, status_of_thrown("on_subconn_state()"));
    }
  }
}

}  // namespace gaggle
