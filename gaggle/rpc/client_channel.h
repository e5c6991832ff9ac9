// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "gaggle/base/ref.h"
#include "gaggle/http2/connection.h"
#include "gaggle/net/event.h"
#include "gaggle/net/timer.h"
#include "gaggle/rpc/balancer/balancer.h"
#include "gaggle/rpc/balancer/graceful_switch.h"
#include "gaggle/rpc/client_backoff.h"
#include "gaggle/rpc/client_call_list.h"
#include "gaggle/rpc/client_conn.h"
#include "gaggle/rpc/client_counters.h"
#include "gaggle/rpc/client_method.h"
#include "gaggle/rpc/client_service_config.h"
#include "gaggle/rpc/resolver/resolver.h"
#include "gaggle/rpc/resolver/target.h"
#include "gaggle/rpc/stats_tags.h"
#include "gaggle/transport/connection.h"

namespace gaggle {

class ClientAttempt;
class ClientCallBase;
class ClientSubConn;
class ClientUnaryCall;
class CompressorRegistry;
class Dialer;

// What a channel is made of; its owner keeps the pointers good.
struct ClientChannelParts {
  Loop* loop = nullptr;
  Target target;
  std::string authority;
  ClientConnOptions options;
  Ref<const ServiceConfig> default_service_config;
  ResolverBuilder* resolver = nullptr;
  BalancerBuilder* balancer = nullptr;      // unless a service config asks for another one of
  std::vector<BalancerBuilder*> balancers;  // these
  Dialer* dialer = nullptr;
  const CompressorRegistry* compressors = nullptr;
  std::shared_ptr<void> built_in;  // whatever of these nobody else owns
};

// What a ClientConn is behind its thread-safe face: resolver, balancer, picker, SubConns and calls,
// all on one loop.
//
// Counted: the ClientConn, its SubConns and its streams hold references. Functions belong to the
// loop's thread unless they say otherwise.
class ClientChannel final : public RefCounted<ClientChannel>, private ResolverListener, private BalancerHelper {
 public:
  explicit ClientChannel(ClientChannelParts parts);
  ~ClientChannel();

  Loop& loop() noexcept override { return *parts_.loop; }                                      // any thread
  const ClientConnOptions& options() const noexcept { return parts_.options; }                 // any thread
  const CompressorRegistry& compressors() const noexcept { return *parts_.compressors; }       // any thread
  const Target& target() const noexcept { return parts_.target; }                              // any thread
  ConnectivityState state() const noexcept { return state_.load(std::memory_order_acquire); }  // any thread
  ClientTallies& counters() noexcept { return counters_; }
  const ClientTallies& counters() const noexcept { return counters_; }  // any thread

  // --- Life ---

  // Begins to work, or to connect. An error, the resolver's that couldn't be made, leaves it idle.
  Status exit_idle();
  void close();
  void reset_connect_backoff();
  WaitQueue& state_watchers() noexcept { return state_watchers_; }
  // Blocks until close() has ended everything. Any thread but the loop's, while another runs that.
  void wait_ended();
  bool has_ended() const;  // any thread

  // --- Calls (client_channel_calls.cc) ---

  // From here to delist() the connection doesn't go idle. Whatever else belongs to a call and isn't in
  // this list, a wait between two attempts, say, holds the connection by these.
  void begin_activity() noexcept { ++activities_; }
  void end_activity() noexcept;
  void enlist(ClientCallBase& call);
  void delist(ClientCallBase& call);
  // Finds a transport for a call's attempt, now or when there is one.
  void place(ClientAttempt& attempt);
  http2::SendResult send_headers(const ClientAttempt& attempt, http2::Connection& http2, http2::Stream& stream);
  ClientUnaryCall& take_unary_call();
  void recycle(ClientUnaryCall& call);

