// SPDX-License-Identifier: Apache-2.0
#include "gaggle/cache/flight.h"

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <stdexcept>
#include <string>

#include "gaggle/cache/cache_testing.h"
#include "gaggle/net/sleep.h"

namespace gaggle::cache {
namespace {

using namespace std::chrono_literals;

// Takes its time, then gives "key#n" for the n-th run; keeps what was published.
class SlowWork final : public FlightWork {
 public:
  Duration takes = 10ms;
  std::function<Result<Value>(int run)> answer;  // instead of a value; may throw
  bool deaf = false;                             // succeeds though it was cancelled
  int runs = 0;
  int cancelled = 0;
  std::vector<std::string> published;

  Task<Result<Value>> run(const Context& context, std::string_view key) override {
    const int number = ++runs;
    if (takes > Duration::zero()) {
      Status slept = co_await sleep_for(*Loop::current(), takes);
      if (!slept) ++cancelled;
      if (!slept && !deaf) co_return context.status();
    }
    if (answer) co_return answer(number);
    co_return Value{Bytes::copy_of(std::string(key) + "#" + std::to_string(number))};
  }
  void publish(std::string_view, const Value& value) override { published.emplace_back(value.bytes.view()); }
};

struct FlightTest : ::testing::Test {
  VirtualLoop world;
  SlowWork work;
  FlightTable table{work, 1s};
  std::deque<Call> calls;

