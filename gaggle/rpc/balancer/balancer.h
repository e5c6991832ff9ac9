// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "gaggle/base/context.h"
#include "gaggle/base/ref.h"
#include "gaggle/base/result.h"
#include "gaggle/base/status.h"
#include "gaggle/net/address.h"
#include "gaggle/rpc/connectivity.h"
#include "gaggle/rpc/resolver/resolver.h"

// How a client chooses the connection for each call. This interface is stable: policies that users
// write against it keep working. They are named in ClientConnOptions::balancers, and chosen by a
// service config's loadBalancingConfig or by ClientConnOptions::balancer. Most are best made of an
// EndpointBalancer (endpoint_balancer.h), which leaves them the choice and nothing else.
//
// Exceptions: one that comes out of a policy's functions ends neither the program nor the connection;
// each class below says what it costs. Only what a policy runs by itself, on a timer of its own, say, it
// catches itself, and destructors don't throw.

namespace gaggle {

class Loop;
class Metadata;
namespace stats {
class ReceivedMetadata;  // gaggle/rpc/stats_handler.h
}

struct SubConnState {
  ConnectivityState state = ConnectivityState::kIdle;
  Status error;  // why, in TRANSIENT_FAILURE; why it was lost, in IDLE after READY
};

// Hears what the server behind a READY SubConn says about its health. Never called from within
// watch_health().
class SubConnHealthListener {
 public:
  virtual void on_subconn_health(const SubConnState& health) = 0;

 protected:
  ~SubConnHealthListener() = default;
};

// A connection to one address as a balancer sees it: made on demand, never remade by itself.
//
// IDLE at first. connect() leads over CONNECTING to READY, or to TRANSIENT_FAILURE, which becomes
// IDLE again when the backoff is over. A READY one whose connection is lost, or whose server says
// goodbye, becomes IDLE. One that may have several connections (gRFC A105) is READY as long as it has
// one; it may then go back to CONNECTING or TRANSIENT_FAILURE directly, when the last is lost while
// another is being made. Counted: whoever holds a Ref may use it, on its loop's thread.
class SubConn : public RefCounted<SubConn> {
 public:
  virtual ~SubConn() = default;
  virtual const Address& address() const noexcept = 0;
  // Only IDLE ones do anything.
  virtual void connect() = 0;
  // For good: no new calls, no more reports; calls in flight finish.
  virtual void shutdown() = 0;
  // For one that is READY: has `listener` told whether the server says that it serves, if the service
  // config names a service to ask for (healthCheckConfig, gRFC A17). Gives what is known now:
  // CONNECTING before the server's first answer; TRANSIENT_FAILURE, with why, while it doesn't serve
  // or can't be asked; READY when it serves, has no health service, or nobody wants it to be asked.
  // Lasts until it's called again, with null for nobody, or shutdown(); end it when the SubConn isn't
  // READY any more. One listener at a time.
  virtual SubConnState watch_health(SubConnHealthListener* /*listener*/) { return {ConnectivityState::kReady, {}}; }
};

// Hears what becomes of a SubConn. Never called from within connect() or shutdown().
class SubConnListener {
 public:
  virtual void on_subconn_state(SubConn& subconn, const SubConnState& state) = 0;

 protected:
  ~SubConnListener() = default;
};

// The call that a connection is picked for.
struct PickInfo {
  std::string_view method;  // "/package.Service/Method"
  const Context* context = nullptr;
  const Metadata* metadata = nullptr;  // the call's own; null: none
  const Metadata* defaults = nullptr;  // of all calls of the connection; null: none

