// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gaggle/cache/peer.h"
#include "gaggle/cache/slot_table.h"

namespace gaggle::cache {

// Who is in the cluster at one moment: the slot table, and a Peer for every member but this node.
// Immutable; replaced whole when members change. Thread-safe.
class Membership {
 public:
  // `peers` are in the order of table.members(); this node's own place is null.
  Membership(SlotTable table, std::string self, std::vector<std::shared_ptr<Peer>> peers);

  const SlotTable& table() const noexcept { return table_; }
  const std::string& self() const noexcept { return self_; }
  bool alone() const noexcept { return table_.members().empty() || (table_.members().size() == 1 && is_self(0)); }
  bool is_self(size_t member) const noexcept { return self_index_ == member; }
  Peer& peer(size_t member) const noexcept { return *peers_[member]; }
  std::shared_ptr<Peer> shared_peer(std::string_view address) const;
  // Whether `address` is a member and not this node: only such senders' hop marks are honoured.
  bool has_peer(std::string_view address) const noexcept;

 private:
  std::optional<size_t> index_of(std::string_view address) const noexcept;

  SlotTable table_;
  std::string self_;
  std::optional<size_t> self_index_;
  std::vector<std::shared_ptr<Peer>> peers_;
};

// The membership of this moment. A mutex, held while a pointer is copied: the lock-free form of
// libstdc++ 12 is a lock, too, and one that ThreadSanitizer objects to. Not on the way of a hit.
class CurrentMembership {
 public:
  explicit CurrentMembership(std::shared_ptr<const Membership> first) : current_(std::move(first)) {}

  std::shared_ptr<const Membership> get() const {
    const std::lock_guard lock(mutex_);
    return current_;
  }
  void set(std::shared_ptr<const Membership> next) {
    const std::lock_guard lock(mutex_);
    current_.swap(next);
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const Membership> current_;  // guarded by mutex_
};

}  // namespace gaggle::cache
