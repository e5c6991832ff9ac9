// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "gaggle/base/status.h"

namespace gaggle {
class ServiceRegistrar;
}

namespace gaggle::cache {

class Cache;

// Makes a cache reachable by gRPC: `groupcachepb.GroupCache/Get` for everybody, other nodes among
// them, and `gaggle.cache.v1.CacheAdmin/Stats` for people.
//
//   Server::create(loops) ... CacheService service(cache); service.register_with(*server);
//
// Errors of Get:
//   INVALID_ARGUMENT    the group's name or the key is empty, or the key is over 64 KiB
//   NOT_FOUND           no such group; details carry the reason UNKNOWN_GROUP (error_reason.h)
//   whatever            the loader's status: NOT_FOUND for a key that the origin doesn't have
//   RESOURCE_EXHAUSTED  the value is larger than the group allows
//   DEADLINE_EXCEEDED, CANCELLED   the call ended first
//
// The marks of a forwarded request (rpc_peer.h) are honoured from the cluster's members; others that
// send them are treated as clients. Thread-safe. Both arguments outlive the server.
class CacheService {
 public:
  explicit CacheService(Cache& cache);
  ~CacheService();
  CacheService(const CacheService&) = delete;
  CacheService& operator=(const CacheService&) = delete;

  Status register_with(ServiceRegistrar& registrar);

 private:
  class GroupCache;
  class Admin;
  const std::unique_ptr<GroupCache> group_cache_;
  const std::unique_ptr<Admin> admin_;
};

}  // namespace gaggle::cache
