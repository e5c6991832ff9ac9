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

// The addresses of "a:1,b:2".
Result<ResolverState> parse_list(std::string_view text) {
  ResolverState state;
  while (true) {
    const size_t comma = text.find(',');
    Result<Address> address = Address::parse(text.substr(0, comma));
    if (!address) return address.error();
    state.endpoints.push_back({{std::move(*address)}});
    if (comma == std::string_view::npos) return state;
    text.remove_prefix(comma + 1);
  }
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

Status StaticResolverBuilder::check(const Target& target) const { return parse_list(target.endpoint).status(); }
std::string StaticResolverBuilder::authority(const Target& target) const {
  Target first = target;
  first.endpoint.resize(std::min(first.endpoint.find(','), first.endpoint.size()));
  return default_authority(first);
}
Result<std::unique_ptr<Resolver>> StaticResolverBuilder::build(const Target& target, ResolverListener& listener,
                                                               const ResolverOptions& options) {
  return fixed(parse_list(target.endpoint), listener, options);
}

}  // namespace gaggle
