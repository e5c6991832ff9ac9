// SPDX-License-Identifier: Apache-2.0
#include "gaggle/net/timer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "gaggle/net/loop_testing.h"

namespace gaggle {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class Recorder final : public Timer {
 public:
  Recorder(Loop& loop, std::vector<int>& log, int name) : Timer(loop), log_(log), name_(name) {}
  void on_timer() noexcept override { log_.push_back(name_); }
  void on_dropped() noexcept override { log_.push_back(-name_); }

 private:
  std::vector<int>& log_;
  int name_;
};

TEST(Timer, fires_when_its_moment_has_come_and_not_before) {
  VirtualLoop world;
  std::vector<int> log;
  Recorder timer(world.loop, log, 1);
  timer.arm_after(milliseconds{10});
  EXPECT_TRUE(timer.armed());
  world.advance(milliseconds{9});
  EXPECT_TRUE(log.empty());
  world.advance(milliseconds{1});
  EXPECT_EQ(log, (std::vector<int>{1}));
  EXPECT_FALSE(timer.armed());
}

TEST(Timer, arming_again_replaces_and_disarming_forgets) {
  VirtualLoop world;
  std::vector<int> log;
  Recorder later(world.loop, log, 1);
  Recorder earlier(world.loop, log, 2);
  Recorder never(world.loop, log, 3);
  later.arm_after(milliseconds{1});
  later.arm_after(milliseconds{50});
  earlier.arm_after(milliseconds{100});
  earlier.arm_after(milliseconds{10});
  never.arm_after(milliseconds{5});
  never.disarm();
  never.disarm();
  world.advance(seconds{1});
  EXPECT_EQ(log, (std::vector<int>{2, 1}));
  never.arm_at(kNever);
  EXPECT_FALSE(never.armed());
}

TEST(Timer, one_in_the_past_fires_next_and_not_inside_arm) {
  VirtualLoop world;
  std::vector<int> log;
  Recorder timer(world.loop, log, 1);
  timer.arm_after(-seconds{1});
  EXPECT_TRUE(log.empty());
  world.advance(Duration::zero());
  EXPECT_EQ(log.size(), 1u);
}

TEST(Timer, destroying_one_disarms_it) {
  VirtualLoop world;
  std::vector<int> log;
  std::optional<Recorder> timer(std::in_place, world.loop, log, 1);
  timer->arm_after(milliseconds{1});
  timer.reset();
  world.advance(seconds{1});
  EXPECT_TRUE(log.empty());
}

TEST(Timer, hears_when_its_loop_ends) {
  std::vector<int> log;
  auto loop = std::make_unique<Loop>();
  Recorder timer(*loop, log, 1);
  timer.arm_after(seconds{1});
  loop.reset();
  EXPECT_EQ(log, (std::vector<int>{-1}));
  EXPECT_FALSE(timer.armed());
}

TEST(Timer, one_that_arms_itself_at_once_leaves_room_for_others) {
  struct Eager final : Timer {
    using Timer::Timer;
    void on_timer() noexcept override {
      if (++fired < 1000) arm_after(Duration::zero());
    }
    int fired = 0;
  };
  VirtualLoop world;
  Eager eager(world.loop);
  eager.arm_after(Duration::zero());
  EXPECT_EQ(world.loop.advance_to_clock(), 1u) << "the next firing belongs to the next turn";
}

TEST(Timer, thousands_fire_in_order_whatever_happened_to_them_before) {
  constexpr uint32_t kSeed = 20240607;
  std::mt19937 random(kSeed);
  VirtualLoop world;
  std::vector<int> log;
  std::vector<std::unique_ptr<Recorder>> timers;
  std::vector<int> due(3000, -1);
  for (int i = 0; i < 3000; ++i) timers.push_back(std::make_unique<Recorder>(world.loop, log, i));
  for (int step = 0; step < 20000; ++step) {
    const size_t which = random() % timers.size();
    if (random() % 4 == 0) {
      timers[which]->disarm();
      due[which] = -1;
    } else {
      due[which] = static_cast<int>(random() % 5000) + 1;
      timers[which]->arm_at(world.clock.now() + milliseconds{due[which]});
    }
  }
  const auto armed = std::ranges::count_if(due, [](int when) { return when >= 0; });
  world.advance(seconds{10});
  ASSERT_EQ(static_cast<ptrdiff_t>(log.size()), armed);
  EXPECT_TRUE(std::ranges::is_sorted(log, {}, [&](int name) { return due[static_cast<size_t>(name)]; }));
}

TEST(Timer, fires_on_the_machines_clock) {
  Loop loop;
  std::vector<int> log;
  Recorder late(loop, log, 2);
  Recorder early(loop, log, 1);
  const TimePoint start = Clock::real().now();
  late.arm_after(milliseconds{20});
  early.arm_after(milliseconds{5});  // the loop must wake up earlier than planned
  loop.run_until([&] { return log.size() == 2; });
  EXPECT_EQ(log, (std::vector<int>{1, 2}));
  EXPECT_GE(Clock::real().now() - start, milliseconds{20});
}

TEST(Timer, a_wake_up_that_nobody_needs_any_more_does_no_harm) {
  Loop loop;
  std::vector<int> log;
  Recorder timer(loop, log, 1);
  timer.arm_after(milliseconds{2});
  loop.poll();
  timer.disarm();
  timer.arm_after(milliseconds{10});
  loop.run_until([&] { return !log.empty(); });
  EXPECT_EQ(log.size(), 1u);
}

}  // namespace
}  // namespace gaggle
