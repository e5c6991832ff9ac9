// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "gaggle/base/clock.h"
#include "gaggle/base/context.h"
#include "gaggle/base/result.h"
#include "gaggle/cache/value.h"
#include "gaggle/net/task.h"

namespace gaggle::cache {

// What a flight does for its key, and what becomes of the result. Thread-safe; outlives the table.
class FlightWork {
 public:
  virtual ~FlightWork() = default;

  // Fetches the value; runs on the loop of the caller who opened the flight, and ends there. Both
  // arguments live until it has ended. `context` is the flight's own: it ends with the flight's
  // maximal age, or when nobody waits any more. An exception becomes UNKNOWN.
  //
  // It must look into the store once more before it does anything costly:
  //   1. A looks into the store and finds nothing.
  //   2. B's flight publishes the same key in the store, and leaves the table.
  //   3. A finds no flight to join, and opens one: without the second look, a second load.
  virtual Task<Result<Value>> run(const Context& context, std::string_view key) = 0;

  // Puts the value where callers look before they join a flight. Called under the lock of the key's
  // shard while the flight is still in the table; must not call the table.
  virtual void publish(std::string_view /*key*/, const Value& /*value*/) {}

  // What a running flight holds on to, since it may end after its last caller has gone.
  virtual std::shared_ptr<const void> keep_alive() { return nullptr; }
};

// Runs a work at most once at a time for each key, however many callers want it: the first caller
// opens a *flight*, the others join it.
//
// A flight belongs to nobody: its deadline is its own, and it goes on when the caller who opened it
// leaves. When the last caller leaves, it is cancelled. When it is older than `max_age`, its callers
// get DEADLINE_EXCEEDED, the next caller opens a new one, and what the old one brings is dropped.
// Its error is shared by those who wait for it, and by nobody later.
// Each caller waits under its own context, and goes on on its own loop. Memory is bounded by the
// number of callers. Thread-safe.
class FlightTable {
 public:
  FlightTable(FlightWork& work, Duration max_age);
  FlightTable(const FlightTable&) = delete;
  FlightTable& operator=(const FlightTable&) = delete;
  // No flight runs any more; FlightWork::keep_alive() sees to that.
  ~FlightTable();

  // Joins the key's flight, or opens one, and waits for its result, or until `context` ends: then
  // its status. Awaited on a loop's thread (FAILED_PRECONDITION elsewhere); `key` lives until the
  // task has ended.
  Task<Result<Value>> join(Context context, std::string_view key);

  // From here on nothing that began earlier is published for the key, and no caller joins what began
  // earlier; callers who wait already still get its result. Call it before the key is removed from
  // where publish() puts it:
  //   1. A flight loads the value v1 from the origin.
  //   2. The origin changes to v2. Somebody removes the key from the store...
  //   3. ...the flight publishes v1, still unmarked...
  //   4. ...and the flight is marked: too late, v1 stays.
  // With the mark first, publishing (which happens under the same lock) comes either before the mark,
  // and then before the removal, which takes v1 away, or never.
  void remove(std::string_view key);

  // Cancels every flight that can be joined; its callers get what its work makes of that.
  void cancel_all(const Status& why);

  // Flights whose work hasn't ended, also those that nobody can join any more.
  size_t running() const noexcept { return running_.load(std::memory_order_relaxed); }

 private:
  class Flight;
  class Waiter;
  struct Shard;
  struct Key {
    uint64_t hash;
    std::string_view text;
    friend bool operator==(const Key&, const Key&) = default;
  };
  static constexpr size_t kShards = 16;  // a power of two

  Key key_of(std::string_view text) const noexcept;
  Shard& shard_of(const Key& key) const noexcept;
  bool board(Waiter& waiter);
  bool leave(Waiter& waiter) noexcept;

  FlightWork& work_;
  const Duration max_age_;
  const uint64_t seed_;  // of the hash, so that nobody can choose keys that collide
  std::atomic<size_t> running_{0};
  const std::unique_ptr<Shard[]> shards_;
};

}  // namespace gaggle::cache