  Call& join(std::string_view key = "k", Duration timeout = Duration::max()) {
    Call& call = calls.emplace_back();
    const Context context = call.context().with_clock(world.clock).with_timeout(timeout);
    call.begin(world.loop, table.join(context, key));
    return call;
  }
  // The calls' loop goes before them.
  void TearDown() override { EXPECT_EQ(table.running(), 0u) << "a flight is left over"; }
};

TEST_F(FlightTest, everybody_who_wants_a_key_shares_one_run) {
  Call& first = join();
  Call& second = join();
  Call& other = join("other");
  world.advance(5ms);
  Call& late = join();
  EXPECT_EQ(first.outcome(), "(waits)");
  EXPECT_EQ(table.running(), 2u);
  world.advance(5ms);
  EXPECT_EQ(first.outcome(), "k#1");
  EXPECT_EQ(second.outcome(), "k#1");
  EXPECT_EQ(late.outcome(), "k#1");
  EXPECT_EQ(other.outcome(), "other#2") << "another key, another flight";
  EXPECT_EQ(work.published, (std::vector<std::string>{"k#1", "other#2"}));
}

TEST_F(FlightTest, the_next_caller_after_the_landing_opens_another) {
  join();
  world.advance(10ms);
  Call& next = join();
  world.advance(10ms);
  EXPECT_EQ(next.outcome(), "k#2");
}

TEST_F(FlightTest, a_result_that_is_there_at_once_suspends_nobody) {
  work.takes = 0ms;
  Call& call = join();
  EXPECT_EQ(call.outcome(), "k#1") << "without a turn of the loop";
  EXPECT_EQ(work.published.size(), 1u);
}

// [15] In the family, the first caller's cancellation poisons everybody's.
TEST_F(FlightTest, the_first_caller_may_leave_and_the_others_get_the_value) {
  Call& first = join();
  Call& second = join();
  world.advance(5ms);
  first.cancel();
  world.advance(1ms);
  EXPECT_EQ(first.outcome(), "CANCELLED: the context was cancelled");
  world.advance(4ms);
  EXPECT_EQ(second.outcome(), "k#1");
  EXPECT_EQ(work.cancelled, 0);
}

// [14] A slow origin and an impatient caller.
TEST_F(FlightTest, each_caller_waits_as_long_as_its_own_deadline) {
  work.takes = 500ms;
  Call& hasty = join("k", 200ms);
  Call& patient = join("k", 600ms);
  world.advance(200ms);
  EXPECT_EQ(hasty.outcome(), "DEADLINE_EXCEEDED: the deadline passed while the value was being fetched");
  EXPECT_EQ(patient.outcome(), "(waits)");
  world.advance(300ms);
  EXPECT_EQ(patient.outcome(), "k#1");
  EXPECT_EQ(work.runs, 1);
}

TEST_F(FlightTest, a_context_that_has_ended_joins_nothing) {
  EXPECT_EQ(join("k", 0ms).outcome(), "DEADLINE_EXCEEDED: the deadline has passed");
  Call& cancelled = calls.emplace_back();
  cancelled.cancel();
  cancelled.begin(world.loop, table.join(cancelled.context(), "k"));
  EXPECT_EQ(cancelled.outcome(), "CANCELLED: the context was cancelled");
  EXPECT_EQ(work.runs, 0);
}

// [16]
TEST_F(FlightTest, the_last_caller_to_leave_cancels_the_flight) {
  Call& first = join();
  Call& second = join();
  first.cancel();
  second.cancel();
  world.advance(1ms);
  EXPECT_EQ(work.cancelled, 1);
  EXPECT_EQ(table.running(), 0u);
  EXPECT_TRUE(work.published.empty());
}

TEST_F(FlightTest, nobody_joins_a_flight_that_is_being_cancelled) {
  work.deaf = true;
  Call& first = join();
  first.cancel();
  world.settle();
  Call& second = join();
  world.advance(10ms);
  EXPECT_EQ(second.outcome(), "k#2");
}

// [17]
TEST_F(FlightTest, an_error_is_shared_by_those_who_wait_and_by_nobody_later) {
  work.answer = [](int run) -> Result<Value> {
    if (run == 1) return Status::unavailable("the database is away");
    return Value{Bytes::copy_of("back")};
  };
  Call& first = join();
  Call& second = join();
  world.advance(10ms);
  EXPECT_EQ(first.outcome(), "UNAVAILABLE: the database is away");
  EXPECT_EQ(second.outcome(), "UNAVAILABLE: the database is away");
  EXPECT_TRUE(work.published.empty()) << "an error isn't kept";
  Call& third = join();
  world.advance(10ms);
  EXPECT_EQ(third.outcome(), "back");
}

// [18] In the family, a panic blocks the key for ever.
TEST_F(FlightTest, a_work_that_throws_leaves_the_key_usable_at_once) {
  work.answer = [](int run) -> Result<Value> {
    if (run == 1) throw std::runtime_error("out of luck");
    if (run == 2) throw 42;
    return Value{Bytes::copy_of("back")};
  };
  Call& first = join();
  world.advance(10ms);
  EXPECT_EQ(first.outcome(), "UNKNOWN: the load failed: out of luck");
  Call& second = join();
  world.advance(10ms);
  EXPECT_EQ(second.outcome(), "UNKNOWN: the load failed with an exception of unknown type");
  Call& third = join();
  world.advance(10ms);
  EXPECT_EQ(third.outcome(), "back");
}

TEST_F(FlightTest, a_flight_that_is_too_old_gives_up_and_its_late_result_is_dropped) {
  work.deaf = true;
  work.takes = 3s;
  Call& first = join();
  world.advance(500ms);
  Call& second = join();
  world.advance(500ms);
  EXPECT_EQ(first.outcome(), "DEADLINE_EXCEEDED: the load took too long");
  EXPECT_EQ(second.outcome(), "DEADLINE_EXCEEDED: the load took too long") << "the age counts, not the wait";
  EXPECT_EQ(work.cancelled, 1) << "its context has ended as well";
  EXPECT_TRUE(work.published.empty()) << "what the deaf work gave afterwards";
  work.takes = 10ms;
  Call& third = join();
  world.advance(10ms);
  EXPECT_EQ(third.outcome(), "k#2");
}

// [23]
TEST_F(FlightTest, what_began_before_a_removal_is_not_published_and_joined_by_nobody) {
  Call& before = join();
  world.advance(5ms);
  table.remove("k");
  table.remove("never heard of");
  Call& after = join();
  world.advance(5ms);
  EXPECT_EQ(before.outcome(), "k#1") << "it asked before the removal";
  EXPECT_TRUE(work.published.empty());
  EXPECT_EQ(after.outcome(), "(waits)");
  world.advance(5ms);
  EXPECT_EQ(after.outcome(), "k#2");
  EXPECT_EQ(work.published, std::vector<std::string>{"k#2"});
}

TEST_F(FlightTest, a_removed_flight_is_cancelled_by_its_last_caller_too) {
  Call& call = join();
  table.remove("k");
  call.cancel();
  world.advance(1ms);
  EXPECT_EQ(work.cancelled, 1);
}

TEST_F(FlightTest, cancel_all_ends_what_is_under_way) {
  Call& one = join("1");
  Call& two = join("2");
  table.cancel_all(Status::cancelled("closing"));
  world.advance(1ms);
  EXPECT_EQ(one.outcome(), "CANCELLED: closing");
  EXPECT_EQ(two.outcome(), "CANCELLED: closing");
}

TEST_F(FlightTest, tens_of_thousands_wait_and_go_on_without_a_deep_stack) {
  for (int i = 0; i < 50'000; ++i) join();
  world.advance(10ms);
  for (Call& call : calls) ASSERT_EQ(call.outcome(), "k#1");
  EXPECT_EQ(work.runs, 1);
}

TEST_F(FlightTest, is_joined_on_a_loop_only) {
  TaskRecord<Result<Value>> record;
  start(table.join({}, "k"), record, calls.emplace_back().context());
  EXPECT_EQ(record.take().error().code(), StatusCode::kFailedPrecondition);
}

TEST(FlightLoops, a_loop_that_ends_takes_its_waiters_along_and_fails_its_flights) {
  SlowWork work;
  FlightTable table(work, 1s);
  VirtualLoop staying;
  Call opener, guest, stays;
  {
    VirtualLoop going;
    opener.begin(going.loop, table.join(opener.context(), "k"));
    guest.begin(going.loop, table.join(guest.context(), "k"));
    stays.begin(staying.loop, table.join(stays.context(), "k"));
    EXPECT_EQ(work.runs, 1);
  }
  staying.settle();
  EXPECT_EQ(stays.outcome(), "UNAVAILABLE: the load's loop ended before the load did");
  EXPECT_TRUE(opener.ended()) << "abandoned with its loop";
  EXPECT_TRUE(guest.ended());
  EXPECT_EQ(table.running(), 0u);
}

TEST(FlightLoops, a_result_that_is_on_its_way_to_a_loop_that_ends_harms_nobody) {
  SlowWork work;
  FlightTable table(work, 1s);
  VirtualLoop staying;
  Call opener, guest;
  {
    VirtualLoop going;
    opener.begin(staying.loop, table.join(opener.context(), "k"));
    guest.begin(going.loop, table.join(guest.context(), "k"));
    staying.advance(10ms);  // lands; the guest's result waits in the queue of the other loop
    guest.cancel();         // and so does its cancellation
  }
  EXPECT_EQ(opener.outcome(), "k#1");
  EXPECT_TRUE(guest.ended());
}

}  // namespace
}  // namespace gaggle::cache
