// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <utility>

#include "gaggle/base/clock.h"
#include "gaggle/base/status.h"

namespace gaggle {

class CancelState;

// A node in a CancelState's list: told once, when the state is cancelled.
//
// Register with `Context::subscribe`, leave with `unsubscribe` or by destruction; after either
// returns, `on_cancel` neither runs nor will run (unsubscribing from within on_cancel is allowed).
// `on_cancel` runs on the thread that cancels; keep it short and never block in it. A class derived
// from this one calls unsubscribe() in its own destructor, since another thread may be cancelling
// while its members go.
class CancelListener {
 public:
  CancelListener() = default;
  CancelListener(const CancelListener&) = delete;
  CancelListener& operator=(const CancelListener&) = delete;
  virtual ~CancelListener() { unsubscribe(); }

  virtual void on_cancel(const Status& why) noexcept = 0;
  void unsubscribe() noexcept;
  bool subscribed() const noexcept { return state_ != nullptr; }

 private:
  friend class CancelState;
  CancelState* state_ = nullptr;
  CancelListener* next_ = nullptr;
  CancelListener** link_ = nullptr;
};

// Deadline and cancellation of one piece of work, passed down to everything done for it.
//
// A value, two words and a counted pointer; copying shares the cancellation. Thread-safe to read,
// derive and cancel from any thread. A default Context never ends.
//
//   Context context;
//   co_await client.Get(context.with_timeout(50ms), request, response);
class Context {
 public:
  Context() noexcept = default;
  Context(const Context& other) noexcept : deadline_(other.deadline_), clock_(other.clock_), state_(other.state_) {
    if (state_ != nullptr) share_state();
  }
  Context(Context&& other) noexcept
      : deadline_(other.deadline_), clock_(other.clock_), state_(std::exchange(other.state_, nullptr)) {}
  Context& operator=(const Context& other) noexcept { return *this = Context(other); }
  Context& operator=(Context&& other) noexcept {
    Context taken(std::move(other));
    deadline_ = taken.deadline_;
    clock_ = taken.clock_;
    std::swap(state_, taken.state_);
    return *this;
  }
  ~Context() {
    if (state_ != nullptr) drop_state();
  }

  // The same work, with less time; the earlier deadline wins. A timeout counts from the clock of
  // this context (the machine's unless with_clock said otherwise); one of zero or less has expired.
  Context with_timeout(Duration timeout) const;
  Context with_deadline(TimePoint deadline) const;
  Context with_clock(const Clock& clock) const;  // `clock` outlives every context derived from here

  TimePoint deadline() const noexcept { return deadline_; }  // kNever: none
  bool has_deadline() const noexcept { return deadline_ != kNever; }
  Duration remaining() const noexcept;  // Duration::max() without a deadline, never below zero
  const Clock& clock() const noexcept { return clock_ != nullptr ? *clock_ : Clock::real(); }

  // Whether it can be cancelled at all.
  bool cancellable() const noexcept { return state_ != nullptr; }
  // Whether it was cancelled (not whether the deadline has passed: whoever waits watches that).
  bool cancelled() const noexcept;
  // OK, the reason of the cancellation, or DEADLINE_EXCEEDED when the deadline has passed.
  Status status() const;

  // Tells `listener` when this context is cancelled. If it already is, calls it now and
  // returns false.
  bool subscribe(CancelListener& listener) const noexcept;

 private:
  friend class CancelSource;
  void share_state() noexcept;
  void drop_state() noexcept;

  TimePoint deadline_ = kNever;
  const Clock* clock_ = nullptr;
  CancelState* state_ = nullptr;
};

// The handle that cancels: what context() gives, and everything derived from it, ends with
// `cancel`. A source made from a parent ends with the parent too, and inherits its deadline and
// clock; its contexts keep doing so when the source is gone. Destroying a source doesn't cancel.
//
// `cancel` may be called from any thread; `reset` and the destructor by the owner only, while nobody
// uses the source. Making a source allocates once.
class CancelSource {
 public:
  CancelSource();
  explicit CancelSource(const Context& parent);
  CancelSource(const CancelSource&) = delete;
  CancelSource& operator=(const CancelSource&) = delete;
  ~CancelSource();

  const Context& context() const noexcept { return context_; }
  // The first cancel wins; later ones change nothing. `why` must not be OK.
  void cancel(const Status& why = Status::cancelled("the context was cancelled")) noexcept;
  bool cancelled() const noexcept { return context_.cancelled(); }

  // Makes the source usable again for another piece of work, without an allocation when nobody
  // else still holds the old context. For pools.
  void reset(const Context& parent = {});
  // For a pooled object that is the context of its work, and so needs no source beside it: makes `own` a
  // context of its own that cancel_own() ends. Unless the work before was cancelled or somebody else kept
  // its context, this allocates nothing and writes to no counter.
  static void renew_own(Context& own, TimePoint deadline, const Clock& clock);
  static void cancel_own(const Context& own, const Status& why) noexcept;

 private:
  Context context_;
};

}  // namespace gaggle
