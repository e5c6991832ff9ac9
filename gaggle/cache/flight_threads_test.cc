// SPDX-License-Identifier: Apache-2.0
//
// Flights with real loops on real threads: what ThreadSanitizer is to look at.
#include <gtest/gtest.h>

#include <asio/use_future.hpp>
#include <atomic>
#include <future>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <thread>

#include "gaggle/cache/flight.h"
#include "gaggle/cache/lru_store.h"
#include "gaggle/net/loop_group.h"
#include "gaggle/net/sleep.h"
#include "gaggle/net/spawn.h"

namespace gaggle::cache {
namespace {

using namespace std::chrono_literals;

// Publishes in a store, and checks that no key is loaded twice at once or twice in all.
class CheckedWork final : public FlightWork {
 public:
  LruStore store{64u << 20};
  std::atomic<int> loads{0};
  std::atomic<int> overlaps{0};

  Task<Result<Value>> run(const Context& context, std::string_view key) override {
    Value value;
    if (store.get(key, Clock::real().now(), value)) co_return value;
    if (!enter(key)) ++overlaps;
    ++loads;
    Status slept = co_await sleep_for(*Loop::current(), 200us);
    leave(key);
    if (!slept) co_return context.status();
    co_return Value{Bytes::copy_of(key)};
  }
  void publish(std::string_view key, const Value& value) override { store.put(key, value, Clock::real().now()); }

 private:
  bool enter(std::string_view key) {
    const std::lock_guard lock(mutex_);
    return loading_.emplace(key).second;
  }
  void leave(std::string_view key) {
    const std::lock_guard lock(mutex_);
    loading_.erase(std::string(key));
  }
  std::mutex mutex_;
  std::set<std::string> loading_;  // guarded by mutex_
};

Task<Status> look_up(CheckedWork& work, FlightTable& table, Context context, std::string key) {
  Value found;
  if (work.store.get(key, Clock::real().now(), found)) co_return Status::ok();
  Task<Result<Value>> joining = table.join(context, key);
  Result<Value> value = co_await std::move(joining);
  if (!value) co_return value.error();
  co_return value->bytes.view() == key ? Status::ok() : Status::internal("another key's value");
}

TEST(FlightThreads, callers_on_many_loops_share_one_load_per_key) {
  CheckedWork work;
  FlightTable table(work, 10s);
  LoopGroup loops(4);
  std::vector<std::future<Status>> done;
  for (int i = 0; i < 4'000; ++i) {
    done.push_back(spawn(loops.next(), look_up(work, table, {}, std::to_string(i / 40)), asio::use_future));
  }
  for (auto& each : done) EXPECT_EQ(each.get(), Status::ok());
  EXPECT_EQ(work.loads, 100);
  EXPECT_EQ(work.overlaps, 0);
}

TEST(FlightThreads, callers_who_come_leave_and_run_out_of_time_break_nothing) {
  CheckedWork work;
  FlightTable table(work, 300us);  // some flights are too old, too
  {
    LoopGroup loops(4);
    std::vector<std::future<Status>> done;
    std::vector<std::unique_ptr<CancelSource>> sources;
    std::mt19937 random(5);
    for (int i = 0; i < 6'000; ++i) {
      CancelSource& source = *sources.emplace_back(std::make_unique<CancelSource>());
      const Context context = random() % 3 == 0
                                  ? source.context().with_timeout(std::chrono::microseconds(random() % 400))
                                  : source.context();
      const std::string key = std::to_string(random() % 200);
      done.push_back(spawn(loops.next(), look_up(work, table, context, key), asio::use_future));
      if (random() % 2 == 0) sources[random() % sources.size()]->cancel();
      if (random() % 50 == 0) table.remove(key);
      if (random() % 20 == 0) std::this_thread::yield();
    }
    for (auto& each : done) {
      const StatusCode code = each.get().code();
      EXPECT_TRUE(code == StatusCode::kOk || code == StatusCode::kCancelled || code == StatusCode::kDeadlineExceeded)
          << status_code_name(code);
    }
    // A cancelled load may still be on its way out.
    while (table.running() != 0) std::this_thread::yield();
  }
}

}  // namespace
}  // namespace gaggle::cache