  // Whose health backends are asked for (gRFC A17); null: nobody's.
  const std::string* health_service() const noexcept;
  const ClientServiceConfig& service_config() const noexcept { return service_config_; }
  // Null when the service config doesn't want any.
  RetryThrottle* retry_throttle() noexcept { return service_config_.throttle(); }
  // Room for `bytes` that a call wants to keep to send them again; false: there is none.
  bool take_retry_buffer(size_t bytes) noexcept;
  void give_back_retry_buffer(size_t bytes) noexcept {
    if (bytes != 0) counters_.retry_buffer_bytes.add(-static_cast<int64_t>(bytes));
  }

  // --- SubConns ---

  // What the balancer hears of a SubConn made it throw.
  void on_listener_threw(uint64_t maker, const Status& why);

  void add_subconn(ClientSubConn& subconn);
  void remove_subconn(ClientSubConn& subconn);
  Dialer& dialer() noexcept { return *parts_.dialer; }
  const ChannelCredentials& credentials() const noexcept { return *parts_.options.credentials; }
  const std::string& authority() const noexcept { return parts_.authority; }
  transport::Options transport_options() const;
  // gRFC A8: a server that was asked too often, every `asked`, is asked half as often from now on.
  void slow_keepalive(Duration asked);
  // gRFC A105.
  size_t max_connections_per_address() const noexcept;
  // Null when there are none.
  const StatsHandlers* stats_handlers() const noexcept {
    return parts_.options.stats_handlers.empty() ? nullptr : &parts_.options.stats_handlers;
  }
  uint64_t random() noexcept override { return random_.next(); }
  // Why the last connection couldn't be made or was lost: part of every UNAVAILABLE.
  void note_error(const Status& error) { last_error_ = error; }
  const Status& last_error() const noexcept { return last_error_; }

 private:
  Status on_resolved(ResolverState state) override;
  void on_resolver_error(const Status& error) override;
  Ref<SubConn> new_subconn(const Address& address, SubConnListener& listener) override;
  void update_state(ConnectivityState state, Ref<Picker> picker) override;
  void resolve_now() override;

  void set_state(ConnectivityState state);
  Result<std::unique_ptr<Resolver>> build_resolver() noexcept;
  Status check_policy(ResolverState& state) const;
  void on_idle_timer();
  void enter_idle();
  void place_waiting();
  void place_by(Picker& picker, ClientAttempt& attempt);
  void wait_for_pick(ClientAttempt& attempt, bool for_resolver = false);
  Status unavailable(const Status& why) const;
  const http2::PreparedHeaders* begin_fields(const ClientCallBase& call);
  void add_metadata(const Metadata& metadata);
  void end_if_over();

  const ClientChannelParts parts_;
  std::atomic<ConnectivityState> state_{ConnectivityState::kIdle};
  ClientTallies counters_;
  bool closed_ = false;
  bool started_ = false;  // the resolver works
  ClientServiceConfig service_config_;
  Status last_error_;
  Duration keepalive_time_;
  size_t activities_ = 0;  // calls, and what keeps them
  TimePoint last_activity_{};
  JitterSource random_;

  // The order matters at the end: pickers and balancer before what they use.
  std::vector<ClientSubConn*> subconns_;
  std::unique_ptr<Resolver> resolver_;
  std::unique_ptr<GracefulSwitch> balancer_;
  Ref<Picker> picker_;  // null until the balancer has one
  WaitQueue state_watchers_;
  TimerOf<&ClientChannel::on_idle_timer> idle_timer_;

  CallList calls_;       // all that aren't done
  AttemptList waiting_;  // for a picker with a choice
  bool placing_ = false;
  bool place_again_ = false;
  std::vector<std::unique_ptr<ClientUnaryCall>> spare_calls_;

  MethodHeaders methods_;
  std::vector<http2::HeaderOut> fields_;    // scratch of send_headers
  std::deque<std::string> encoded_values_;  // scratch, too: "-bin" values
  std::string content_type_;                // and this

  mutable std::mutex ended_mutex_;
  std::condition_variable ended_changed_;
  bool ended_ = false;  // guarded
};

}  // namespace gaggle
