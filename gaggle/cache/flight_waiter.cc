// SPDX-License-Identifier: Apache-2.0
#include "gaggle/cache/flight_waiter.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "gaggle/net/loop.h"

namespace gaggle::cache {
namespace {

// How far ahead a waiter without a deadline arms its timer, which keeps it in the loop's books.
constexpr Duration kLookUp = std::chrono::hours{24};

}  // namespace

FlightWaiter::FlightWaiter(const Context& context)
    : context_(context), loop_(*Loop::current()), deadline_(loop_, *this) {}

// Only who opened the flight may look whether it has landed already: that happens on this thread.
// The result of another loop's flight may come at any moment, but always by post().
bool FlightWaiter::begin() {
  if (open_or_join()) {
    launching_ = true;
    launch();
    launching_ = false;
    if (result_) return false;
  }
  arm();
  listen(loop_, context_);
  return true;
}

void FlightWaiter::arm() { deadline_.arm_at(std::min(context_.deadline(), deadline_after(loop_.now(), kLookUp))); }

// Always through the loop, also its own: with thousands of waiters, one resuming the next would pile
// up on the stack, and the end of this turn is soon.
void FlightWaiter::deliver(const Result<Value>& result) noexcept {
  Loop& loop = loop_;
  result_.emplace(result);
  if (!launching_) loop.post(resume_);
}

void FlightWaiter::resume() noexcept {
  deadline_.disarm();
  if (stop()) handle_.resume();
}

// The loop is going. The frame goes with it, once nothing of it is queued any more.
void FlightWaiter::lost() noexcept {
  deadline_.disarm();
  if (stop()) promise_->abandon();
}

void FlightWaiter::give_up(Status why) noexcept {
  if (!leave()) return;
  result_.emplace(std::move(why));
  resume();
}

void FlightWaiter::on_deadline() noexcept {
  if (context_.deadline() > loop_.now()) return arm();
  give_up(Status::deadline_exceeded("the deadline passed while the value was being fetched"));
}

void FlightWaiterList::add(FlightWaiter& waiter) noexcept {
  waiter.linked_ = true;
  waiter.next_ = nullptr;
  waiter.previous_ = tail_;
  (tail_ != nullptr ? tail_->next_ : head_) = &waiter;
  tail_ = &waiter;
}

void FlightWaiterList::remove(FlightWaiter& waiter) noexcept {
  waiter.linked_ = false;
  (waiter.previous_ != nullptr ? waiter.previous_->next_ : head_) = waiter.next_;
  (waiter.next_ != nullptr ? waiter.next_->previous_ : tail_) = waiter.previous_;
}

FlightWaiterList FlightWaiterList::take_all() noexcept {
  for (FlightWaiter* waiter = head_; waiter != nullptr; waiter = waiter->next_) waiter->linked_ = false;
  return std::exchange(*this, FlightWaiterList{});
}

void FlightWaiterList::deliver(const Result<Value>& result) noexcept {
  while (head_ != nullptr) {
    FlightWaiter* waiter = std::exchange(head_, head_->next_);
    waiter->deliver(result);
  }
}

}  // namespace gaggle::cache
