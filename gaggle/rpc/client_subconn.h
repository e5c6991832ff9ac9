// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "gaggle/base/context.h"
#include "gaggle/net/loop_work.h"
#include "gaggle/net/timer.h"
#include "gaggle/rpc/balancer/balancer.h"
#include "gaggle/rpc/client_backoff.h"
#include "gaggle/rpc/client_transport.h"

namespace gaggle {

class ClientChannel;

// The SubConn of a real connection: connects when told to, waits out its backoff, keeps the
// transport that calls go to and those that finish their last calls.
//
//   IDLE --connect()--> CONNECTING --SETTINGS--> READY --goodbye, loss--> IDLE
//                           |--failed, too slow--> TRANSIENT_FAILURE --backoff--> IDLE
//
// Reports come in order, from a hook of the loop, never from within a call. It keeps itself and the
// channel alive while it has a transport or connects. One loop's thread.
class ClientSubConn final : public SubConn, public ClientTransport::Owner {
 public:
  ClientSubConn(ClientChannel& channel, const Address& address, SubConnListener& listener);
  ~ClientSubConn() override;

  const Address& address() const noexcept override { return address_; }
  void connect() override;
  void shutdown() override;

  // Where calls go; null unless it's READY this very moment.
  ClientTransport* transport() noexcept { return current_; }
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
  void let_go();

  void on_transport_ready(ClientTransport& transport) override;
  void on_transport_unusable(ClientTransport& transport, const Status& why) override;
  void on_call_returned(ClientAttempt& attempt) override;
  void on_transport_closed(ClientTransport& transport, const Status& why) override;

  const Ref<ClientChannel> channel_;
  const Address address_;
  SubConnListener* listener_;  // null after shutdown
  ConnectivityState state_ = ConnectivityState::kIdle;
  std::deque<SubConnState> reports_;
  Backoff backoff_;
  Attempt* attempt_ = nullptr;          // dialling
  ClientTransport* fresh_ = nullptr;    // connected, waits for SETTINGS
  ClientTransport* current_ = nullptr;  // ready
  std::vector<std::unique_ptr<ClientTransport>> transports_;
  Ref<ClientSubConn> self_;  // while there is something to wait for
  Duration keepalive_time_;
  HookOf<&ClientSubConn::report> report_{*this};
  TimerOf<&ClientSubConn::on_connect_timeout> connect_timeout_;
  TimerOf<&ClientSubConn::on_backoff_over> backoff_over_;
};

}  // namespace gaggle
