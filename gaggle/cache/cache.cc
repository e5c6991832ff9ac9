// SPDX-License-Identifier: Apache-2.0
#include "gaggle/cache/cache.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "gaggle/cache/slot_table.h"

namespace gaggle::cache {
namespace {

constexpr size_t kMaxNameBytes = 256;

// Well-formed UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing above U+10FFFF.
bool is_utf8(std::string_view text) noexcept {
  for (size_t i = 0; i < text.size();) {
    const auto byte = [&](size_t at) { return at < text.size() ? static_cast<uint8_t>(text[at]) : 0; };
    const uint8_t first = byte(i);
    const size_t length = first < 0x80 ? 1 : first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 0;
    if (length == 0) return false;
    for (size_t n = 1; n < length; ++n) {
      if ((byte(i + n) & 0xC0) != 0x80) return false;
    }
    const uint8_t second = byte(i + 1);
    if ((first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F) || (first == 0xF0 && second < 0x90) ||
        (first == 0xF4 && second > 0x8F)) {
      return false;
    }
    i += length;
  }
  return true;
}

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
      membership_(std::make_shared<CurrentMembership>(std::make_shared<const Membership>(
          SlotTable{{}}, std::string{}, std::vector<std::shared_ptr<Peer>>{}))) {}

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
