// SPDX-License-Identifier: Apache-2.0
#include "gaggle/cache/flight.h"

#include <xxhash.h>

#include <cassert>
#include <exception>
#include <mutex>
#include <random>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "gaggle/base/ref.h"
#include "gaggle/cache/flight_waiter.h"
#include "gaggle/net/loop.h"
#include "gaggle/net/timer.h"

namespace gaggle::cache {
namespace {

uint64_t random_seed() {
  std::random_device device;
  return (uint64_t{device()} << 32) | device();
}

}  // namespace

// One sixteenth of the keys. The mutex is held for a table lookup, for moving nodes between lists
// and for publish(); never while user code runs, and never across a suspension. A lock rather than
// atomics, because the list of waiters, the table and the store must change together.
struct FlightTable::Shard {
  struct Hash {
    size_t operator()(const Key& key) const noexcept { return key.hash; }
  };
  std::mutex mutex;
  std::unordered_map<Key, Flight*, Hash> flights;  // guarded by mutex; keys point into the flights
};

// Alive while its work runs (one reference), and while somebody cancels it.
//
// Invariants, under the shard's lock: listed_ exactly while the table has it; it's listed only while
// its work runs; a linked waiter's flight runs.
class FlightTable::Flight final : public RefCounted<Flight>, private TaskCompletion<Result<Value>> {
 public:
  Flight(FlightTable& table, Shard& shard, Loop& loop, const Key& key)
      : keep_alive_(table.work_.keep_alive()),
        table_(table),
        shard_(shard),
        hash_(key.hash),
        text_(key.text),
        context_(source_.context().with_clock(loop.clock()).with_deadline(deadline_after(loop.now(), table.max_age_))),
        max_age_timer_(loop, *this) {}

  Key key() const noexcept { return {hash_, text_}; }

  // On the loop of the caller who opened it; may land before it returns.
  void launch() noexcept {
    table_.running_.fetch_add(1, std::memory_order_relaxed);
    const Ref<Flight> alive = Ref<Flight>::share(this);
    max_age_timer_.arm_at(context_.deadline());
    try {
      start(table_.work_.run(context_, text_), static_cast<TaskCompletion<Result<Value>>&>(*this), context_);
    } catch (...) {
      on_exception(std::current_exception());
    }
  }

  void cancel(const Status& why) noexcept { source_.cancel(why); }

  // The following under the shard's lock.
  FlightWaiterList& waiters() noexcept { return waiters_; }
  void unlist() noexcept {
    if (!std::exchange(listed_, false)) return;
    shard_.flights.erase(key());
  }

 private:
  void on_done(Result<Value>&& result) noexcept override { end(result); }
  void on_exception(std::exception_ptr error) noexcept override { end(status_of(std::move(error))); }
  void on_abandoned() noexcept override { end(Status::unavailable("the load's loop ended before the load did")); }

  static Status status_of(std::exception_ptr error) noexcept {
    try {
      std::rethrow_exception(std::move(error));
    } catch (const std::exception& e) {
      return Status::unknown(std::string("the load failed: ") + e.what());
    } catch (...) {
      return Status::unknown("the load failed with an exception of unknown type");
    }
  }

  void end(const Result<Value>& result) noexcept {
    max_age_timer_.disarm();
    give_to_waiters(result, true);
    table_.running_.fetch_sub(1, std::memory_order_relaxed);
    unref();
  }

  void on_max_age() noexcept {
    const Ref<Flight> alive = Ref<Flight>::share(this);
    const Status late = Status::deadline_exceeded("the load took too long");
    give_to_waiters(late, false);
    cancel(late);
  }

  void give_to_waiters(const Result<Value>& result, bool publish) noexcept {
    FlightWaiterList landed;
    {
      const std::lock_guard lock(shard_.mutex);
      if (listed_ && publish && result) table_.work_.publish(text_, *result);
      unlist();
      landed = waiters_.take_all();
    }
    landed.deliver(result);
  }

