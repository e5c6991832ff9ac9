// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/client_conn.h"

#include <algorithm>
#include <array>
#include <optional>
#include <random>
#include <string>
#include <utility>

#include "gaggle/net/connect.h"
#include "gaggle/net/loop_group.h"
#include "gaggle/net/resume_on.h"
#include "gaggle/rpc/balancer/choice.h"
#include "gaggle/rpc/balancer/pick_first.h"
#include "gaggle/rpc/balancer/round_robin.h"
#include "gaggle/rpc/client_channel.h"
#include "gaggle/rpc/client_conn_calls.h"
#include "gaggle/rpc/client_dialer.h"
#include "gaggle/rpc/codec.h"
#include "gaggle/rpc/compressor.h"
#include "gaggle/rpc/credentials/call_credentials.h"
#include "gaggle/rpc/metadata.h"
#include "gaggle/rpc/resolver/dns.h"
#include "gaggle/rpc/resolver/fixed.h"
#include "gaggle/rpc/thrown.h"
#include "gaggle/rpc/wire_metadata.h"
#include "gaggle/rpc/wire_request.h"

namespace gaggle {
namespace {

class SocketDialer final : public Dialer {
 public:
  Task<Result<std::unique_ptr<ByteStream>>> dial(Loop& loop, Address address, Context context) override {
    return gaggle::connect(loop, std::move(address), std::move(context));
  }
};

// What every connection brings along: no registry, so each has its own.
struct BuiltIn {
  PassthroughResolverBuilder passthrough;
  DnsResolverBuilder dns;
  UnixResolverBuilder unix_paths;
  StaticResolverBuilder fixed_list;
  UnixAbstractResolverBuilder abstract_paths;
  Ipv4ResolverBuilder ipv4;
  Ipv6ResolverBuilder ipv6;
  PickFirstBuilder pick_first;
  RoundRobinBuilder round_robin;
  SocketDialer sockets;
  std::unique_ptr<const CompressorRegistry> compressors;

