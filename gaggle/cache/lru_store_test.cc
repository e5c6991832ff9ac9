// SPDX-License-Identifier: Apache-2.0
#include "gaggle/cache/lru_store.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <list>
#include <random>
#include <thread>

namespace gaggle::cache {
namespace {

using namespace std::chrono_literals;

const TimePoint kStart{1h};

Value value_of(std::string_view text, TimePoint expiry = kNever) { return {Bytes::copy_of(text), expiry}; }

std::string get(Store& store, std::string_view key, TimePoint now = kStart) {
  Value value;
  return store.get(key, now, value) ? std::string(value.bytes.view()) : "(none)";
}

// One shard, so that the order of uses is the store's.
LruStore small_store(size_t max_bytes) { return LruStore(max_bytes, 1, 42); }

constexpr size_t charge(size_t key, size_t value) { return key + value + kEntryOverheadBytes; }

TEST(LruStore, gives_what_was_put) {
  LruStore store = small_store(10'000);
  EXPECT_TRUE(store.put("a", value_of("1"), kStart));
  EXPECT_EQ(get(store, "a"), "1");
  EXPECT_EQ(get(store, "b"), "(none)");
  EXPECT_TRUE(store.put("", value_of(""), kStart));
  EXPECT_EQ(get(store, ""), "") << "an empty value is a value";
  const StoreStats stats = store.stats();
  EXPECT_EQ(stats.gets, 3u);
  EXPECT_EQ(stats.hits, 2u);
  EXPECT_EQ(stats.items, 2u);
}

TEST(LruStore, shares_the_bytes_instead_of_copying_them) {
  LruStore store = small_store(10'000);
  const Value put = value_of("shared");
  store.put("k", put, kStart);
  Value got;
  ASSERT_TRUE(store.get("k", kStart, got));
  EXPECT_EQ(got.bytes.data(), put.bytes.data());
}

TEST(LruStore, charges_key_value_and_overhead_and_gives_it_all_back) {
  LruStore store = small_store(10'000);
  store.put("key", value_of("value"), kStart);
  EXPECT_EQ(store.stats().bytes, charge(3, 5));
  EXPECT_TRUE(store.remove("key"));
  EXPECT_FALSE(store.remove("key")) << "there is none any more";
  EXPECT_EQ(store.stats().bytes, 0u);
}

TEST(LruStore, replacing_charges_the_new_value_only) {
  LruStore store = small_store(10'000);
  store.put("k", value_of(std::string(1'000, 'a')), kStart);
  store.put("k", value_of("b"), kStart);
  EXPECT_EQ(get(store, "k"), "b");
  EXPECT_EQ(store.stats().bytes, charge(1, 1)) << "the family's counters grow with every replacement";
  EXPECT_EQ(store.stats().items, 1u);
  EXPECT_EQ(store.stats().evictions, 0u);
}

TEST(LruStore, drops_what_was_not_used_for_the_longest_time) {
  LruStore store = small_store(3 * charge(1, 1));
  for (const char* key : {"a", "b", "c"}) store.put(key, value_of("x"), kStart);
  EXPECT_EQ(get(store, "a"), "x") << "a is now the newest";
  store.put("d", value_of("x"), kStart);
  EXPECT_EQ(get(store, "b"), "(none)") << "b was the oldest use";
  EXPECT_EQ(get(store, "a"), "x");
  EXPECT_EQ(get(store, "c"), "x");
  EXPECT_EQ(get(store, "d"), "x");
  EXPECT_EQ(store.stats().evictions, 1u);
}

TEST(LruStore, a_value_that_does_not_fit_at_all_evicts_nobody_but_its_older_self) {
  LruStore store = small_store(4 * charge(1, 1));
  for (const char* key : {"a", "b", "c"}) store.put(key, value_of("x"), kStart);
  EXPECT_FALSE(store.put("c", value_of(std::string(10'000, 'y')), kStart));
  EXPECT_EQ(get(store, "a"), "x");
  EXPECT_EQ(get(store, "b"), "x");
  EXPECT_EQ(get(store, "c"), "(none)") << "the older value isn't true any more";
  EXPECT_EQ(store.stats().evictions, 0u);
}

TEST(LruStore, an_expired_entry_is_gone_and_its_bytes_too) {
  LruStore store = small_store(10'000);
  store.put("k", value_of("v", kStart + 10s), kStart);
  EXPECT_EQ(get(store, "k", kStart + 10s - 1ns), "v");
  EXPECT_EQ(get(store, "k", kStart + 10s), "(none)") << "the expiry itself is too late";
  EXPECT_EQ(store.stats().bytes, 0u);
  EXPECT_EQ(store.stats().expirations, 1u);
  EXPECT_FALSE(store.put("k", value_of("v", kStart), kStart)) << "born expired";
}

TEST(LruStore, making_room_counts_the_expired_apart_from_the_evicted) {
  LruStore store = small_store(2 * charge(1, 1));
  store.put("a", value_of("x", kStart + 1s), kStart);
  store.put("b", value_of("x"), kStart);
  store.put("c", value_of("x"), kStart + 2s);
  EXPECT_EQ(store.stats().expirations, 1u);
  EXPECT_EQ(store.stats().evictions, 0u);
}

TEST(LruStore, clear_leaves_nothing) {
  LruStore store(1 << 20, 4, 1);
  for (int i = 0; i < 1'000; ++i) store.put("k" + std::to_string(i), value_of("v"), kStart);
  store.clear();
  EXPECT_EQ(store.stats().items, 0u);
  EXPECT_EQ(store.stats().bytes, 0u);
  EXPECT_EQ(get(store, "k1"), "(none)");
}

// The same operations on a store and on a plain model of it: a list in the order of use.
class Model {
 public:
  explicit Model(size_t budget) : budget_(budget) {}
  struct Entry {
    std::string key;
    std::string value;
    TimePoint expiry;
    size_t charge() const { return key.size() + value.size() + kEntryOverheadBytes; }
  };

  std::string get(const std::string& key, TimePoint now) {
    const auto found = find(key);
    if (found == uses_.end()) return "(none)";
    if (found->expiry <= now) {
      uses_.erase(found);
      return "(none)";
    }
    uses_.splice(uses_.begin(), uses_, found);
    return found->value;
  }
  void put(Entry entry, TimePoint now) {
    remove(entry.key);
    if (entry.expiry <= now || entry.charge() > budget_) return;
    while (bytes() + entry.charge() > budget_) uses_.pop_back();
    uses_.push_front(std::move(entry));
  }
  void remove(const std::string& key) {
    if (const auto found = find(key); found != uses_.end()) uses_.erase(found);
  }
  size_t bytes() const {
    size_t sum = 0;
    for (const Entry& entry : uses_) sum += entry.charge();
    return sum;
  }
  size_t items() const { return uses_.size(); }

 private:
  std::list<Entry>::iterator find(const std::string& key) {
    return std::find_if(uses_.begin(), uses_.end(), [&](const Entry& entry) { return entry.key == key; });
  }
  size_t budget_;
  std::list<Entry> uses_;
};

TEST(LruStore, behaves_like_a_plain_list_whatever_is_done_with_it) {
  for (uint32_t seed = 1; seed <= 8; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    constexpr size_t kBudget = 6'000;
    LruStore store = small_store(kBudget);
    Model model(kBudget);
    TimePoint now = kStart;
    for (int step = 0; step < 8'000; ++step) {
      now += Duration(random() % 1'000);
      const std::string key = "key" + std::to_string(random() % 60);
      switch (random() % 8) {
        case 0:
          store.remove(key);
          model.remove(key);
          break;
        case 1:
        case 2:
        case 3: {
          const std::string text(random() % (random() % 50 == 0 ? 8'000 : 300), 'v');
          const TimePoint expiry = random() % 3 == 0 ? now + Duration(random() % 100'000) : kNever;
          store.put(key, value_of(text, expiry), now);
          model.put({key, text, expiry}, now);
          break;
        }
        default: ASSERT_EQ(get(store, key, now), model.get(key, now)) << "step " << step;
      }
      const StoreStats stats = store.stats();
      ASSERT_EQ(stats.bytes, model.bytes()) << "step " << step;
      ASSERT_EQ(stats.items, model.items()) << "step " << step;
      ASSERT_LE(stats.bytes, kBudget);
    }
  }
}

TEST(LruStore, threads_may_do_everything_at_once) {
  LruStore store(200'000, 4, 9);
  std::vector<std::thread> threads;
  for (uint32_t id = 0; id < 4; ++id) {
    threads.emplace_back([&store, id] {
      std::mt19937 random(id);
      for (int i = 0; i < 20'000; ++i) {
        const std::string key = std::to_string(random() % 2'000);
        Value value;
        switch (random() % 4) {
          case 0: store.put(key, value_of(key + "!"), kStart); break;
          case 1: store.remove(key); break;
          default:
            if (store.get(key, kStart, value)) {
              EXPECT_EQ(value.bytes.view(), key + "!");
            }
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(store.stats().bytes, 200'000u);
  store.clear();
  EXPECT_EQ(store.stats().bytes, 0u) << "every byte that was charged is given back";
}

}  // namespace
}  // namespace gaggle::cache
