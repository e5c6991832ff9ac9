// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/resolver/dns.h"

#include <asio/ip/host_name.hpp>
#include <string>
#include <utility>

#include "gaggle/net/loop.h"
#include "gaggle/net/timer.h"
#include "gaggle/rpc/client_backoff.h"
#include "gaggle/rpc/resolver/dns_config.h"
#include "gaggle/rpc/resolver/fixed.h"

namespace gaggle {
namespace {

constexpr int kDefaultPort = 443;
constexpr int kNameServerPort = 53;

std::string host_name() {
  asio::error_code failed;
  return asio::ip::host_name(failed);  // empty when it failed
}

// "8.8.8.8:53" of the target's authority; empty: the system's servers.
Result<std::string> parse_server(const Target& target) {
  if (target.authority.empty()) return std::string();
  Result<Address> server = Address::parse(target.authority, kNameServerPort);
  if (server && server->kind == Address::Kind::kTcp && server->is_numeric()) return server->to_string();
  return Status::invalid_argument("the name server of a dns target is an address, not \"" + target.authority +
                                  "\": write dns://8.8.8.8/host:port");
}

Result<Address> parse_host(const Target& target) {
  if (target.endpoint.empty()) return Status::invalid_argument("a dns target names a host: write dns:///host:port");
  Result<Address> address = Address::parse(target.endpoint, kDefaultPort);
  if (!address) return address;
  if (address->kind != Address::Kind::kTcp) {
    return Status::invalid_argument("a dns target names a host, not \"" + target.endpoint + "\"");
  }
  if (address->host.empty()) address->host = "localhost";
  return address;
}

// One look-up under way. Lives until it has ended, even if nobody waits for it any more.
class Lookup final : TaskCompletion<Result<DnsAnswer>> {
 public:
  class Owner {
   public:
    virtual void on_lookup(Result<DnsAnswer> found) = 0;

   protected:
    ~Owner() = default;
  };

  // Tells the owner, maybe before it returns. The pointer is good until then, or until leave().
  static void begin(Owner& owner, Lookup*& self, Task<Result<DnsAnswer>> task) {
    self = new Lookup(owner, self);
    self->run(std::move(task));
  }
  // The owner doesn't care any more.
  void leave() noexcept {
    owner_ = nullptr;
    source_.cancel();
  }
  void time_out() noexcept { source_.cancel(Status::deadline_exceeded("the look-up took too long")); }

 private:
  Lookup(Owner& owner, Lookup*& self) : owner_(&owner), self_(&self) {}
  void run(Task<Result<DnsAnswer>> task) { start(std::move(task), *this, source_.context()); }
  void on_done(Result<DnsAnswer>&& found) noexcept override { finish(std::move(found)); }
  void on_exception(std::exception_ptr) noexcept override { finish(Status::unavailable("the look-up failed")); }
  void finish(Result<DnsAnswer> found) noexcept {
    Owner* owner = owner_;
    if (owner != nullptr) *self_ = nullptr;
    delete this;
    if (owner != nullptr) owner->on_lookup(std::move(found));
  }

  Owner* owner_;
  Lookup** self_;
  CancelSource source_;
};

class DnsResolver final : public Resolver, Lookup::Owner {
 public:
  DnsResolver(DnsQuery query, const DnsOptions& options, NameLookup& lookup, ResolverListener& listener,
              const ResolverOptions& resolver_options)
      : query_(std::move(query)),
        options_(options),
        names_(lookup),
        listener_(listener),
        loop_(*resolver_options.loop),
        log_(resolver_options.log),
        percentile_(static_cast<uint32_t>(JitterSource(resolver_options.random_seed).next() % 100)),
        backoff_(ConnectBackoff{}, resolver_options.random_seed),
        next_(loop_, *this),
        timeout_(loop_, *this) {
    loop_.defer(begin_);
  }
  ~DnsResolver() override {
    if (lookup_ != nullptr) lookup_->leave();
  }

  void resolve_now() override {
    wanted_ = true;
    if (lookup_ == nullptr && !next_.armed() && !begin_.deferred()) schedule();
  }