  std::array<ResolverBuilder*, 7> resolvers() {
    return {&passthrough, &dns, &unix_paths, &abstract_paths, &ipv4, &ipv6, &fixed_list};
  }
};

ResolverBuilder* find_resolver(const ClientConnOptions& options, BuiltIn& built_in, std::string_view scheme) {
  const auto fits = [&](ResolverBuilder* builder) { return builder->scheme() == scheme; };
  const auto own = std::ranges::find_if(options.resolvers, fits);
  if (own != options.resolvers.end()) return *own;
  const auto known = built_in.resolvers();
  const auto found = std::ranges::find_if(known, fits);
  return found == known.end() ? nullptr : *found;
}

bool would_be_readable(const CallCredentials* tokens, const ChannelCredentials& connection) {
  return tokens != nullptr && tokens->requires_privacy() &&
         connection.security_level() != SecurityLevel::kPrivacyAndIntegrity;
}

Status check_options(const ClientConnOptions& options) {
  if (options.credentials == nullptr) {
    return Status::invalid_argument(
        "ClientConnOptions::credentials is missing: name TLS credentials, or insecure_credentials() for plain text");
  }
  if (would_be_readable(options.call_credentials, *options.credentials)) {
    return Status::invalid_argument(
        "ClientConnOptions::call_credentials would be readable on the way: they need TLS credentials");
  }
  if (Status bad = check_backoff(options.backoff); !bad) return bad;
  // gRFC A8: servers close connections that are asked more often.
  if (options.keepalive.time < std::chrono::seconds{10}) {
    return Status::invalid_argument("keepalive.time must be at least 10 s");
  }
  if (!options.user_agent.empty() && !wire::valid_metadata_text(options.user_agent)) {
    return Status::invalid_argument("user_agent has spaces at an end, or what isn't printable ASCII");
  }
  if (options.idle_timeout < Duration::zero()) return Status::invalid_argument("idle_timeout must not be negative");
  for (const UnaryClientInterceptor* interceptor : options.unary_interceptors) {
    if (interceptor == nullptr) return Status::invalid_argument("unary_interceptors has a null pointer");
  }
  for (const StreamClientInterceptor* interceptor : options.stream_interceptors) {
    if (interceptor == nullptr) return Status::invalid_argument("stream_interceptors has a null pointer");
  }
  for (const ResolverBuilder* resolver : options.resolvers) {
    if (resolver == nullptr) return Status::invalid_argument("resolvers has a null pointer");
  }
  for (const BalancerBuilder* balancer : options.balancers) {
    if (balancer == nullptr) return Status::invalid_argument("balancers has a null pointer");
  }
  for (const auto& handler : options.stats_handlers) {
    if (handler == nullptr) return Status::invalid_argument("stats_handlers has a null pointer");
  }
  if (options.max_connections_per_address == 0) {
    return Status::invalid_argument("max_connections_per_address must be at least 1");
  }
  if (options.keepalive.timeout <= Duration::zero()) {
    return Status::invalid_argument("keepalive.timeout must be positive");
  }
  return {};
}

// What every call would fail with.
Status check_defaults(const ClientConnOptions& options, const CompressorRegistry& compressors) {
  const CallOptions& calls = options.call_defaults;
  if (!calls.compressor.empty() && calls.compressor != "identity" && compressors.find(calls.compressor) == nullptr) {
    return Status::invalid_argument("call_defaults.compressor: the connection has none called \"" +
                                    std::string(calls.compressor) + "\"");
  }
  const std::string_view subtype = calls.content_subtype;
  if (!subtype.empty() && !is_content_subtype(subtype)) {
    return Status::invalid_argument("call_defaults.content_subtype: \"" + std::string(subtype) +
                                    "\" can't be a content-subtype");
  }
  const CodecRegistry built_in;
  const CodecRegistry& codecs = options.codecs != nullptr ? *options.codecs : built_in;
  if (calls.codec == nullptr && codecs.find(subtype) == nullptr) {
    return Status::invalid_argument("call_defaults.content_subtype: the connection has no codec \"" +
                                    std::string(subtype) + "\"");
  }
  if (!wire::authority_can_travel(calls.authority)) {
    return Status::invalid_argument("call_defaults.authority has spaces or control characters");
  }
  if (calls.metadata != nullptr) {
    if (const Status bad = calls.metadata->check(); !bad) {
      return Status::invalid_argument("call_defaults: " + std::string(bad.message()));
    }
  }
  if (std::ranges::count(calls.custom, nullptr) != 0 || std::ranges::count(calls.on_finish, nullptr) != 0) {
    return Status::invalid_argument("call_defaults has a null pointer among its hooks");
  }
  if (would_be_readable(calls.credentials, *options.credentials)) {
    return Status::invalid_argument(
        "call_defaults.credentials would be readable on the way: they need TLS credentials");
  }
  return {};
}

std::string authority_of(const ClientConnOptions& options, const ResolverBuilder& resolver, const Target& target) {
  if (!options.authority.empty()) return std::string(options.authority);
  if (std::optional<std::string> own = resolver.authority(target)) return *std::move(own);
  const std::string_view server_name = options.credentials->server_name();
  return server_name.empty() ? default_authority(target) : std::string(server_name);
}

uint64_t system_seed() {
  std::random_device device;
  return uint64_t{device()} << 32 | device();
}

Result<ClientChannelParts> make_parts(LoopGroup& loops, std::string_view text, ClientConnOptions options) {
  if (Status bad = check_options(options); !bad) return bad;
  auto built_in = std::make_shared<BuiltIn>();
  ClientChannelParts parts;
  Result<Target> target = parse_target(text, options.default_scheme, [&](std::string_view scheme) {
    return find_resolver(options, *built_in, scheme) != nullptr;
  });
  if (!target) return target.error();
  parts.resolver = find_resolver(options, *built_in, target->scheme);
  if (Status bad = parts.resolver->check(*target); !bad) return bad;
  parts.balancers = options.balancers;
  parts.balancers.insert(parts.balancers.end(), {&built_in->pick_first, &built_in->round_robin});
  const auto balancer = std::ranges::find(parts.balancers, options.balancer, &BalancerBuilder::name);
  if (balancer == parts.balancers.end()) {
    return Status::invalid_argument("no balancer \"" + std::string(options.balancer) +
                                    "\"; add one to ClientConnOptions::balancers");
  }
  parts.balancer = *balancer;
  if (!options.default_service_config.empty()) {
    auto config = ServiceConfig::parse(options.default_service_config);
    if (!config) return Status::invalid_argument("the default " + std::string(config.error().message()));
    parts.default_service_config = *std::move(config);
    auto choice = choose_balancer(parts.default_service_config.get(), parts.balancers, *parts.balancer);
    if (!choice) return Status::invalid_argument("the default " + std::string(choice.error().message()));
    options.default_service_config = {};
  }
  parts.authority = authority_of(options, *parts.resolver, *target);
  if (!wire::authority_can_travel(parts.authority)) {
    return Status::invalid_argument("the connection's authority has spaces or control characters");
  }
  parts.dialer = options.dialer != nullptr ? options.dialer : &built_in->sockets;
  parts.compressors = &options.compressors.get(built_in->compressors);
  if (Status bad = check_defaults(options, *parts.compressors); !bad) return bad;
  if (options.random_seed == 0) options.random_seed = system_seed();
  parts.loop = &loops.local_or_next();
  parts.target = std::move(*target);
  parts.options = std::move(options);
  parts.built_in = std::move(built_in);
  return parts;
}

Result<ClientChannelParts> try_make_parts(LoopGroup& loops, std::string_view text, ClientConnOptions options) {
  try {
    return make_parts(loops, text, std::move(options));
  } catch (...) {
    return status_of_thrown("a resolver's builder");
  }
}

// The thread-safe face of a ClientChannel: what may come from any thread is posted to its loop.
class ChannelConn final : public ClientConn {
 public:
  ChannelConn(Ref<ClientChannel> channel, bool loop_has_thread);
  ~ChannelConn() override;

