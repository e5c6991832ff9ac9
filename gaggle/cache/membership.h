// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
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

}  // namespace gaggle::cache
