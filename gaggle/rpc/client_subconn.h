// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gaggle/base/context.h"
#include "gaggle/net/loop_work.h"
#include "gaggle/net/timer.h"
#include "gaggle/rpc/balancer/balancer.h"
#include "gaggle/rpc/client_backoff.h"
#include "gaggle/rpc/client_transport.h"

namespace gaggle {

class ClientChannel;
class ClientHealthWatch;

// The SubConn of a real connection: connects when told to, waits out its backoff, keeps the
// transports that calls go to and those that finish their last calls.
//
//   IDLE --connect()--> CONNECTING --SETTINGS--> READY --goodbye, loss--> IDLE
//                           |--failed, too slow--> TRANSIENT_FAILURE --backoff--> IDLE
//
// Calls go to the oldest transport that has room under its server's limit of streams. When none has,
// they wait in the order in which they came, and another transport is made if the channel allows so
// many for one address: one attempt at a time, with the same backoff. It's READY while it has one
// transport; with the last one it becomes what the attempt for another is in. gRFC A105.
//
// Reports come in order, from a hook of the loop, never from within a call. It keeps itself and the
// channel alive while it has a transport or connects. One loop's thread.
class ClientSubConn final : public SubConn, public ClientTransport::Owner {
 public:
  // `maker`: whose it is, for ClientChannel::on_listener_threw.
  ClientSubConn(ClientChannel& channel, const Address& address, SubConnListener& listener, uint64_t maker);
  ~ClientSubConn() override;

  const Address& address() const noexcept override { return address_; }
  void connect() override;
  void shutdown() override;
  SubConnState watch_health(SubConnHealthListener* listener) override;

  // Whether place() can do something with a call: it's READY this very moment.
  bool has_transport() const noexcept { return !ready_.empty(); }
  // Opens a stream for the call, now or when there is room; see ClientAttempt::open.
  void place(ClientAttempt& attempt);
  // As many connections as the channel says are allowed from now on.
  void on_limits_changed() { serve_waiting(); }
  // The channel has another service config: its word on health counts, from the end of this turn.
  void on_health_config_changed();
  // From the watch: what the server says, and that no more will come.
  void on_health(const SubConnState& health);
  void on_health_watch_over() noexcept { health_ = nullptr; }
  // Ends the wait after a failure, if it's in one, and forgets the failures.
  void reset_backoff();
  // Everything ends this turn.
  void close_now(const Status& why);

 private:
  class Attempt;

  void begin_attempt();
  void on_dialled(Result<std::unique_ptr<ByteStream>> stream);
  void on_connect_timeout();
  void attempt_failed(const Status& why);
  void on_backoff_over();
  void move_to(ConnectivityState state, Status error = {});
  void report();
  void stop_attempt();
  void lost_last(const Status& why);
  bool try_place(ClientAttempt& attempt);
  void serve_waiting();
  void grow();
  void return_waiting();
  void follow_health_config();
  void stop_health_watch() noexcept;
  void let_go();

  void on_transport_ready(ClientTransport& transport) override;
  void on_transport_unusable(ClientTransport& transport, const Status& why) override;
  void on_transport_changed() override { serve_waiting(); }
  void on_pinged_too_often(Duration keepalive_time) override;
  Status check_authority(const StreamSecurity* security, std::string_view authority) const override;
  void on_transport_closed(ClientTransport& transport, const Status& why) override;

  const Ref<ClientChannel> channel_;
  const Address address_;
  SubConnListener* listener_;  // null after shutdown
  const uint64_t maker_;
  ConnectivityState state_ = ConnectivityState::kIdle;
  std::deque<SubConnState> reports_;
  Backoff backoff_;
  Attempt* attempt_ = nullptr;           // dialling
  ClientTransport* fresh_ = nullptr;     // connected, waits for SETTINGS
  std::vector<ClientTransport*> ready_;  // the oldest first
  AttemptList waiting_;                  // for room on one of them
  bool serving_ = false;
  std::vector<std::unique_ptr<ClientTransport>> transports_;
  SubConnHealthListener* health_listener_ = nullptr;
  std::optional<std::string> health_service_;  // that is asked for; nothing: nobody is asked
  ClientHealthWatch* health_ = nullptr;        // while it runs
  Ref<ClientSubConn> self_;                    // while there is something to wait for
  HookOf<&ClientSubConn::report> report_{*this};
  HookOf<&ClientSubConn::follow_health_config> health_changes_{*this};
  TimerOf<&ClientSubConn::on_connect_timeout> connect_timeout_;
  TimerOf<&ClientSubConn::on_backoff_over> backoff_over_;
};

}  // namespace gaggle
