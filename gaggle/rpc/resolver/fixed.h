// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "gaggle/rpc/resolver/resolver.h"

namespace gaggle {

// The schemes whose answer is in the target itself.

// passthrough:///ADDRESS: one backend, the address as it is written; a host name in it is resolved
// when it's connected to.
class PassthroughResolverBuilder final : public ResolverBuilder {
 public:
  std::string_view scheme() const noexcept override { return "passthrough"; }
  Status check(const Target& target) const override;
  Result<std::unique_ptr<Resolver>> build(const Target&, ResolverListener&, const ResolverOptions&) override;
};

// unix:PATH, unix:///ABSOLUTE/PATH, unix:@NAME (Linux's abstract sockets). The authority of calls is
// "localhost".
class UnixResolverBuilder final : public ResolverBuilder {
 public:
  std::string_view scheme() const noexcept override { return "unix"; }
  Status check(const Target& target) const override;
  std::optional<std::string> authority(const Target&) const override { return "localhost"; }
  Result<std::unique_ptr<Resolver>> build(const Target&, ResolverListener&, const ResolverOptions&) override;
};

// unix-abstract:NAME: a socket in Linux's abstract namespace, "@NAME" in addresses.
class UnixAbstractResolverBuilder final : public ResolverBuilder {
 public:
  std::string_view scheme() const noexcept override { return "unix-abstract"; }
  Status check(const Target& target) const override;
  std::optional<std::string> authority(const Target&) const override { return "localhost"; }
  Result<std::unique_ptr<Resolver>> build(const Target&, ResolverListener&, const ResolverOptions&) override;
};

// ipv4:1.2.3.4:50051,5.6.7.8 and ipv6:[::1]:50051,[::2]: backends by their numbers; port 443 where none
// is given. The authority of calls is the first one. gRPC naming.md.
class Ipv4ResolverBuilder final : public ResolverBuilder {
 public:
  std::string_view scheme() const noexcept override { return "ipv4"; }
  Status check(const Target& target) const override;
  std::optional<std::string> authority(const Target& target) const override;
  Result<std::unique_ptr<Resolver>> build(const Target&, ResolverListener&, const ResolverOptions&) override;
};
class Ipv6ResolverBuilder final : public ResolverBuilder {
 public:
  std::string_view scheme() const noexcept override { return "ipv6"; }
  Status check(const Target& target) const override;
  std::optional<std::string> authority(const Target& target) const override;
  Result<std::unique_ptr<Resolver>> build(const Target&, ResolverListener&, const ResolverOptions&) override;
};

// static:///A:1,B:2: a list of backends, each as passthrough would have it. The authority of calls
// is the first one's.
class StaticResolverBuilder final : public ResolverBuilder {
 public:
  std::string_view scheme() const noexcept override { return "static"; }
  Status check(const Target& target) const override;
  std::optional<std::string> authority(const Target& target) const override;
  Result<std::unique_ptr<Resolver>> build(const Target&, ResolverListener&, const ResolverOptions&) override;
};

// A resolver that reports `state` once, in the next turn of its loop, and again when it's asked.
std::unique_ptr<Resolver> make_fixed_resolver(ResolverState state, ResolverListener& listener, Loop& loop);

}  // namespace gaggle