  // The first value of `key` that the call will send.
  std::optional<std::string_view> header(std::string_view key) const noexcept;
};

// How a call that a picker placed has ended: the attempt at it that went where the picker said.
struct PickDone {
  Status status;
  // The server's trailers (also those of an answer that has nothing else): load reports (gRFC A51), for
  // instance. Null when none came: it was cancelled, lost or never sent. Decoded by whoever asks; valid
  // while `done` runs.
  const stats::ReceivedMetadata* trailer = nullptr;
};

// Where a call goes.
struct PickResult {
  enum class Kind : uint8_t {
    kComplete,  // to `subconn`
    kQueue,     // there is no choice yet: ask the next picker
    kFail,      // `status` fails the call with UNAVAILABLE, unless it waits for readiness
    kDrop,      // the call ends with `status`, even if it waits for readiness; it's never retried. A
                // code that only a server may give becomes INTERNAL (gRFC A54)
  };
  Kind kind = Kind::kQueue;
  SubConn* subconn = nullptr;  // the picker holds a reference
  Status status;
  // Told once, if set, when the call has ended. What it throws is ignored.
  std::move_only_function<void(const PickDone&)> done;

  static PickResult complete(SubConn& subconn) { return {.kind = Kind::kComplete, .subconn = &subconn}; }
  static PickResult queue() { return {}; }
  static PickResult fail(Status status) { return {.kind = Kind::kFail, .status = std::move(status)}; }
  static PickResult drop(Status status) { return {.kind = Kind::kDrop, .status = std::move(status)}; }
};

// Chooses a connection for each call; an immutable picture of what the balancer knew when it made
// this one. pick() is quick and never blocks; it comes on the connection's loop, one at a time, and
// may come once more after the balancer has published a newer picker, never after its end. A pick that
// throws, completes without a SubConn or drops with OK ends its call with INTERNAL.
class Picker : public RefCounted<Picker> {
 public:
  virtual ~Picker() = default;
  virtual PickResult pick(const PickInfo& info) = 0;
};

// What a balancer works with: the connection that it serves. Outlives it.
class BalancerHelper {
 public:
  virtual Ref<SubConn> new_subconn(const Address& address, SubConnListener& listener) = 0;
  // What the connection as a whole is now, and who chooses. Calls that wait are picked again. Without
  // a picker it's TRANSIENT_FAILURE, and calls end with INTERNAL.
  virtual void update_state(ConnectivityState state, Ref<Picker> picker) = 0;
  // Asks the resolver to look again.
  virtual void resolve_now() = 0;
  virtual Loop& loop() noexcept = 0;
  virtual uint64_t random() noexcept = 0;

 protected:
  ~BalancerHelper() = default;
};

// What a service config says to one policy, as its builder has understood it. Immutable, counted, any
// thread.
class BalancerConfig : public RefCounted<BalancerConfig> {
 public:
  virtual ~BalancerConfig() = default;
};

// A policy: keeps SubConns for what the resolver reports, and a picker that spreads calls over them.
//
// All calls come on the connection's loop, one at a time, also those of SubConnListener. Destroying
// it: shut down all SubConns first, and they report no more. One that throws, in whatever it's called
// for, is destroyed at the end of the loop's turn: the connection is in TRANSIENT_FAILURE and calls end
// with INTERNAL until the resolver, which is asked to look again a second later, has reported; then it's
// built anew.
class Balancer {
 public:
  virtual ~Balancer() = default;
  // At first, and whenever the resolver or the service config says something new; `config` is what
  // the builder's parse_config() made, null when there is none. An error makes the resolver look
  // again, with growing waits.
  virtual Status on_resolved(const ResolverState& state, const BalancerConfig* config) = 0;
  virtual void on_resolver_error(const Status& error) = 0;
  // Somebody wants to make a call: connect, if nothing is being done.
  virtual void exit_idle() = 0;
};

// Makes balancers of one policy, by name. Shared by connections: no unsynchronised state. A build() that
// throws or gives null counts as a balancer that throws, a parse_config() that throws as one that gives
// an error.
class BalancerBuilder {
 public:
  virtual ~BalancerBuilder() = default;
  virtual std::string_view name() const noexcept = 0;
  // Reads the policy's object in a service config, `json`: "{}" when it says nothing. An error makes
  // the whole service config a bad one (gRFC A21, A24). Null is allowed.
  virtual Result<Ref<const BalancerConfig>> parse_config(std::string_view json) const {
    static_cast<void>(json);
    return Ref<const BalancerConfig>{};
  }
  virtual std::unique_ptr<Balancer> build(BalancerHelper& helper) = 0;
};

}  // namespace gaggle
