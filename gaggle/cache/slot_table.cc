// SPDX-License-Identifier: Apache-2.0
#include "gaggle/cache/slot_table.h"

#include <xxhash.h>

#include <algorithm>
#include <numeric>

namespace gaggle::cache {

uint16_t slot_of(std::string_view key) noexcept {
  return static_cast<uint16_t>(XXH64(key.data(), key.size(), 0) >> 48);
}

SlotTable::SlotTable(std::span<const std::string> members) : members_(members.begin(), members.end()) {
  std::sort(members_.begin(), members_.end());
  members_.erase(std::unique(members_.begin(), members_.end()), members_.end());
  members_.resize(std::min<size_t>(members_.size(), UINT16_MAX));

  std::string list;
  for (const std::string& member : members_) list.append(member).push_back('\n');
  version_ = XXH64(list.data(), list.size(), 0);
  if (members_.empty()) return;

  // Scored member by member: the address is hashed once more per slot, about 10 ns each.
  owners_.assign(kSlotCount, 0);
  std::vector<uint64_t> best(kSlotCount, 0);
  for (size_t member = 0; member < members_.size(); ++member) {
    for (size_t slot = 0; slot < kSlotCount; ++slot) {
      const uint64_t s = score(member, static_cast<uint16_t>(slot));
      // Members come in the order of their addresses, so that "greater" leaves ties to the smaller.
      if (member == 0 || s > best[slot]) {
        best[slot] = s;
        owners_[slot] = static_cast<uint16_t>(member);
      }
    }
  }
}

std::vector<uint16_t> SlotTable::ranking(uint16_t slot) const {
  std::vector<uint64_t> scores(members_.size());
  for (size_t member = 0; member < members_.size(); ++member) scores[member] = score(member, slot);
  std::vector<uint16_t> order(members_.size());
  std::iota(order.begin(), order.end(), uint16_t{0});
  std::stable_sort(order.begin(), order.end(), [&](uint16_t a, uint16_t b) { return scores[a] > scores[b]; });
  return order;
}

uint64_t SlotTable::score(size_t member, uint16_t slot) const noexcept {
  const std::string& address = members_[member];
  // Addresses are short; one that isn't is hashed piecewise, with the same result.
  char buffer[256];
  if (address.size() + 2 <= sizeof buffer) {
    const size_t size = address.copy(buffer, address.size());
    buffer[size] = static_cast<char>(slot >> 8);
    buffer[size + 1] = static_cast<char>(slot & 0xFF);
    return XXH64(buffer, size + 2, 0);
  }
  std::string input = address;
  input.push_back(static_cast<char>(slot >> 8));
  input.push_back(static_cast<char>(slot & 0xFF));
  return XXH64(input.data(), input.size(), 0);
}

}  // namespace gaggle::cache
