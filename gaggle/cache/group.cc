// SPDX-License-Identifier: Apache-2.0
#include "gaggle/cache/group.h"

#include <exception>
#include <span>
#include <utility>
#include <vector>

#include "gaggle/cache/lru_store.h"
#include "gaggle/cache/membership.h"
#include "gaggle/net/loop.h"

namespace gaggle::cache {
namespace {

Status check_key(std::string_view key) {
  if (key.empty()) return Status::invalid_argument("the key is empty");
  if (key.size() > kMaxKeyBytes) {
    return Status::invalid_argument("the key has " + std::to_string(key.size()) + " bytes; at most " +
                                    std::to_string(kMaxKeyBytes) + " are allowed");
  }
  return {};
}

Task<Result<Value>> ready(Result<Value> result) { return Task<Result<Value>>::ready(std::move(result)); }

constexpr Duration sum(Duration a, Duration b) { return a > Duration::max() - b ? Duration::max() : a + b; }

}  // namespace

// A route flight has time for one peer that doesn't answer and for a load after it.
Group::Group(std::string name, GroupOptions options, std::unique_ptr<Loader> loader, const Clock& clock,
             std::shared_ptr<const CurrentMembership> membership)
    : name_(std::move(name)),
      options_(options),
      loader_(std::move(loader)),
      clock_(clock),
      membership_(std::move(membership)),
      store_(std::make_unique<LruStore>(options.max_bytes)),
      routes_(route_tier_, sum(options.peer_timeout, options.load_timeout)),
      loads_(load_tier_, options.load_timeout) {}

Group::~Group() = default;

// On a loop that uses our clock, the time of its turn: reading the clock costs more than a lookup.
TimePoint Group::now() const noexcept {
  Loop* loop = Loop::current();
  return loop != nullptr && &loop->clock() == &clock_ ? loop->now() : clock_.now();
}

bool Group::find(std::string_view key, Value& value) {
  if (key.empty() || !store_->get(key, now(), value)) return false;
  add(counts_.gets);
  add(counts_.cache_hits);
  return true;
}

Task<Result<Value>> Group::get(Context context, std::string_view key) {
  Value value;
  if (find(key, value)) return ready(std::move(value));
  return fetch(std::move(context), key);
}

Task<Result<Value>> Group::fetch(Context context, std::string_view key) {
  if (Status status = check_key(key); !status) return ready(std::move(status));
  add(counts_.gets);
  add(counts_.loads);
  const std::shared_ptr<const Membership> membership = membership_->get();
  const bool here = membership->alone() || membership->is_self(membership->table().owner(slot_of(key)));
  return (here ? loads_ : routes_).join(std::move(context), key);
}

Task<Result<Value>> Group::fetch_forwarded(Context context, std::string_view key, const Hop& hop) {
  if (Status status = check_key(key); !status) return ready(std::move(status));
  add(counts_.gets);
  add(counts_.loads);
  const std::shared_ptr<const Membership> membership = membership_->get();
  if (hop.table_version != membership->table().version()) add(counts_.split_views);
  const bool stays =
      membership->alone() || membership->has_peer(hop.from) || hop.from == membership->self() || hop.hops >= 2;
  if (stays) return loads_.join(std::move(context), key);
  return route(std::move(context), key, hop.hops + 1);
}

Task<Result<Value>> Group::RouteTier::run(const Context& context, std::string_view key) {
  // The second look that FlightWork::run asks for.
  Value value;
  if (group_.store_->get(key, group_.now(), value)) return ready(std::move(value));
  return group_.route(context, key, 1);
}

// Asks the members by their rank for the key's slot until one answers, or it's our own turn.
Task<Result<Value>> Group::route(Context context, std::string_view key, uint32_t hops) {
  const std::shared_ptr<const Membership> membership = membership_->get();
  const SlotTable& table = membership->table();
  const uint16_t slot = slot_of(key);
  const Hop hop{membership->self(), table.version(), hops};
  std::vector<uint16_t> ranking;  // only when the owner fails
  for (size_t rank = 0; rank < table.members().size(); ++rank) {
    if (rank == 1) ranking = table.ranking(slot);
    const size_t member = rank == 0 ? table.owner(slot) : ranking[rank];
    if (membership->is_self(member)) break;
    const Context question = context.with_timeout(options_.peer_timeout);
    Task<PeerAnswer> asking = membership->peer(member).get(question, name_, key, hop);
    PeerAnswer answer = co_await std::move(asking);
    if (answer.authoritative) {
      add(counts_.loads_deduped);
      if (answer.value) add(counts_.peer_loads);
      co_return std::move(answer.value);
    }
    // Whoever asked has left, or had no time: no fault of the peer's.
    if (Status ended = context.status(); !ended) co_return ended;
    add(counts_.peer_errors);
  }
  co_return co_await loads_.join(context, key);
}

Task<Result<Value>> Group::LoadTier::run(const Context& context, std::string_view key) {
  Value value;
  if (group_.store_->get(key, group_.now(), value)) return ready(std::move(value));
  add(group_.counts_.loads_deduped);
  return group_.load(context, key);
}

void Group::LoadTier::publish(std::string_view key, const Value& value) {
  group_.store_->put(key, value, group_.now());
}

Task<Result<Value>> Group::load(const Context& context, std::string_view key) {
  const LoadContext load_context(context, *Loop::current(), name_);
  Result<Value> loaded = Status::internal("nothing was loaded");
  try {
    loaded = co_await loader_->load(load_context, key);
  } catch (const TaskAbandoned&) {
    throw;
  } catch (const std::exception& error) {
    loaded = Status::unknown("the loader of group " + name_ + " failed: " + error.what());
  } catch (...) {
    loaded = Status::unknown("the loader of group " + name_ + " failed with an exception of unknown type");
  }
  if (loaded && loaded->bytes.size() > options_.max_value_bytes) {
    loaded = Status::resource_exhausted("the value has " + std::to_string(loaded->bytes.size()) + " bytes; group " +
                                        name_ + " allows " + std::to_string(options_.max_value_bytes));
  }
  if (!loaded) {
    add(counts_.local_load_errs);
    co_return loaded;
  }
  if (loaded->expiry == kNever) loaded->expiry = deadline_after(now(), options_.ttl);
  add(counts_.local_loads);
  co_return loaded;
}

// The order matters; see FlightTable::remove.
void Group::remove(std::string_view key) {
  routes_.remove(key);
  loads_.remove(key);
  store_->remove(key);
}

void Group::cancel_loads() {
  const Status why = Status::cancelled("the cache is being closed");
  routes_.cancel_all(why);
  loads_.cancel_all(why);
}

GroupCounters Group::counters() const {
  const auto read = [](const Count& count) { return count.load(std::memory_order_relaxed); };
  return {
      .gets = read(counts_.gets),
      .cache_hits = read(counts_.cache_hits),
      .peer_loads = read(counts_.peer_loads),
      .peer_errors = read(counts_.peer_errors),
      .loads = read(counts_.loads),
      .loads_deduped = read(counts_.loads_deduped),
      .local_loads = read(counts_.local_loads),
      .local_load_errs = read(counts_.local_load_errs),
      .server_requests = read(counts_.server_requests),
      .split_views = read(counts_.split_views),
      .loads_now = routes_.running() + loads_.running(),
      .store = store_->stats(),
  };
}

}  // namespace gaggle::cache