  Task<Status> invoke(Context context, std::string_view method, ConstMessage request, Message response,
                      CallOptions options) override;
  Task<Result<std::unique_ptr<ClientStream>>> new_stream(Context context, const StreamDesc& desc,
                                                         std::string_view method, CallOptions options) override;
  Loop& loop() noexcept override { return channel_->loop(); }

  void connect() override {
    // What goes wrong is in state(), in the log, and in the next call's status.
    on_loop([](ClientChannel& channel) { static_cast<void>(channel.exit_idle()); });
  }
  void reset_connect_backoff() override {
    on_loop([](ClientChannel& channel) { channel.reset_connect_backoff(); });
  }
  void close() override {
    on_loop([](ClientChannel& channel) { channel.close(); });
  }
  ConnectivityState state() const noexcept override { return channel_->state(); }
  Task<Result<ConnectivityState>> wait_for_state_change(Context context, ConnectivityState last) override;
  std::string_view target() const noexcept override { return channel_->target().canonical; }
  ClientConnCounters counters() const override;

 private:
  template <class Function>
  void on_loop(Function function) {
    if (channel_->loop().is_current()) return function(*channel_);
    channel_->loop().post([channel = channel_, function] { function(*channel); });
  }

  const Ref<ClientChannel> channel_;
  const ChainedCalls calls_;
  const bool loop_has_thread_;
};

// On the loop's own thread: cancels and lets go. While another thread runs the loop: waits for it.
// While nobody does: does what is left to do here.
ChannelConn::~ChannelConn() {
  Loop& loop = channel_->loop();
  if (loop.is_current()) {
    channel_->close();
    return;
  }
  if (loop_has_thread_ || loop.is_running()) {
    close();
    channel_->wait_ended();
    return;
  }
  {
    const Loop::Enter enter(loop);
    channel_->close();
  }
  while (!channel_->has_ended() && loop.poll() != 0) {
  }
}

ChannelConn::ChannelConn(Ref<ClientChannel> channel, bool loop_has_thread)
    : channel_(channel), calls_(chain_calls(channel)), loop_has_thread_(loop_has_thread) {}

Task<Status> ChannelConn::invoke(Context context, std::string_view method, ConstMessage request, Message response,
                                 CallOptions options) {
  return calls_.invoke(std::move(context), method, request, response, options);
}

Task<Result<std::unique_ptr<ClientStream>>> ChannelConn::new_stream(Context context, const StreamDesc& desc,
                                                                    std::string_view method, CallOptions options) {
  return calls_.new_stream(std::move(context), desc, method, options);
}

Task<Result<ConnectivityState>> ChannelConn::wait_for_state_change(Context context, ConnectivityState last) {
  const Ref<ClientChannel> channel = channel_;
  Loop& caller = *Loop::current();
  co_await resume_on(channel->loop());
  Status ended;
  while (ended.is_ok() && channel->state() == last) {
    Task<Status> waiting = [](WaitQueue& queue) -> Task<Status> {
      Status woken = co_await queue.wait();
      co_return woken;
    }(channel->state_watchers());
    ended = co_await in_context(context, std::move(waiting));
  }
  const ConnectivityState now = channel->state();
  co_await resume_on(caller);
  if (!ended) co_return ended;
  co_return now;
}

ClientConnCounters ChannelConn::counters() const {
  const ClientTallies& tallies = std::as_const(*channel_).counters();
  return {.calls_started = tallies.calls_started.get(),
          .calls_succeeded = tallies.calls_succeeded.get(),
          .calls_failed = tallies.calls_failed.get(),
          .calls_now = tallies.calls_now.get(),
          .transparent_retries = tallies.transparent_retries.get(),
          .attempts = tallies.attempts.get(),
          .retries = tallies.retries.get(),
          .hedges = tallies.hedges.get(),
          .retries_throttled = tallies.retries_throttled.get(),
          .retry_buffer_full = tallies.retry_buffer_full.get(),
          .retry_buffer_bytes = tallies.retry_buffer_bytes.get(),
          .connect_attempts = tallies.connect_attempts.get(),
          .connects_failed = tallies.connects_failed.get(),
          .connections_lost = tallies.connections_lost.get(),
          .keepalive_timeouts = tallies.keepalive_timeouts.get(),
          .idle_entries = tallies.idle_entries.get(),
          .idle_exits = tallies.idle_exits.get()};
}

}  // namespace

Result<std::unique_ptr<ClientConn>> ClientConn::create(LoopGroup& loops, std::string_view target,
                                                       ClientConnOptions options) {
  Result<ClientChannelParts> parts = try_make_parts(loops, target, std::move(options));
  if (!parts) return parts.error();
  std::unique_ptr<ClientConn> conn =
      std::make_unique<ChannelConn>(make_ref<ClientChannel>(std::move(*parts)), loops.has_threads());
  return conn;
}

}  // namespace gaggle
