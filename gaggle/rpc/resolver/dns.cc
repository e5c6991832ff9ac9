// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/resolver/dns.h"

#include <utility>

#include "gaggle/net/loop.h"
#include "gaggle/net/resolve.h"
#include "gaggle/net/timer.h"
#include "gaggle/rpc/client_backoff.h"
#include "gaggle/rpc/resolver/fixed.h"

namespace gaggle {
namespace {

constexpr int kDefaultPort = 443;

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
class Lookup final : TaskCompletion<Result<std::vector<Address>>> {
 public:
  class Owner {
   public:
    virtual void on_lookup(Result<std::vector<Address>> found) = 0;

   protected:
    ~Owner() = default;
  };

  // Tells the owner, maybe before it returns. The pointer is good until then, or until leave().
  static void begin(Owner& owner, Lookup*& self, Task<Result<std::vector<Address>>> task) {
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
  void run(Task<Result<std::vector<Address>>> task) { start(std::move(task), *this, source_.context()); }
  void on_done(Result<std::vector<Address>>&& found) noexcept override { finish(std::move(found)); }
  void on_exception(std::exception_ptr) noexcept override { finish(Status::unavailable("the look-up failed")); }
  void finish(Result<std::vector<Address>> found) noexcept {
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
  DnsResolver(Address address, const DnsOptions& options, NameLookup& lookup, ResolverListener& listener,
              const ResolverOptions& resolver_options)
      : address_(std::move(address)),
        options_(options),
        names_(lookup),
        listener_(listener),
        loop_(*resolver_options.loop),
        log_(resolver_options.log),
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
    Lookup::begin(*this, lookup_, names_.lookup(loop_, address_.host, address_.port));
  }

  void on_timeout() {
    if (lookup_ != nullptr) lookup_->time_out();
  }

  void on_lookup(Result<std::vector<Address>> found) override {
    timeout_.disarm();
    Status outcome = found.status();
    if (outcome.is_ok()) {
      ResolverState state;
      for (Address& address : *found) state.endpoints.push_back({{std::move(address)}});
      outcome = listener_.on_resolved(std::move(state));
    } else {
      const Status error =
          Status::unavailable("can't resolve \"" + address_.host + "\": " + std::string(outcome.message()));
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

  const Address address_;
  const DnsOptions options_;
  NameLookup& names_;
  ResolverListener& listener_;
  Loop& loop_;
  Log log_;
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

Task<Result<std::vector<Address>>> NameLookup::lookup(Loop& loop, std::string host, uint16_t port) {
  return resolve(loop, std::move(host), port);
}

Status DnsResolverBuilder::check(const Target& target) const { return parse_host(target).status(); }

Result<std::unique_ptr<Resolver>> DnsResolverBuilder::build(const Target& target, ResolverListener& listener,
                                                            const ResolverOptions& options) {
  Result<Address> address = parse_host(target);
  if (!address) return address.error();
  if (!target.authority.empty()) {
    options.log(LogLevel::kWarning, "the name server of " + target.canonical + " is ignored: the system's are asked");
  }
  if (address->is_numeric()) {
    ResolverState state;
    state.endpoints.push_back({{std::move(*address)}});
    return make_fixed_resolver(std::move(state), listener, *options.loop);
  }
  std::unique_ptr<Resolver> resolver = std::make_unique<DnsResolver>(
      std::move(*address), options_, lookup_ != nullptr ? *lookup_ : system_, listener, options);
  return resolver;
}

}  // namespace gaggle
