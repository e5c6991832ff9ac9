// SPDX-License-Identifier: Apache-2.0
#include "gaggle/cache/membership.h"

#include <algorithm>
#include <utility>

namespace gaggle::cache {

Membership::Membership(SlotTable table, std::string self, std::vector<std::shared_ptr<Peer>> peers)
    : table_(std::move(table)), self_(std::move(self)), self_index_(index_of(self_)), peers_(std::move(peers)) {}

std::optional<size_t> Membership::index_of(std::string_view address) const noexcept {
  const auto members = table_.members();
  const auto found = std::lower_bound(members.begin(), members.end(), address);
  if (found == members.end() || *found != address) return std::nullopt;
  return static_cast<size_t>(found - members.begin());
}

std::shared_ptr<Peer> Membership::shared_peer(std::string_view address) const {
  const auto index = index_of(address);
  return index ? peers_[*index] : nullptr;
}

bool Membership::has_peer(std::string_view address) const noexcept {
  const auto index = index_of(address);
  return index && !is_self(*index);
}

}  // namespace gaggle::cache
