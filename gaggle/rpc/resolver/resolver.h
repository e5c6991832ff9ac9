// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gaggle/base/log.h"
#include "gaggle/base/ref.h"
#include "gaggle/base/result.h"
#include "gaggle/net/address.h"
#include "gaggle/rpc/resolver/target.h"
#include "gaggle/rpc/service_config.h"

namespace gaggle {

class Loop;

// One backend: the addresses by which it can be reached, best first.
struct Endpoint {
  std::vector<Address> addresses;
  // What else the resolver knows about it, for balancers that look for it: "zone", "weight".
  std::map<std::string, std::string, std::less<>> attributes{};

  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

// What a resolver knows about a name at one moment; a later state replaces it as a whole.
struct ResolverState {
  std::vector<Endpoint> endpoints;
  // What the owner of the name wants clients to do: not set if the resolver knows nothing about it, an
  // error if what it found is no service config. gRFC A21.
  std::optional<Result<Ref<const ServiceConfig>>> service_config{};
};

// Who a resolver reports to; on its loop, and not from within ResolverBuilder::build.
class ResolverListener {
 public:
  // An error means that the state is of no use (no address, say): ask again later, with growing
  // waits.
  virtual Status on_resolved(ResolverState state) = 0;
  // Asking failed. What was reported before stays in use.
  virtual void on_resolver_error(const Status& error) = 0;

 protected:
  ~ResolverListener() = default;
};

// Finds out what a name stands for and keeps saying so whenever that changes.
//
// Belongs to one loop's thread. Destroying it ends its work: the listener hears nothing more. What
// resolve_now() throws is logged and ignored.
class Resolver {
 public:
  virtual ~Resolver() = default;
  // A hint that what was reported doesn't work any more. May be ignored, or come often.
  virtual void resolve_now() = 0;
};

struct ResolverOptions {
  Loop* loop = nullptr;  // outlives the resolver
  uint64_t random_seed = 0;
  Log log = {};
  bool disable_service_config = false;  // none is wanted: don't look for one
};

// Makes resolvers for one scheme. Shared by connections: no unsynchronised state. Users write their
// own and name them in ClientConnOptions::resolvers. What check() and authority() throw makes
// ClientConn::create give INTERNAL.
class ResolverBuilder {
 public:
  virtual ~ResolverBuilder() = default;
  virtual std::string_view scheme() const noexcept = 0;  // lower case
  // INVALID_ARGUMENT for a target of this scheme that can never work; ClientConn::create gives it.
  virtual Status check(const Target& target) const {
    static_cast<void>(target);
    return {};
  }
  // The :authority of calls to `target` where it isn't what the target says (a unix path, a list).
  // Counts more than the name in TLS credentials, less than ClientConnOptions::authority.
  virtual std::optional<std::string> authority(const Target& target) const {
    static_cast<void>(target);
    return std::nullopt;
  }
  // A resolver that has begun to work; `listener` outlives it. On the loop's thread. An error ends the
  // call that needed it, and the next one asks again; an exception or null is INTERNAL.
  virtual Result<std::unique_ptr<Resolver>> build(const Target& target, ResolverListener& listener,
                                                  const ResolverOptions& options) = 0;
};

}  // namespace gaggle