 private:
  // A look-up is wanted, none runs and no failure keeps us waiting: begin it as soon as we may.
  void schedule() {
    const TimePoint allowed = succeeded_ ? deadline_after(last_, options_.min_interval) : loop_.now();
    if (allowed <= loop_.now()) {
      loop_.defer(begin_);
    } else {
      next_.arm_at(allowed);
    }
  }

  void begin() {
    wanted_ = false;
    last_ = loop_.now();
    timeout_.arm_after(options_.timeout);
    Lookup::begin(*this, lookup_, names_.lookup(loop_, query_));
  }

  void on_timeout() {
    if (lookup_ != nullptr) lookup_->time_out();
  }

  void on_lookup(Result<DnsAnswer> found) override {
    timeout_.disarm();
    Status outcome = found.status();
    if (outcome.is_ok()) {
      ResolverState state;
      for (Address& address : found->addresses) state.endpoints.push_back({{std::move(address)}});
      state.service_config = config_of(found->texts);
      outcome = listener_.on_resolved(std::move(state));
    } else {
      const Status error =
          Status::unavailable("can't resolve \"" + query_.host + "\": " + std::string(outcome.message()));
      log_(LogLevel::kWarning, error.message());
      listener_.on_resolver_error(error);
    }
    succeeded_ = outcome.is_ok();
    if (!succeeded_) {
      next_.arm_after(backoff_.next());
      return;
    }
    backoff_.reset();
    if (wanted_) schedule();
  }

  // Records that can't be had say nothing about the config: it stays what it was.
  const std::optional<Result<Ref<const ServiceConfig>>>& config_of(const Result<std::vector<std::string>>& texts) {
    if (query_.text_name.empty()) return config_;
    if (texts) {
      const std::string name = host_name();
      config_ = choose_dns_config(*texts, {.host_name = name, .percentile = percentile_});
    } else {
      log_(LogLevel::kWarning,
           "the service config of \"" + query_.host + "\" stays: " + std::string(texts.error().message()));
    }
    return config_;
  }

  const DnsQuery query_;
  const DnsOptions options_;
  NameLookup& names_;
  ResolverListener& listener_;
  Loop& loop_;
  Log log_;
  const uint32_t percentile_;                               // the same for all configs that come
  std::optional<Result<Ref<const ServiceConfig>>> config_;  // by the latest records
  Backoff backoff_;
  TimePoint last_{};
  bool succeeded_ = false;
  bool wanted_ = false;  // asked for since the last look-up began
  Lookup* lookup_ = nullptr;
  HookOf<&DnsResolver::begin> begin_{*this};
  TimerOf<&DnsResolver::begin> next_;
  TimerOf<&DnsResolver::on_timeout> timeout_;
};

}  // namespace

Task<Result<DnsAnswer>> NameLookup::lookup(Loop& loop, DnsQuery query) { return ask_dns(loop, std::move(query)); }

Status DnsResolverBuilder::check(const Target& target) const {
  if (Status bad = parse_host(target).status(); !bad) return bad;
  return parse_server(target).status();
}

Result<std::unique_ptr<Resolver>> DnsResolverBuilder::build(const Target& target, ResolverListener& listener,
                                                            const ResolverOptions& options) {
  Result<Address> address = parse_host(target);
  if (!address) return address.error();
  Result<std::string> server = parse_server(target);
  if (!server) return server.error();
  if (address->is_numeric()) {
    ResolverState state;
    state.endpoints.push_back({{std::move(*address)}});
    return make_fixed_resolver(std::move(state), listener, *options.loop);
  }
  DnsQuery query;
  query.host = address->host;
  query.port = address->port;
  query.server = *std::move(server);
  if (!options.disable_service_config) query.text_name = "_grpc_config." + query.host;
  std::unique_ptr<Resolver> resolver = std::make_unique<DnsResolver>(
      std::move(query), options_, lookup_ != nullptr ? *lookup_ : system_, listener, options);
  return resolver;
}

}  // namespace gaggle
