// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "gaggle/base/clock.h"
#include "gaggle/base/context.h"
#include "gaggle/base/result.h"
#include "gaggle/cache/flight.h"
#include "gaggle/cache/loader.h"
#include "gaggle/cache/peer.h"
#include "gaggle/cache/store.h"
#include "gaggle/net/task.h"

namespace gaggle::cache {

class CurrentMembership;

inline constexpr size_t kMaxKeyBytes = 64u << 10;

// How a group behaves; a value, copied at creation.
struct GroupOptions {
  size_t max_bytes = 64u << 20;                      // budget of the store, see kEntryOverheadBytes
  Duration ttl = Duration::max();                    // of values whose loader set no expiry
  Duration load_timeout = std::chrono::seconds{10};  // of one load, however long its callers would wait
  Duration peer_timeout = std::chrono::seconds{11};  // of one question to another node
  size_t max_value_bytes = (4u << 20) - 1024;        // larger: RESOURCE_EXHAUSTED, never stored
};

// What a group has done, with the names the groupcache family uses. gets = cache_hits + loads.
struct GroupCounters {
  uint64_t gets = 0;  // every get of a valid key, also from other nodes
  uint64_t cache_hits = 0;
  uint64_t peer_loads = 0;     // values that another node gave
  uint64_t peer_errors = 0;    // questions that another node couldn't be asked, or couldn't answer
  uint64_t loads = 0;          // gets that found nothing in the store
  uint64_t loads_deduped = 0;  // of these, the ones that no other was under way for
  uint64_t local_loads = 0;    // values that the loader gave
  uint64_t local_load_errs = 0;
  uint64_t server_requests = 0;  // gets that came over the network
  uint64_t split_views = 0;      // forwarded gets that missed, whose sender sees another cluster
  uint64_t loads_now = 0;        // under way at this moment
  StoreStats store;
};

// One namespace of keys with its loader and its budget.
//
// `get` finds the value in the store, at the key's owner, or through the loader, and however many
// callers want a key at once, it's loaded once: callers join a flight. There are two tiers. A
// *route* flight may wait for another node; a *load* flight waits for the origin only. What a node
// forwards enters the load tier of the node it's sent to, and never a route flight (fetch_forwarded);
// so no two nodes can wait for each other, whatever each believes about who owns the key.
//
// When the owner can't be reached, the next in the slot's ranking is asked, and so on, until it's
// this node's own turn to load. Values are kept where they were loaded.
// Thread-safe; the calling task resumes on its own loop. A hit is answered without a task.
class Group : public std::enable_shared_from_this<Group> {
 public:
  Group(std::string name, GroupOptions options, std::unique_ptr<Loader> loader, const Clock& clock,
        std::shared_ptr<const CurrentMembership> membership);
  ~Group();
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;

  const std::string& name() const noexcept { return name_; }
  const GroupOptions& options() const noexcept { return options_; }

  // The value of `key`. INVALID_ARGUMENT for an empty key or one over kMaxKeyBytes; the loader's
  // status if it has no value; the context's status if that ends first, which hurts no other
  // caller. `key` must live until the task has ended.
  Task<Result<Value>> get(Context context, std::string_view key);

  // The same for a key that find() has just not found: doesn't look into the store again.
  Task<Result<Value>> fetch(Context context, std::string_view key);

  // The same as fetch for a request that another node forwarded. From a member of the cluster as this node
  // sees it: answered here, from the store or the loader. From anybody else it's a client's request,
  // with two differences that keep nodes whose views have nothing in common from waiting for each
  // other in a ring: it joins no route flight, and what was forwarded twice stays here.
  Task<Result<Value>> fetch_forwarded(Context context, std::string_view key, const Hop& hop);

  // The value if the store has it; counts as a get then, and as nothing else.
  bool find(std::string_view key, Value& value);

  // Forgets the key on this node. A load that began before never publishes what it finds.
  void remove(std::string_view key);

  // Cancels every load under way.
  void cancel_loads();

  void count_server_request() noexcept { add(counts_.server_requests); }
  GroupCounters counters() const;

 private:
  using Count = std::atomic<uint64_t>;
  struct Counts {
    Count gets{0}, cache_hits{0}, peer_loads{0}, peer_errors{0}, loads{0}, loads_deduped{0}, local_loads{0},
        local_load_errs{0}, server_requests{0}, split_views{0};
  };
  static void add(Count& count) noexcept { count.fetch_add(1, std::memory_order_relaxed); }

  // The two tiers' works.
  class Tier : public FlightWork {
   public:
    explicit Tier(Group& group) noexcept : group_(group) {}
    std::shared_ptr<const void> keep_alive() override { return group_.weak_from_this().lock(); }

   protected:
    Group& group_;
  };
  class RouteTier final : public Tier {
   public:
    using Tier::Tier;
    Task<Result<Value>> run(const Context& context, std::string_view key) override;
  };
  class LoadTier final : public Tier {
   public:
    using Tier::Tier;
    Task<Result<Value>> run(const Context& context, std::string_view key) override;
    void publish(std::string_view key, const Value& value) override;
  };

  TimePoint now() const noexcept;
  Task<Result<Value>> route(Context context, std::string_view key, uint32_t hops);
  Task<Result<Value>> load(const Context& context, std::string_view key);

  const std::string name_;
  const GroupOptions options_;
  const std::unique_ptr<Loader> loader_;
  const Clock& clock_;
  const std::shared_ptr<const CurrentMembership> membership_;
  const std::unique_ptr<Store> store_;
  Counts counts_;
  RouteTier route_tier_{*this};
  LoadTier load_tier_{*this};
  FlightTable routes_;
  FlightTable loads_;
};

}  // namespace gaggle::cache
