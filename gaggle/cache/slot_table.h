// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gaggle::cache {

// The number of slots that keys fall into, in every cluster, for ever.
inline constexpr size_t kSlotCount = 65'536;

// The slot of a key: the top 16 bits of XXH64(key, seed 0).
uint16_t slot_of(std::string_view key) noexcept;

// Which member owns which slot. Immutable; every node with the same members has the same table,
// in whatever order it learnt of them.
//
// Rendezvous: a member's score for a slot is XXH64(its address followed by the slot's two bytes,
// high byte first; seed 0); the highest score owns, the next highest stands in for it, and so on;
// equal scores go by address, the smaller first. A member that comes or goes moves only its own
// slots. The rules with test vectors stand in proto/slots.md.
// Thread-safe.
class SlotTable {
 public:
  // Duplicates count once. At most 65,535 members. No members: nobody owns anything.
  explicit SlotTable(std::span<const std::string> members);

  std::span<const std::string> members() const noexcept { return members_; }  // sorted
  // XXH64 of the sorted addresses, each followed by '\n', seed 0. Nodes that differ in it see
  // different clusters.
  uint64_t version() const noexcept { return version_; }

  // The index in members() of the slot's owner. members() mustn't be empty.
  size_t owner(uint16_t slot) const noexcept { return owners_[slot]; }
  // All members' indices by rank for the slot: the owner, who stands in for it, and so on.
  std::vector<uint16_t> ranking(uint16_t slot) const;

 private:
  uint64_t score(size_t member, uint16_t slot) const noexcept;

  std::vector<std::string> members_;
  uint64_t version_ = 0;
  std::vector<uint16_t> owners_;
};

}  // namespace gaggle::cache
