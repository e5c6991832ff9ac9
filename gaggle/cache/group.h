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

class Membership;

inline constexpr size_t kMaxKeyBytes = 64u << 10;

// How a group behaves; a value, copied at creation.
struct GroupOptions {
  size_t max_bytes = 64u << 20;          // budget of the store, see kEntryOverheadBytes
  Duration ttl = Duration::max();        // of values whose loader set no expiry
  Duration load_timeout = std::chrono::seconds{10};  // of one load, however long its callers would wait
  Duration peer_timeout = std::chrono::seconds{11};  // of one question to another node
  size_t max_value_bytes = (4u << 20) - 1024;        // larger: RESOURCE_EXHAUSTED, never stored
};

// What a group has done, with the names the groupcache family uses.
struct GroupCounters {
  uint64_t gets = 0;             // every get, also from other nodes
  uint64_t cache_hits = 0;
  uint64_t peer_loads = 0;       // values that another node gave
  uint64_t peer_errors = 0;
  uint64_t loads = 0;            // gets that found nothing in the store
  uint64_t loads_deduped = 0;    // of these, the ones that no other was under way for
  uint64_t local_loads = 0;      // values that the loader gave
  uint64_t local_load_errs = 0;
  uint64_t server_requests = 0;  // gets that came over the network
  uint64_t split_views = 0;      // forwarded gets whose sender sees another cluster
  StoreStats store;
};

// One namespace of keys with its loader and its budget.
//
// `get` finds the value in the store, at the key's owner, or through the loader, and however many
// callers want a key at once, it's loaded once: callers join a flight. There are two tiers. A
// *route* flight may wait for another node; a *load* flight waits for the origin only. What a node
// forwards enters the load tier of the node it's sent to, never a route flight, and is never sent
// on; so no two nodes can wait for each other, whatever each believes about who owns the key.
// Thread-safe; the calling task resumes on its own loop.
class Group {
 public:
  Group(std::string name, GroupOptions options, std::unique_ptr<Loader> loader, const Clock& clock,
        const std::atomic<std::shared_ptr<const Membership>>& membership);

  const std::string& name() const noexcept { return name_; }
  const GroupOptions& options() const noexcept { return options_; }

  // The value of `key`. INVALID_ARGUMENT for an empty key or one over kMaxKeyBytes; the loader's
  // status if it has no value; the context's status if that ends first, which hurts no other
  // caller. `key` must live until the task has ended.
  Task<Result<Value>> get(Context context, std::string_view key);

  // The same for a request that another node forwarded: answered here, from the store or the
  // loader.
  Task<Result<Value>> get_forwarded(Context context, std::string_view key, const Hop& hop);

  // Forgets the key on this node. A load that began before never publishes what it finds.
  void remove(std::string_view key);

  void count_server_request() noexcept { add(counts_.server_requests); }
  GroupCounters counters() const;

 private:
  using Count = std::atomic<uint64_t>;
  struct Counts {
    Count gets{0}, cache_hits{0}, peer_loads{0}, peer_errors{0}, loads{0}, loads_deduped{0}, local_loads{0},
        local_load_errs{0}, server_requests{0}, split_views{0};
  };
  static void add(Count& count) noexcept { count.fetch_add(1, std::memory_order_relaxed); }

  class RouteWork;
  class LoadWork;
  Task<Result<Value>> route(Context context, std::string_view key);
  Task<Result<Value>> load(Context context, std::string_view key);
  Task<Result<Value>> load_from_origin(Context context, std::string_view key);
  void publish(std::string_view key, const Value& value);

  const std::string name_;
  const GroupOptions options_;
  const std::unique_ptr<Loader> loader_;
  const Clock& clock_;
  const std::atomic<std::shared_ptr<const Membership>>& membership_;
  const std::unique_ptr<Store> store_;
  Counts counts_;
  std::unique_ptr<FlightWork> route_work_;
  std::unique_ptr<FlightWork> load_work_;
  FlightTable routes_;
  FlightTable loads_;
};

}  // namespace gaggle::cache
