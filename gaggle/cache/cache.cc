// SPDX-License-Identifier: Apache-2.0
#include "gaggle/cache/cache.h"

#include <algorithm>
#include <utility>

#include "gaggle/cache/slot_table.h"
#include "gaggle/cache/utf8.h"

namespace gaggle::cache {
namespace {

constexpr size_t kMaxNameBytes = 256;

Status check(const std::string& name, const GroupOptions& options) {
  if (name.empty() || name.size() > kMaxNameBytes) {
    return Status::invalid_argument("a group's name has 1 to 256 bytes");
  }
  if (options.max_bytes == 0) return Status::invalid_argument("group " + name + ": max_bytes must be above zero");
  if (options.ttl <= Duration::zero()) return Status::invalid_argument("group " + name + ": ttl must be above zero");
  if (options.load_timeout <= Duration::zero() || options.peer_timeout <= Duration::zero()) {
    return Status::invalid_argument("group " + name + ": timeouts must be above zero");
  }
  if (!is_utf8(name)) return Status::invalid_argument("a group's name is UTF-8, since it travels as a proto string");
  return {};
}

}  // namespace

Cache::Cache(std::unique_ptr<PeerFactory> peers, const Clock& clock)
    : peer_factory_(std::move(peers)),
      clock_(clock),
      membership_(std::make_shared<CurrentMembership>(
          std::make_shared<const Membership>(SlotTable{{}}, std::string{}, std::vector<std::shared_ptr<Peer>>{}))) {}

Cache::~Cache() {
  for (const auto& [name, group] : groups_) group->cancel_loads();
}

Result<Group*> Cache::add_group(std::string name, GroupOptions options, std::unique_ptr<Loader> loader) {
  if (Status status = check(name, options); !status) return status;
  if (loader == nullptr) return Status::invalid_argument("group " + name + " needs a loader");
  std::lock_guard lock(groups_mutex_);
  if (groups_.contains(name)) return Status::already_exists("there is a group " + name + " already");
  auto group = std::make_shared<Group>(name, options, std::move(loader), clock_, membership_);
  return groups_.emplace(std::move(name), std::move(group)).first->second.get();
}

Group* Cache::group(std::string_view name) const {
  std::lock_guard lock(groups_mutex_);
  const auto found = groups_.find(name);
  return found == groups_.end() ? nullptr : found->second.get();
}

std::vector<Group*> Cache::groups() const {
  std::lock_guard lock(groups_mutex_);
  std::vector<Group*> all;
  for (const auto& [name, group] : groups_) all.push_back(group.get());
  return all;
}

Status Cache::set_members(std::string self, std::span<const std::string> members) {
  std::lock_guard lock(members_mutex_);
  SlotTable table(members);
  if (!std::binary_search(table.members().begin(), table.members().end(), self)) {
    return Status::invalid_argument("this node's own address " + self + " is not among the members");
  }
  const std::shared_ptr<const Membership> before = membership_->get();
  std::vector<std::shared_ptr<Peer>> peers;
  for (const std::string& address : table.members()) {
    std::shared_ptr<Peer> peer;
    if (address != self) {
      peer = before->shared_peer(address);
      if (peer == nullptr) {
        if (peer_factory_ == nullptr) return Status::invalid_argument("this cache can't reach other nodes");
        Result<std::shared_ptr<Peer>> made = peer_factory_->make(address);
        if (!made) return Status::invalid_argument("peer " + address + ": " + std::string(made.error().message()));
        peer = std::move(*made);
      }
    }
    peers.push_back(std::move(peer));
  }
  membership_->set(std::make_shared<const Membership>(std::move(table), std::move(self), std::move(peers)));
  return {};
}

}  // namespace gaggle::cache