  const std::shared_ptr<const void> keep_alive_;  // first, to go last
  FlightTable& table_;
  Shard& shard_;
  const uint64_t hash_;
  const std::string text_;
  CancelSource source_;
  const Context context_;
  TimerOf<&Flight::on_max_age> max_age_timer_;
  FlightWaiterList waiters_;  // guarded by shard_.mutex
  bool listed_ = true;        // guarded by shard_.mutex
};

class FlightTable::Waiter final : public FlightWaiter {
 public:
  Waiter(FlightTable& table, const Context& context, std::string_view key)
      : FlightWaiter(context), table_(table), key_(table.key_of(key)), shard_(table.shard_of(key_)) {}

  bool open_or_join() override { return table_.board(*this); }
  void launch() noexcept override { flight_->launch(); }
  bool leave() noexcept override { return table_.leave(*this); }

 private:
  friend class FlightTable;
  FlightTable& table_;
  const Key key_;
  Shard& shard_;
  Flight* flight_ = nullptr;  // whose list it is in, or was
};

FlightTable::FlightTable(FlightWork& work, Duration max_age)
    : work_(work), max_age_(max_age), seed_(random_seed()), shards_(std::make_unique<Shard[]>(kShards)) {}

FlightTable::~FlightTable() { assert(running() == 0); }

FlightTable::Key FlightTable::key_of(std::string_view text) const noexcept {
  return {XXH3_64bits_withSeed(text.data(), text.size(), seed_), text};
}

FlightTable::Shard& FlightTable::shard_of(const Key& key) const noexcept {
  return shards_[(key.hash >> 32) & (kShards - 1)];
}

// True: it's a new flight, for the waiter to launch.
bool FlightTable::board(Waiter& waiter) {
  const std::lock_guard lock(waiter.shard_.mutex);
  const auto found = waiter.shard_.flights.find(waiter.key_);
  const bool opens = found == waiter.shard_.flights.end();
  if (opens) {
    Ref<Flight> flight = make_ref<Flight>(*this, waiter.shard_, waiter.loop(), waiter.key_);
    waiter.shard_.flights.emplace(flight->key(), flight.get());
    waiter.flight_ = flight.release();  // its work's reference
  } else {
    waiter.flight_ = found->second;
  }
  waiter.flight_->waiters().add(waiter);
  return opens;
}

// False when the flight has landed and the result is on its way.
bool FlightTable::leave(Waiter& waiter) noexcept {
  Ref<Flight> deserted;
  {
    const std::lock_guard lock(waiter.shard_.mutex);
    if (!waiter.linked()) return false;
    Flight& flight = *waiter.flight_;
    flight.waiters().remove(waiter);
    if (flight.waiters().empty()) {
      flight.unlist();  // nobody joins what is being cancelled
      deserted = Ref<Flight>::share(&flight);
    }
  }
  if (deserted) deserted->cancel(Status::cancelled("nobody waits for the load any more"));
  return true;
}

Task<Result<Value>> FlightTable::join(Context context, std::string_view key) {
  if (Loop::current() == nullptr) {
    co_return Status::failed_precondition("a value is waited for on a loop's thread; see spawn.h");
  }
  if (Status ended = context.status(); !ended) co_return ended;
  Waiter waiter(*this, context, key);
  co_return co_await waiter;
}

void FlightTable::remove(std::string_view text) {
  const Key key = key_of(text);
  Shard& shard = shard_of(key);
  const std::lock_guard lock(shard.mutex);
  const auto found = shard.flights.find(key);
  if (found != shard.flights.end()) found->second->unlist();
}

void FlightTable::cancel_all(const Status& why) {
  std::vector<Ref<Flight>> flights;
  for (size_t i = 0; i < kShards; ++i) {
    const std::lock_guard lock(shards_[i].mutex);
    for (const auto& [key, flight] : shards_[i].flights) flights.push_back(Ref<Flight>::share(flight));
  }
  for (const Ref<Flight>& flight : flights) flight->cancel(why);
}

}  // namespace gaggle::cache
