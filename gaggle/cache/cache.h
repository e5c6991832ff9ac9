// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gaggle/base/clock.h"
#include "gaggle/base/result.h"
#include "gaggle/cache/group.h"
#include "gaggle/cache/membership.h"

namespace gaggle::cache {

// One node of a cache cluster: its groups, and who the other nodes are.
//
// Thread-safe. Groups live as long as the cache. Its destruction, from a thread of no loop, cancels
// the loads still under way and doesn't wait for them; nobody waits for a value then, and the loops
// are still there. It knows no network: a PeerFactory (rpc_peer.h)
// makes the other nodes reachable, and a CacheService (rpc_service.h) makes this one so.
//
//   Cache cache;
//   auto group = cache.add_group("scores", {.ttl = 5min}, std::make_unique<ScoresLoader>());
//   Result<Value> value = co_await (*group)->get(context, "Tom");
class Cache {
 public:
  // `clock` must outlive the cache. `peers` makes the other nodes; null: set_members refuses any.
  explicit Cache(std::unique_ptr<PeerFactory> peers = nullptr, const Clock& clock = Clock::real());
  ~Cache();
  Cache(const Cache&) = delete;
  Cache& operator=(const Cache&) = delete;

  // ALREADY_EXISTS for a name that is taken; INVALID_ARGUMENT for an empty name, one over 256 bytes
  // or not UTF-8, or options out of range.
  Result<Group*> add_group(std::string name, GroupOptions options, std::unique_ptr<Loader> loader);
  // Null if there is none.
  Group* group(std::string_view name) const;
  std::vector<Group*> groups() const;

  // Replaces the cluster's members; `self` is this node's address among them, and every node must
  // know it by the same. Lookups under way finish with what they saw. Peers that stay keep their
  // connections. INVALID_ARGUMENT when `self` isn't a member, or an address makes no peer: then
  // nothing changes.
  Status set_members(std::string self, std::span<const std::string> members);
  std::shared_ptr<const Membership> membership() const { return membership_->get(); }

 private:
  const std::unique_ptr<PeerFactory> peer_factory_;
  const Clock& clock_;
  const std::shared_ptr<CurrentMembership> membership_;  // groups share it
  std::mutex members_mutex_;                             // one set_members at a time
  mutable std::mutex groups_mutex_;                      // guards groups_; once per request, held for a map lookup
  std::map<std::string, std::shared_ptr<Group>, std::less<>> groups_;  // shared with loads under way
};

}  // namespace gaggle::cache
