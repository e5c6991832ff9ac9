// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gaggle/base/clock.h"
#include "gaggle/base/log.h"
#include "gaggle/base/result.h"
#include "gaggle/http2/limits.h"
#include "gaggle/rpc/client_conn_interface.h"
#include "gaggle/rpc/compressor_choice.h"
#include "gaggle/rpc/connectivity.h"
#include "gaggle/rpc/credentials/credentials.h"

namespace gaggle {

class BalancerBuilder;
class CallCredentials;
class CodecRegistry;
class Dialer;
class LoopGroup;
class ResolverBuilder;
class StatsHandler;
class StreamClientInterceptor;
class UnaryClientInterceptor;

// How long to wait between attempts to connect to one address: initial × multiplier^n, at most
// `max`, each ± jitter; reset once a connection became ready. gRPC connection-backoff.md.
struct ConnectBackoff {
  Duration initial = std::chrono::seconds{1};
  double multiplier = 1.6;
  double jitter = 0.2;
  Duration max = std::chrono::seconds{120};
  Duration min_connect_timeout = std::chrono::seconds{20};  // an attempt has at least this long
};

// Notices a peer that stops answering without closing. gRFC A8.
struct ClientKeepalive {
  Duration time = Duration::max();              // silence after which to ask; at least 10 s; max: never ask
  Duration timeout = std::chrono::seconds{20};  // no sign of life for so long after asking: closed
  bool permit_without_stream = false;           // ask also while no call is open
  // A server that answers with too_many_pings doubles `time` for all later connections of the client.
};

// How a connection behaves; a value, copied at creation. What it points to must outlive it.
struct ClientConnOptions {
  // How connections are secured: TLS, or insecure_credentials(), which has to be said. Never null.
  const ChannelCredentials* credentials = nullptr;
  // Says who calls, in every call. INVALID_ARGUMENT when they need privacy and `credentials` have none.
  CallCredentials* call_credentials = nullptr;
  std::string_view default_scheme = "dns";  // of targets without a (known) scheme
  // :authority of every call. Empty: what the resolver says if its targets aren't names (a unix path),
  // else the server name of the credentials, else the target's endpoint. A call's own counts more.
  std::string_view authority = {};
  std::string_view user_agent = {};  // put before our own
  // "pick_first", "round_robin" or one of `balancers`, where no service config asks for another.
  std::string_view balancer = "pick_first";
  // What calls that say nothing else want. INVALID_ARGUMENT at creation for what would make them all fail:
  // an unknown compressor or content-subtype, an authority or metadata that can't travel, secret credentials in plain.
  CallOptions call_defaults = {};
  // Counts while the resolver says nothing about it; JSON, see ServiceConfig. Needed at creation only.
  std::string_view default_service_config = {};
  bool disable_service_config = false;  // what resolvers say doesn't count, only the default
  // No retries and no hedges, whatever the service config says; what a server never saw is sent
  // again all the same. gRFC A6.
  bool disable_retry = false;
  // What all calls together may keep to send it again; a call that finds no room is sent, but not
  // retried. See CallOptions::retry_buffer_bytes.
  size_t retry_buffer_bytes = size_t{16} << 20;
  ConnectBackoff backoff = {};
  ClientKeepalive keepalive = {};
  // Backends aren't asked for their health, even if the service config's healthCheckConfig wants it.
  // They are asked by round_robin and other policies made of an EndpointBalancer; pick_first, alone,
  // never asks. gRFC A17.
  bool disable_health_check = false;
  // Without a call for so long: no connections are kept and no names resolved until the next one; the
  // state is IDLE. Zero or max: never.
  Duration idle_timeout = std::chrono::minutes{30};
  // How many connections one address may have while each of them has as many calls as the server
  // allows (MAX_CONCURRENT_STREAMS); with 1, calls wait for a place. A service config's
  // connectionScaling counts more; more than 10 is 10. gRFC A105.
  size_t max_connections_per_address = 1;
  http2::Limits http2 = {};
  // Stand before every call; see client_interceptor.h. First is outermost.
  std::vector<UnaryClientInterceptor*> unary_interceptors = {};
  std::vector<StreamClientInterceptor*> stream_interceptors = {};
  // Hear of every attempt at a call and of every connection; in order. See stats_handler.h.
  std::vector<std::shared_ptr<StatsHandler>> stats_handlers = {};
  std::vector<ResolverBuilder*> resolvers = {};  // tried before the built-in schemes
  std::vector<BalancerBuilder*> balancers = {};  // tried before the built-in policies
  // What messages can be compressed with, and what the servers are told: gzip, deflate, zstd. Null: nothing.
  CompressorChoice compressors = {};
  // What CallOptions::content_subtype can name; null: "proto" only.
  const CodecRegistry* codecs = nullptr;
  Dialer* dialer = nullptr;  // how addresses are reached; null: sockets
  uint64_t random_seed = 0;  // of jitter and shuffles; 0: from the system
  Log log = {};
};

struct ClientConnCounters {
  uint64_t calls_started = 0;
  uint64_t calls_succeeded = 0;
  uint64_t calls_failed = 0;
  uint64_t calls_now = 0;
  uint64_t transparent_retries = 0;
  uint64_t attempts = 0;            // first ones, retries and hedges; not those that are sent again transparently
  uint64_t retries = 0;             // by a retry policy
  uint64_t hedges = 0;              // by a hedging policy
  uint64_t retries_throttled = 0;   // retries and hedges that weren't made because too many calls fail
  uint64_t retry_buffer_full = 0;   // calls that can't be retried any more: more was sent than may be kept
  uint64_t retry_buffer_bytes = 0;  // that are kept now to be sent again
  uint64_t connect_attempts = 0;
  uint64_t connects_failed = 0;
  uint64_t connections_lost = 0;
  uint64_t keepalive_timeouts = 0;
  uint64_t idle_entries = 0;  // nobody called for ClientConnOptions::idle_timeout
  uint64_t idle_exits = 0;    // the first call or connect(), and each after an entry
};

// A virtual connection to whatever a target name stands for.
//
// Nothing is opened before the first call or connect(); each call may go to any backend that the
// balancer picks. Calls wait, within their deadline, until the resolver has reported once and a
// connection is ready; with wait_for_ready unset, they fail with UNAVAILABLE (naming the last
// connection error) while none can be made.
// Threads: any. Lifetime: `loops` must outlive it; destruction is close(), which from another
// thread than its loop's also waits until nothing of it runs any more.
//
//   auto conn = ClientConn::create(loops, "dns:///scores.example:50051", {.credentials = &tls});
//   GroupCacheClient client{**conn};
class ClientConn : public ClientConnInterface {
 public:
  // Schemes: dns:[//authority/]host[:port] (port 443 if absent), passthrough:///address,
  // unix:path, unix:///absolute/path, unix-abstract:name, ipv4:1.2.3.4:1,5.6.7.8:2, ipv6:[::1]:1,
  // static:///a:1,b:2 and what options.resolvers adds. A target whose scheme is unknown, or that has none, is read
  // again under the default scheme. INVALID_ARGUMENT for a bad target, a bad default service config, options out of
  // range, or options without credentials.
  static Result<std::unique_ptr<ClientConn>> create(LoopGroup& loops, std::string_view target,
                                                    ClientConnOptions options = {});

  // Leaves idleness without a call.
  virtual void connect() = 0;
  virtual ConnectivityState state() const noexcept = 0;
  // Waits until the state isn't `last` any more and gives the new one; the context's status if
  // that ends first.
  virtual Task<Result<ConnectivityState>> wait_for_state_change(Context context, ConnectivityState last) = 0;
  // Tries all failed addresses now instead of at the end of their backoff.
  virtual void reset_connect_backoff() = 0;
  // Everything in flight, queued or waiting ends with CANCELLED, as does every later call.
  virtual void close() = 0;

  virtual std::string_view target() const noexcept = 0;
  virtual ClientConnCounters counters() const = 0;
};

}  // namespace gaggle
