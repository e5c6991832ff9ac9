// SPDX-License-Identifier: Apache-2.0
#include "gaggle/net/loop.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <asio/post.hpp>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "gaggle/net/loop_testing.h"
#include "gaggle/net/timer.h"

namespace gaggle {
namespace {

using std::chrono::milliseconds;

class Note final : public LoopWork {
 public:
  Note(std::string& log, char what) : log_(log), what_(what) {}
  void run_on_loop() noexcept override { log_ += what_; }
  void on_dropped() noexcept override { log_ += '-'; }

 private:
  std::string& log_;
  char what_;
};

class NoteHook final : public TurnHook {
 public:
  NoteHook(std::string& log, char what) : log_(log), what_(what) {}
  void on_turn_end() noexcept override { log_ += what_; }

 private:
  std::string& log_;
  char what_;
};

TEST(Loop, runs_posted_work_in_order_and_never_inside_post) {
  Loop loop;
  std::string log;
  Note a(log, 'a');
  Note b(log, 'b');
  loop.post(a);
  loop.post(b);
  loop.post([&] { log += 'c'; });
  EXPECT_EQ(log, "");
  loop.poll();
  EXPECT_EQ(log, "abc");
}

TEST(Loop, hooks_run_once_after_everything_that_was_ready) {
  Loop loop;
  std::string log;
  NoteHook flush(log, 'F');
  for (char event : {'1', '2', '3'}) {
    asio::post(loop.io_context(), [&loop, &log, &flush, event] {
      log += event;
      loop.defer(flush);
      loop.defer(flush);  // twice is once
      loop.post([&log] { log += 'h'; });
    });
  }
  loop.poll();
  EXPECT_EQ(log, "123hhhF") << "events, then the work they posted, then one flush";
}

TEST(Loop, a_hook_may_defer_itself_to_the_next_turn) {
  struct Again final : TurnHook {
    explicit Again(Loop& owner) : loop(owner) {}
    void on_turn_end() noexcept override {
      if (++runs < 3) loop.defer(*this);
    }
    Loop& loop;
    int runs = 0;
  };
  Loop loop;
  Again again(loop);
  loop.defer(again);
  loop.poll();
  EXPECT_EQ(again.runs, 3);
}

TEST(Loop, a_hook_that_was_cancelled_or_destroyed_does_not_run) {
  Loop loop;
  std::string log;
  NoteHook first(log, '1');
  auto second = std::make_unique<NoteHook>(log, '2');
  NoteHook third(log, '3');
  loop.defer(first);
  loop.defer(*second);
  loop.defer(third);
  second.reset();
  third.cancel();
  NoteHook fourth(log, '4');
  loop.defer(fourth);  // the list's end was repaired
  loop.poll();
  EXPECT_EQ(log, "14");
}

TEST(Loop, local_work_cannot_starve_the_hooks) {
  struct Forever final : LoopWork {
    explicit Forever(Loop& owner) : loop(owner) {}
    void run_on_loop() noexcept override {
      ++runs;
      if (!stop) loop.post(*this);
    }
    Loop& loop;
    int runs = 0;
    bool stop = false;
  };
  struct Stop final : TurnHook {
    explicit Stop(Forever& forever) : work(forever) {}
    void on_turn_end() noexcept override { work.stop = true; }
    Forever& work;
  };
  Loop loop;
  Forever forever(loop);
  Stop stop(forever);
  loop.post([&] {
    loop.post(forever);
    loop.defer(stop);
  });
  loop.poll();
  EXPECT_LT(forever.runs, 100);
}

TEST(Loop, knows_whether_it_is_the_current_one) {
  Loop loop;
  Loop other;
  bool inside = false;
  EXPECT_FALSE(loop.is_current());
  EXPECT_FALSE(Loop::on_any_loop_thread());
  loop.post([&] { inside = loop.is_current() && !other.is_current() && Loop::current() == &loop; });
  loop.poll();
  EXPECT_TRUE(inside);
  EXPECT_EQ(Loop::current(), nullptr);
}

TEST(Loop, works_on_a_users_io_context) {
  asio::io_context io;
  std::string log;
  {
    Loop loop(io);
    NoteHook flush(log, 'F');
    asio::post(io, [&] {
      log += loop.is_current() ? 'y' : 'n';
      loop.defer(flush);
    });
    loop.post([&] { log += 'p'; });
    io.run();  // the user runs it; ends when nothing is left
    loop.post([&] { log += '!'; });
  }
  io.restart();
  io.run();
  EXPECT_EQ(log, "ypF") << "what was queued when the Loop ended is dropped, and its handlers do nothing";
}

TEST(Loop, drops_what_is_queued_when_it_ends) {
  std::string log;
  Note note(log, 'n');
  auto kept = std::make_shared<int>(1);
  {
    Loop loop;
    loop.post(note);
    loop.post([kept] {});
  }
  EXPECT_EQ(log, "-");
  EXPECT_EQ(kept.use_count(), 1) << "functions are destroyed";
}

TEST(Loop, reads_the_clock_once_per_turn) {
  VirtualLoop world;
  Loop& loop = world.loop;
  loop.post([&] {
    const TimePoint start = loop.now();
    world.clock.advance(milliseconds{5});
    EXPECT_EQ(loop.now(), start);
    EXPECT_EQ(loop.refresh_now(), start + milliseconds{5});
  });
  world.settle();
  const TimePoint outside = loop.now();
  world.clock.advance(milliseconds{1});
  EXPECT_EQ(loop.now(), outside + milliseconds{1}) << "outside of turns there is nothing to cache for";
}

TEST(Loop, counts_turns_that_take_too_long) {
  Loop loop({.slow_turn = milliseconds{1}});
  loop.post([] {
    const auto until = std::chrono::steady_clock::now() + milliseconds{2};
    while (std::chrono::steady_clock::now() < until) {
    }
  });
  loop.poll();
  EXPECT_EQ(loop.stats().slow_turns, 1u);
  EXPECT_GE(loop.stats().longest_turn, milliseconds{2});
}

TEST(Loop, shares_one_read_buffer) {
  Loop loop({.read_buffer_bytes = 4096});
  EXPECT_EQ(loop.read_buffer().size(), 4096u);
  EXPECT_EQ(loop.read_buffer().data(), loop.read_buffer().data());
}

TEST(LoopThreads, work_from_other_threads_keeps_its_order_and_is_complete) {
  constexpr int kThreads = 4;
  constexpr int kEach = 2000;
  Loop loop;
  std::vector<int> last(kThreads, -1);
  int total = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&loop, &last, &total, t] {
      for (int i = 0; i < kEach; ++i) {
        loop.post([&last, &total, t, i] {
          EXPECT_EQ(std::exchange(last[t], i), i - 1) << "out of order";
          ++total;
        });
      }
    });
  }
  loop.run_until([&] { return total == kThreads * kEach; });
  for (auto& thread : threads) thread.join();
  EXPECT_LE(loop.stats().turns, static_cast<uint64_t>(kThreads * kEach));
}

