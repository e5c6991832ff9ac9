// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "gaggle/base/context.h"
#include "gaggle/base/ref.h"
#include "gaggle/base/status.h"
#include "gaggle/net/address.h"
#include "gaggle/rpc/connectivity.h"
#include "gaggle/rpc/resolver/resolver.h"

namespace gaggle {

class Loop;

// A connection to one address as a balancer sees it: made on demand, never remade by itself.
//
// IDLE at first. connect() leads over CONNECTING to READY, or to TRANSIENT_FAILURE, which becomes
// IDLE again when the backoff is over. A READY one whose connection is lost, or whose server says
// goodbye, becomes IDLE. Counted: whoever holds a Ref may use it.
class SubConn : public RefCounted<SubConn> {
 public:
  virtual ~SubConn() = default;
  virtual const Address& address() const noexcept = 0;
  // Only IDLE ones do anything.
  virtual void connect() = 0;
  // For good: no new calls, no more reports; calls in flight finish.
  virtual void shutdown() = 0;
};

struct SubConnState {
  ConnectivityState state = ConnectivityState::kIdle;
  Status error;  // why, in TRANSIENT_FAILURE; why it was lost, in IDLE after READY
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
};

// How a call that a picker placed has ended.
struct PickDone {
  Status status;
};

// Where a call goes.
struct PickResult {
  enum class Kind : uint8_t {
    kComplete,  // to `subconn`
    kQueue,     // there is no choice yet: ask the next picker
    kFail,      // `status` fails the call with UNAVAILABLE, unless it waits for readiness
    kDrop,      // the call ends with `status`, even if it waits for readiness
  };
  Kind kind = Kind::kQueue;
  SubConn* subconn = nullptr;  // the picker holds a reference
  Status status;
  std::move_only_function<void(const PickDone&)> done;  // told once, if set, when the call has ended

  static PickResult complete(SubConn& subconn) { return {.kind = Kind::kComplete, .subconn = &subconn}; }
  static PickResult queue() { return {}; }
  static PickResult fail(Status status) { return {.kind = Kind::kFail, .status = std::move(status)}; }
  static PickResult drop(Status status) { return {.kind = Kind::kDrop, .status = std::move(status)}; }
};

// Chooses a connection for each call; an immutable picture of what the balancer knew when it made
// this one. pick() is quick and never blocks.
class Picker : public RefCounted<Picker> {
 public:
  virtual ~Picker() = default;
  virtual PickResult pick(const PickInfo& info) = 0;
};

// What a balancer works with: the connection that it serves. Outlives it.
class BalancerHelper {
 public:
  virtual Ref<SubConn> new_subconn(const Address& address, SubConnListener& listener) = 0;
  // What the connection as a whole is now, and who chooses. Calls that wait are picked again.
  virtual void update_state(ConnectivityState state, Ref<Picker> picker) = 0;
  // Asks the resolver to look again.
  virtual void resolve_now() = 0;
  virtual Loop& loop() noexcept = 0;
  virtual uint64_t random() noexcept = 0;

 protected:
  ~BalancerHelper() = default;
};

// A policy: keeps SubConns for what the resolver reports, and a picker that spreads calls over them.
//
// All calls come on the connection's loop, one at a time. Destroying it: shut down all SubConns
// first, and they report no more.
class Balancer {
 public:
  virtual ~Balancer() = default;
  // An error makes the resolver look again, with growing waits.
  virtual Status on_resolved(const ResolverState& state) = 0;
  virtual void on_resolver_error(const Status& error) = 0;
  // Somebody wants to make a call: connect, if nothing is being done.
  virtual void exit_idle() = 0;
};

// Makes balancers of one policy, by name. Shared by connections: no unsynchronised state.
class BalancerBuilder {
 public:
  virtual ~BalancerBuilder() = default;
  virtual std::string_view name() const noexcept = 0;
  virtual std::unique_ptr<Balancer> build(BalancerHelper& helper) = 0;
};

}  // namespace gaggle
