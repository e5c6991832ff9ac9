// SPDX-License-Identifier: Apache-2.0
#include "gaggle/base/context.h"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <thread>

namespace gaggle {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class Listener final : public CancelListener {
 public:
  explicit Listener(std::function<void()> then = {}) : then_(std::move(then)) {}
  ~Listener() override { unsubscribe(); }
  void on_cancel(const Status& why) noexcept override {
    why_ = why;
    ++calls_;
    if (then_) std::exchange(then_, {})();
  }
  int calls() const { return calls_.load(); }
  const Status& why() const { return why_; }

 private:
  std::function<void()> then_;
  std::atomic<int> calls_{0};
  Status why_;
};

TEST(Context, a_default_one_never_ends) {
  const Context context;
  EXPECT_FALSE(context.has_deadline());
  EXPECT_FALSE(context.cancellable());
  EXPECT_EQ(context.remaining(), Duration::max());
  Listener listener;
  EXPECT_TRUE(context.subscribe(listener));
  EXPECT_FALSE(listener.subscribed()) << "nothing to wait for";
}

TEST(Context, the_earlier_deadline_wins) {
  ManualClock clock;
  const Context base = Context().with_clock(clock);
  const Context context = base.with_timeout(seconds{10}).with_timeout(seconds{20});
  EXPECT_EQ(context.remaining(), seconds{10});
  EXPECT_EQ(context.with_timeout(seconds{1}).remaining(), seconds{1});
  EXPECT_EQ(base.with_timeout(Duration::max()).deadline(), kNever) << "no overflow";
}

TEST(Context, says_when_its_deadline_has_passed) {
  ManualClock clock;
  const Context context = Context().with_clock(clock).with_timeout(milliseconds{5});
  EXPECT_TRUE(context.status().is_ok());
  clock.advance(milliseconds{5});
  EXPECT_EQ(context.status().code(), StatusCode::kDeadlineExceeded);
  EXPECT_EQ(context.remaining(), Duration::zero());
  EXPECT_FALSE(context.cancelled()) << "the deadline is for whoever waits";
  EXPECT_EQ(Context().with_clock(clock).with_timeout(milliseconds{-1}).status().code(), StatusCode::kDeadlineExceeded);
}

TEST(Cancel, tells_each_listener_once_with_the_first_reason) {
  CancelSource source;
  const Context context = source.context().with_timeout(seconds{1});
  Listener first;
  Listener second;
  ASSERT_TRUE(context.subscribe(first));
  ASSERT_TRUE(source.context().subscribe(second));
  source.cancel(Status::aborted("first reason"));
  source.cancel(Status::internal("too late"));
  EXPECT_EQ(first.calls(), 1);
  EXPECT_EQ(second.calls(), 1);
  EXPECT_EQ(first.why().code(), StatusCode::kAborted);
  EXPECT_EQ(context.status().message(), "first reason");
}

TEST(Cancel, who_subscribes_afterwards_is_told_at_once) {
  CancelSource source;
  source.cancel();
  Listener late;
  EXPECT_FALSE(source.context().subscribe(late));
  EXPECT_EQ(late.calls(), 1);
  EXPECT_FALSE(late.subscribed());
}

TEST(Cancel, who_unsubscribed_is_not_told) {
  CancelSource source;
  Listener first;
  Listener middle;
  Listener last;
  for (Listener* listener : {&first, &middle, &last}) ASSERT_TRUE(source.context().subscribe(*listener));
  middle.unsubscribe();
  first.unsubscribe();
  source.cancel();
  EXPECT_EQ(first.calls() + middle.calls(), 0);
  EXPECT_EQ(last.calls(), 1);
}

TEST(Cancel, a_listener_may_destroy_itself_and_others) {
  CancelSource source;
  auto other = std::make_unique<Listener>();
  std::unique_ptr<Listener> self;
  self = std::make_unique<Listener>([&] {
    other.reset();
    self.reset();
  });
  ASSERT_TRUE(source.context().subscribe(*other));
  ASSERT_TRUE(source.context().subscribe(*self));  // told first: the list is last in, first out
  source.cancel();
  EXPECT_EQ(self, nullptr);
}

TEST(Cancel, a_listener_may_drop_the_last_user_of_the_source) {
  auto source = std::make_unique<CancelSource>();
  Context context = source->context();
  Listener listener([&] {
    source.reset();
    context = Context();
  });
  ASSERT_TRUE(context.subscribe(listener));
  CancelSource& cancelled = *source;
  cancelled.cancel();
  EXPECT_EQ(listener.calls(), 1);
}

TEST(Cancel, goes_down_from_parent_to_child_and_never_up) {
  CancelSource parent;
  CancelSource child(parent.context().with_timeout(seconds{9}));
  CancelSource grandchild(child.context());
  EXPECT_TRUE(grandchild.context().has_deadline()) << "the deadline is inherited";
  grandchild.cancel();
  EXPECT_FALSE(child.cancelled());
  parent.cancel(Status::unavailable("shutting down"));
  EXPECT_EQ(child.context().status().message(), "shutting down");
}

TEST(Cancel, a_childs_context_follows_the_parent_when_the_child_is_gone) {
  CancelSource parent;
  Context context = CancelSource(parent.context()).context();
  parent.cancel();
  EXPECT_TRUE(context.cancelled());
}

TEST(Cancel, a_child_of_something_cancelled_is_born_cancelled) {
  CancelSource parent;
  parent.cancel();
  EXPECT_TRUE(CancelSource(parent.context()).cancelled());
}

TEST(Cancel, a_source_can_be_used_again) {
  CancelSource source;
  source.cancel();
  const Context old = source.context();
  source.reset();
  EXPECT_TRUE(old.cancelled()) << "who still holds the old context keeps it";
  EXPECT_FALSE(source.cancelled());
  CancelSource parent;
  source.reset(parent.context());
  source.reset(parent.context());
  parent.cancel();
  EXPECT_TRUE(source.cancelled());
}

TEST(Cancel, a_pooled_context_is_renewed_whatever_happened_to_it) {
  const Clock& clock = Clock::real();
  const Status why = Status::cancelled("enough");
  Context own;
  CancelSource::renew_own(own, kNever, clock);
  CancelSource::renew_own(own, TimePoint(seconds{7}), clock);
  EXPECT_EQ(own.deadline(), TimePoint(seconds{7}));
  EXPECT_EQ(&own.clock(), &clock);
  EXPECT_FALSE(own.cancelled());

  const Context kept = own;
  CancelSource::renew_own(own, kNever, clock);
  CancelSource::cancel_own(own, why);
  EXPECT_EQ(own.status(), why);
  EXPECT_FALSE(kept.cancelled()) << "who kept the last call's context isn't cancelled with the next one";

  CancelSource::renew_own(own, kNever, clock);
  EXPECT_FALSE(own.cancelled()) << "the last call's cancellation stays with it";
  CancelSource::cancel_own(own, why);
  EXPECT_TRUE(own.cancelled());
}

TEST(Cancel, unsubscribing_waits_for_a_listener_that_runs_on_another_thread) {
  CancelSource source;
  std::atomic<bool> entered{false};
  std::atomic<bool> left{false};
  auto listener = std::make_unique<Listener>([&] {
    entered = true;
    for (int i = 0; i < 100; ++i) std::this_thread::yield();
    left = true;
  });
  ASSERT_TRUE(source.context().subscribe(*listener));
  std::thread canceller([&] { source.cancel(); });
  while (!entered) std::this_thread::yield();
  listener.reset();
  EXPECT_TRUE(left) << "the listener was destroyed while it ran";
  canceller.join();
}

TEST(Cancel, races_between_cancelling_subscribing_and_leaving_are_safe) {
  for (int round = 0; round < 300; ++round) {
    CancelSource parent;
    std::optional<CancelSource> child(parent.context());
    const Context context = child->context();
    std::atomic<int> told{0};
    std::thread subscriber([&] {
      for (int i = 0; i < 20; ++i) {
        Listener listener;
        context.subscribe(listener);
        listener.unsubscribe();
        told += listener.calls();
        CancelSource deeper(context);
      }
    });
    std::thread canceller([&] { parent.cancel(); });
    child.reset();
    subscriber.join();
    canceller.join();
    EXPECT_LE(told.load(), 20);
    EXPECT_TRUE(context.cancelled());
  }
}

}  // namespace
}  // namespace gaggle
