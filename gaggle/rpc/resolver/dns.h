// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

#include "gaggle/base/clock.h"
#include "gaggle/net/dns.h"
#include "gaggle/net/task.h"
#include "gaggle/rpc/resolver/resolver.h"

namespace gaggle {

// How host names become addresses; a seam for tests. Awaited on `loop`'s thread, ends early when the
// awaiting task's context is cancelled.
class NameLookup {
 public:
  virtual ~NameLookup() = default;
  // ask_dns() of gaggle/net.
  virtual Task<Result<DnsAnswer>> lookup(Loop& loop, DnsQuery query);
};

// A value.
struct DnsOptions {
  Duration min_interval = std::chrono::seconds{30};  // between two look-ups that succeeded
  Duration timeout = std::chrono::seconds{30};       // of one look-up
};

// dns:[//SERVER/]HOST[:PORT]: the addresses of a host, port 443 if none is given, localhost if no
// host is; and the service config in the TXT records of _grpc_config.HOST (gRFC A2), unless
// ClientConnOptions::disable_service_config.
//
// Looked up at first, and again when a connection was lost or couldn't be made, at most every
// `min_interval`; after a failure with growing waits (1 s × 1.6 ± 20 %, at most 120 s). Numeric hosts
// are never looked up. SERVER is a name server's address in numbers, port 53 if none is given;
// without one the system's are asked. Records that aren't there are no service config; when they can't be
// asked for, the config stays what it was: many name servers don't answer such questions well.
class DnsResolverBuilder final : public ResolverBuilder {
 public:
  explicit DnsResolverBuilder(DnsOptions options = {}, NameLookup* lookup = nullptr)
      : options_(options), lookup_(lookup) {}

  std::string_view scheme() const noexcept override { return "dns"; }
  Status check(const Target& target) const override;
  Result<std::unique_ptr<Resolver>> build(const Target& target, ResolverListener& listener,
                                          const ResolverOptions& options) override;

 private:
  DnsOptions options_;
  NameLookup system_;
  NameLookup* lookup_;
};

}  // namespace gaggle
