// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/resolver/fixed.h"

#include <algorithm>
#include <utility>

#include "gaggle/net/loop.h"

namespace gaggle {
namespace {

class FixedResolver final : public Resolver {
 public:
  FixedResolver(ResolverState state, ResolverListener& listener, Loop& loop)
      : state_(std::move(state)), listener_(listener), loop_(loop) {
    resolve_now();
  }
  void resolve_now() override { loop_.defer(report_); }

 private:
  // What the state is worth doesn't change by asking again, so the answer isn't looked at.
  void report() noexcept { static_cast<void>(listener_.on_resolved(state_)); }

  const ResolverState state_;
  ResolverListener& listener_;
  Loop& loop_;
  HookOf<&FixedResolver::report> report_{*this};
};

constexpr int kDefaultPort = 443;  // of ipv4: and ipv6:

// The addresses of "a:1,b:2"; `fits` says what is wrong with one.
Result<ResolverState> parse_list(std::string_view text, int default_port = -1,
                                 Status (*fits)(const Address&) = nullptr) {
  ResolverState state;
  while (true) {
    const size_t comma = text.find(',');
    Result<Address> address = Address::parse(text.substr(0, comma), default_port);
    if (!address) return address.error();
    if (Status bad = fits == nullptr ? Status::ok() : fits(*address); !bad) return bad;
    state.endpoints.push_back({{std::move(*address)}});
    if (comma == std::string_view::npos) return state;
    text.remove_prefix(comma + 1);
  }
}

bool is_ipv6(const Address& address) { return address.host.find(':') != std::string::npos; }

Status fits_ipv4(const Address& address) {
  if (address.kind == Address::Kind::kTcp && address.is_numeric() && !is_ipv6(address)) return {};
  return Status::invalid_argument("\"" + address.to_string() + "\" is no IPv4 address: write ipv4:1.2.3.4:50051");
}
Status fits_ipv6(const Address& address) {
  if (address.kind == Address::Kind::kTcp && address.is_numeric() && is_ipv6(address)) return {};
  return Status::invalid_argument("\"" + address.to_string() + "\" is no IPv6 address: write ipv6:[::1]:50051");
}

Status no_authority(const Target& target) {
  if (target.authority.empty()) return {};
  return Status::invalid_argument("a target of scheme " + target.scheme + " has no authority: write " + target.scheme +
                                  ":ADDRESS");
}

Result<ResolverState> parse_numbers(const Target& target, Status (*fits)(const Address&)) {
  if (Status bad = no_authority(target); !bad) return bad;
  return parse_list(target.endpoint, kDefaultPort, fits);
}

Result<ResolverState> parse_abstract(const Target& target) {
  if (Status bad = no_authority(target); !bad) return bad;
  if (target.path.empty())
    return Status::invalid_argument("a unix-abstract target has a name: write unix-abstract:name");
  ResolverState state;
  state.endpoints.push_back({{Address::unix_path("@" + target.path)}});
  return state;
}

// What the first of a list would have as its authority.
std::string authority_of_first(const Target& target) {
  Target first = target;
  first.endpoint.resize(std::min(first.endpoint.find(','), first.endpoint.size()));
  return default_authority(first);
}

Result<ResolverState> parse_one(std::string_view text) {
  Result<Address> address = Address::parse(text);
  if (!address) return address.error();
  ResolverState state;
  state.endpoints.push_back({{std::move(*address)}});
  return state;
}

Result<ResolverState> parse_path(const Target& target) {
  if (!target.authority.empty()) {
    return Status::invalid_argument("a unix target has no authority: write unix:path or unix:///absolute/path");
  }
  if (target.path.empty() || target.path == "/") return Status::invalid_argument("a unix target names a path");
  ResolverState state;
  state.endpoints.push_back({{Address::unix_path(target.path)}});
  return state;
}

Result<std::unique_ptr<Resolver>> fixed(Result<ResolverState> state, ResolverListener& listener,
                                        const ResolverOptions& options) {
  if (!state) return state.error();
  return make_fixed_resolver(std::move(*state), listener, *options.loop);
}

}  // namespace

std::unique_ptr<Resolver> make_fixed_resolver(ResolverState state, ResolverListener& listener, Loop& loop) {
  return std::make_unique<FixedResolver>(std::move(state), listener, loop);
}

Status PassthroughResolverBuilder::check(const Target& target) const { return parse_one(target.endpoint).status(); }
Result<std::unique_ptr<Resolver>> PassthroughResolverBuilder::build(const Target& target, ResolverListener& listener,
                                                                    const ResolverOptions& options) {
  return fixed(parse_one(target.endpoint), listener, options);
}

Status UnixResolverBuilder::check(const Target& target) const { return parse_path(target).status(); }
Result<std::unique_ptr<Resolver>> UnixResolverBuilder::build(const Target& target, ResolverListener& listener,
                                                             const ResolverOptions& options) {
  return fixed(parse_path(target), listener, options);
}

Status UnixAbstractResolverBuilder::check(const Target& target) const { return parse_abstract(target).status(); }
Result<std::unique_ptr<Resolver>> UnixAbstractResolverBuilder::build(const Target& target, ResolverListener& listener,
                                                                     const ResolverOptions& options) {
  return fixed(parse_abstract(target), listener, options);
}

Status Ipv4ResolverBuilder::check(const Target& target) const { return parse_numbers(target, fits_ipv4).status(); }
std::optional<std::string> Ipv4ResolverBuilder::authority(const Target& target) const {
  return authority_of_first(target);
}
Result<std::unique_ptr<Resolver>> Ipv4ResolverBuilder::build(const Target& target, ResolverListener& listener,
                                                             const ResolverOptions& options) {
  return fixed(parse_numbers(target, fits_ipv4), listener, options);
}

Status Ipv6ResolverBuilder::check(const Target& target) const { return parse_numbers(target, fits_ipv6).status(); }
std::optional<std::string> Ipv6ResolverBuilder::authority(const Target& target) const {
  return authority_of_first(target);
}
Result<std::unique_ptr<Resolver>> Ipv6ResolverBuilder::build(const Target& target, ResolverListener& listener,
                                                             const ResolverOptions& options) {
  return fixed(parse_numbers(target, fits_ipv6), listener, options);
}

Status StaticResolverBuilder::check(const Target& target) const { return parse_list(target.endpoint).status(); }
std::optional<std::string> StaticResolverBuilder::authority(const Target& target) const {
  return authority_of_first(target);
}
Result<std::unique_ptr<Resolver>> StaticResolverBuilder::build(const Target& target, ResolverListener& listener,
                                                               const ResolverOptions& options) {
  return fixed(parse_list(target.endpoint), listener, options);
}

}  // namespace gaggle
