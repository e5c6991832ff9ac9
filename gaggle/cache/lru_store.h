// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "gaggle/cache/store.h"

namespace gaggle::cache {

// The store that drops what wasn't used for the longest time.
//
// Split into shards, each with its own lock, list and share of the budget, so that loops rarely
// meet; a lock is held for one lookup. The number of shards follows from the budget: up to 16, each
// of 4 MiB or more, so that the largest message still fits. Keys are hashed with a seed of the
// store's own, so that nobody can choose keys that collide.
class LruStore final : public Store {
 public:
  explicit LruStore(size_t max_bytes);
  // With a given number of shards (a power of two) and seed; for tests and simulations.
  LruStore(size_t max_bytes, size_t shards, uint64_t seed);
  ~LruStore() override;

  bool get(std::string_view key, TimePoint now, Value& value) override;
  bool put(std::string_view key, const Value& value, TimePoint now) override;
  bool remove(std::string_view key) override;
  void clear() override;
  StoreStats stats() const override;

 private:
  class Shard;
  uint64_t hash(std::string_view key) const noexcept;
  Shard& shard(uint64_t hash) const noexcept { return *shards_[hash & (shards_.size() - 1)]; }

  uint64_t seed_;
  std::vector<std::unique_ptr<Shard>> shards_;
};

}  // namespace gaggle::cache