TEST(LoopThreads, stop_ends_run_from_anywhere) {
  Loop loop;
  std::thread runner([&] { loop.run(); });
  loop.post([] {});
  loop.stop();
  runner.join();
  std::thread again([&] { loop.run(); });
  loop.post([&] { loop.stop(); });
  again.join();
}

// --- Busy polling ---

// How often the calling thread has gone to sleep so far.
long sleeps() {
  rusage usage{};
  getrusage(RUSAGE_THREAD, &usage);
  return usage.ru_nvcsw;
}

// Calls a function when its time has come.
class Alarm final : public Timer {
 public:
  Alarm(Loop& loop, std::function<void()> ring) : Timer(loop), ring_(std::move(ring)) {}
  void on_timer() noexcept override { ring_(); }

 private:
  std::function<void()> ring_;
};

// How often a loop sleeps that has nothing to do between `count` timers.
long sleeps_between(Loop& loop, int count, milliseconds pause) {
  const long before = sleeps();
  for (int i = 0; i < count; ++i) {
    bool rang = false;
    Alarm alarm(loop, [&rang] { rang = true; });
    alarm.arm_at(std::chrono::steady_clock::now() + pause);
    loop.run_until([&rang] { return rang; });
  }
  return sleeps() - before;
}

TEST(Loop, sleeps_at_once_unless_it_polls_busily) {
  Loop sleepy;
  EXPECT_GE(sleeps_between(sleepy, 20, milliseconds{5}), 10) << "a busy machine may wake it too late for the next";
  Loop busy({.busy_poll = std::chrono::seconds{60}});
  EXPECT_EQ(sleeps_between(busy, 20, milliseconds{5}), 0);
}

TEST(Loop, sleeps_after_it_has_polled_for_nothing) {
  Loop loop({.busy_poll = std::chrono::microseconds{1}});
  EXPECT_GE(sleeps_between(loop, 20, milliseconds{5}), 10);
}

TEST(Loop, that_polls_busily_stops_like_another) {
  Loop loop({.busy_poll = std::chrono::seconds{60}});
  Alarm stop(loop, [&loop] { loop.stop(); });
  stop.arm_after(milliseconds{5});
  loop.run();
  asio::io_context io;
  Loop users(io, {.busy_poll = std::chrono::seconds{60}});
  users.run();  // out of work, as io_context::run() would have it
}

}  // namespace
}  // namespace gaggle
