// SPDX-License-Identifier: Apache-2.0
#include "gaggle/cache/lru_store.h"

#include <xxhash.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <mutex>
#include <new>
#include <random>

namespace gaggle::cache {
namespace {

constexpr size_t kMaxShards = 16;
constexpr size_t kMinShardBytes = 4u << 20;

size_t shards_for(size_t max_bytes) {
  return std::clamp<size_t>(std::bit_floor(std::max<size_t>(max_bytes / kMinShardBytes, 1)), 1, kMaxShards);
}

uint64_t random_seed() {
  std::random_device device;
  return (uint64_t{device()} << 32) | device();
}

// One entry: a link of its bucket's chain and of its shard's list of uses, the key right behind it.
struct Entry {
  Entry* chain = nullptr;
  Entry* newer = nullptr;
  Entry* older = nullptr;
  uint64_t hash = 0;
  Value value;
  size_t key_size = 0;

  char* key_data() noexcept { return reinterpret_cast<char*>(this + 1); }
  std::string_view key() noexcept { return {key_data(), key_size}; }
  size_t charge() const noexcept { return key_size + value.bytes.size() + kEntryOverheadBytes; }

  static Entry* make(std::string_view key, uint64_t hash) {
    Entry* entry = new (::operator new(sizeof(Entry) + key.size())) Entry;
    entry->hash = hash;
    entry->key_size = key.size();
    std::memcpy(entry->key_data(), key.data(), key.size());
    return entry;
  }
  static void destroy(Entry* entry) noexcept {
    entry->~Entry();
    ::operator delete(entry);
  }
};
static_assert(sizeof(Entry) + sizeof(Entry*) <= kEntryOverheadBytes);

}  // namespace

// Invariants, under the lock: every entry is in exactly one chain and once in the list of uses;
// stats_.bytes is the sum of all charges and never above budget_ between operations.
class LruStore::Shard {
 public:
  explicit Shard(size_t budget) : budget_(budget), buckets_(kFirstBuckets, nullptr) {}
  ~Shard() { clear(); }

  bool get(std::string_view key, uint64_t hash, TimePoint now, Value& value) {
    std::lock_guard lock(mutex_);
    ++stats_.gets;
    Entry** link = find(key, hash);
    if (*link == nullptr) return false;
    if ((*link)->value.expired(now)) {
      ++stats_.expirations;
      drop(link);
      return false;
    }
    ++stats_.hits;
    value = (*link)->value;
    unlist(*link);
    list_newest(*link);
    return true;
  }

  bool put(std::string_view key, uint64_t hash, const Value& value, TimePoint now) {
    std::lock_guard lock(mutex_);
    if (Entry** link = find(key, hash); *link != nullptr) drop(link);
    if (value.expired(now) || key.size() + value.bytes.size() + kEntryOverheadBytes > budget_) return false;
    Entry* entry = Entry::make(key, hash);
    entry->value = value;
    make_room(entry->charge(), now);
    if (stats_.items >= buckets_.size()) grow();
    Entry*& bucket = buckets_[index(hash)];
    entry->chain = bucket;
    bucket = entry;
    list_newest(entry);
    stats_.bytes += entry->charge();
    ++stats_.items;
    return true;
  }

  bool remove(std::string_view key, uint64_t hash) {
    std::lock_guard lock(mutex_);
    Entry** link = find(key, hash);
    if (*link == nullptr) return false;
    drop(link);
    return true;
  }

  void clear() {
    std::lock_guard lock(mutex_);
    while (oldest_ != nullptr) drop(find(oldest_->key(), oldest_->hash));
    buckets_.assign(kFirstBuckets, nullptr);
    buckets_.shrink_to_fit();
  }

  void add_to(StoreStats& sum) const {
    std::lock_guard lock(mutex_);
    sum.bytes += stats_.bytes;
    sum.items += stats_.items;
    sum.gets += stats_.gets;
    sum.hits += stats_.hits;
    sum.evictions += stats_.evictions;
    sum.expirations += stats_.expirations;
  }

 private:
  static constexpr size_t kFirstBuckets = 16;

  // The low bits chose the shard; the high ones choose the bucket.
  size_t index(uint64_t hash) const noexcept { return (hash >> 8) & (buckets_.size() - 1); }

  // The link that points at the key's entry, or the null at the end of its chain.
  Entry** find(std::string_view key, uint64_t hash) noexcept {
    Entry** link = &buckets_[index(hash)];
    while (*link != nullptr && ((*link)->hash != hash || (*link)->key() != key)) link = &(*link)->chain;
    return link;
  }

  void drop(Entry** link) noexcept {
    Entry* entry = *link;
    *link = entry->chain;
    unlist(entry);
    stats_.bytes -= entry->charge();
    --stats_.items;
    Entry::destroy(entry);
  }

  void make_room(size_t charge, TimePoint now) noexcept {
    while (stats_.bytes + charge > budget_) {
      ++(oldest_->value.expired(now) ? stats_.expirations : stats_.evictions);
      drop(find(oldest_->key(), oldest_->hash));
    }
  }

  void grow() {
    std::vector<Entry*> bigger(buckets_.size() * 2, nullptr);
    buckets_.swap(bigger);
    for (Entry* entry = oldest_; entry != nullptr; entry = entry->newer) {
      Entry*& bucket = buckets_[index(entry->hash)];
      entry->chain = bucket;
      bucket = entry;
    }
  }

  void list_newest(Entry* entry) noexcept {
    entry->newer = nullptr;
    entry->older = newest_;
    (newest_ != nullptr ? newest_->newer : oldest_) = entry;
    newest_ = entry;
  }

  void unlist(Entry* entry) noexcept {
    (entry->newer != nullptr ? entry->newer->older : newest_) = entry->older;
    (entry->older != nullptr ? entry->older->newer : oldest_) = entry->newer;
  }

  // Held for one lookup; two loops meet here only when they want the same sixteenth of the keys.
  mutable std::mutex mutex_;
  const size_t budget_;
  std::vector<Entry*> buckets_;  // a power of two of them, at least one per entry
  Entry* newest_ = nullptr;
  Entry* oldest_ = nullptr;
  StoreStats stats_;
};

LruStore::LruStore(size_t max_bytes) : LruStore(max_bytes, shards_for(max_bytes), random_seed()) {}

LruStore::LruStore(size_t max_bytes, size_t shards, uint64_t seed) : seed_(seed) {
  shards = std::bit_ceil(std::max<size_t>(shards, 1));
  for (size_t i = 0; i < shards; ++i) shards_.push_back(std::make_unique<Shard>(max_bytes / shards));
}

LruStore::~LruStore() = default;

uint64_t LruStore::hash(std::string_view key) const noexcept {
  return XXH3_64bits_withSeed(key.data(), key.size(), seed_);
}

bool LruStore::get(std::string_view key, TimePoint now, Value& value) {
  const uint64_t h = hash(key);
  return shard(h).get(key, h, now, value);
}

bool LruStore::put(std::string_view key, const Value& value, TimePoint now) {
  const uint64_t h = hash(key);
  return shard(h).put(key, h, value, now);
}

bool LruStore::remove(std::string_view key) {
  const uint64_t h = hash(key);
  return shard(h).remove(key, h);
}

void LruStore::clear() {
  for (auto& shard : shards_) shard->clear();
}

StoreStats LruStore::stats() const {
  StoreStats sum;
  for (const auto& shard : shards_) shard->add_to(sum);
  return sum;
}

}  // namespace gaggle::cache
