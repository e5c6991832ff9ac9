// SPDX-License-Identifier: Apache-2.0
#include "gaggle/net/loop.h"

#include <algorithm>
#include <asio/basic_waitable_timer.hpp>
#include <asio/defer.hpp>
#include <asio/post.hpp>
#include <cassert>

#include "gaggle/base/page_place.h"
#include "gaggle/net/handler_memory.h"

namespace gaggle {
namespace {

// Set by Loop::Enter only.
constinit thread_local Loop* current_loop = nullptr;

// Local work that posts more local work is run in the same turn this often; then hooks have their
// turn, and sockets theirs.
constexpr int kLocalWorkRounds = 4;

// After two turns in which one socket was ready, so many turns end with their socket. Two, for the first may begin with
// the last of those that were ready together.
constexpr uint32_t kTurnsOfOne = 30;

}  // namespace

// Handlers that are queued in the io_context may outlive the loop; they hold this.
struct Loop::Shared : RefCounted<Loop::Shared> {
  explicit Shared(Loop& owner) : loop(&owner) {}

  Loop* loop;  // null once the loop is gone; written when no handler can run
  HandlerMemory<128> turn_end_memory;
  HandlerMemory<128> wake_memory;
};

struct Loop::TurnEndHandler {
  using allocator_type = HandlerAllocator<void, HandlerMemory<128>>;
  allocator_type get_allocator() const noexcept { return allocator_type(shared->turn_end_memory); }
  void operator()() {
    if (shared->loop == nullptr) return;
    const Enter enter(*shared->loop);
    shared->loop->end_turn();
  }
  Ref<Shared> shared;
};

struct Loop::WakeHandler {
  using allocator_type = HandlerAllocator<void, HandlerMemory<128>>;
  allocator_type get_allocator() const noexcept { return allocator_type(shared->wake_memory); }
  void operator()() {
    if (shared->loop == nullptr) return;
    const Enter enter(*shared->loop);
    shared->loop->open_turn();
    shared->loop->drain_posted();
  }
  Ref<Shared> shared;
};

class Loop::SystemTimer {
 public:
  explicit SystemTimer(Loop& loop) : timer_(loop.executor()) {}

  void arm(TimePoint when, const Ref<Shared>& shared) {
    timer_.expires_at(when);
    timer_.async_wait([shared](const asio::error_code& error) {
      if (error || shared->loop == nullptr) return;
      const Enter enter(*shared->loop);
      shared->loop->open_turn();
      shared->loop->system_wakeup_ = kNever;
      shared->loop->fire_due_timers();
    });
  }

 private:
  asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, Executor> timer_;
};

Loop::Loop(LoopOptions options) : Loop(std::make_unique<asio::io_context>(1), nullptr, options) {
  stay_.emplace(owned_io_->get_executor());
}

Loop::Loop(asio::io_context& io, LoopOptions options) : Loop(nullptr, &io, options) {}

Loop::Loop(std::unique_ptr<asio::io_context> owned, asio::io_context* io, LoopOptions options)
    : owned_io_(std::move(owned)),
      io_(owned_io_ != nullptr ? owned_io_.get() : io),
      shared_(make_ref<Shared>(*this)),
      clock_(options.clock != nullptr ? options.clock : &Clock::real()),
      options_(options) {
  if (options.clock == nullptr) {
    system_timer_ = std::make_unique<SystemTimer>(*this);
  } else {
    system_wakeup_ = TimePoint::min();
  }
}

// The order: what is queued here, then what waits in the io_context, while the timers and the current
// loop are still there for the destructors of tasks.
Loop::~Loop() {
  const Enter enter(*this);
  dropping_ = true;
  drop_everything();
  shared_->loop = nullptr;
  system_timer_.reset();
  stay_.reset();
  owned_io_.reset();
  drop_everything();
}

void Loop::drop_everything() noexcept {
  *local_tail_ = nullptr;
  while (LoopWork* work = local_head_) {
    local_head_ = work->next_;
    work->on_dropped();
  }
  local_tail_ = &local_head_;
  LoopWork* posted = posted_.exchange(nullptr, std::memory_order_acquire);
  while (posted != nullptr) std::exchange(posted, posted->next_)->on_dropped();
  while (!timers_.empty()) timers_.pop().on_dropped();
  while (LoopWait* wait = waits_) {
    wait->end_wait();
    wait->on_loop_gone();
  }
  while (hooks_head_ != nullptr) hooks_head_->cancel();
}

Loop::Enter::Enter(Loop& loop) noexcept : previous_(std::exchange(current_loop, &loop)) {}
Loop::Enter::~Enter() { current_loop = previous_; }

Loop* Loop::current() noexcept { return current_loop; }

bool Loop::is_current() const noexcept {
  return current_loop == this || (owned_io_ == nullptr && io_->get_executor().running_in_this_thread());
}

void Loop::run() {
  const Enter enter(*this);
  const Running running(runners_);
  io_->restart();
  // The flag is for a stop that came before restart().
  if (!stop_requested_.exchange(false, std::memory_order_acq_rel)) {
    if (options_.busy_poll > Duration::zero()) {
      while (run_one_()) {
      }
    } else {
      io_->run();
    }
  }
  stop_requested_.store(false, std::memory_order_release);
}

void Loop::stop() noexcept {
  stop_requested_.store(true, std::memory_order_release);
  io_->stop();
}

size_t Loop::poll() {
  const Enter enter(*this);
  io_->restart();
  return io_->poll();
}

bool Loop::run_one_() {
  if (options_.busy_poll > Duration::zero() && poll_busily()) return true;
  return io_->run_one() != 0;
}

// Whether a handler ran within LoopOptions::busy_poll. The clock is read only when none was ready.
bool Loop::poll_busily() {
  if (io_->poll_one() != 0) return true;
  const TimePoint end = deadline_after(Clock::real().now(), options_.busy_poll);
  do {
    if (io_->poll_one() != 0) return true;
  } while (!io_->stopped() && Clock::real().now() < end);
  return false;
}

void Loop::post(LoopWork& work) noexcept {
  work.next_ = nullptr;
  if (current_loop == this) {
    if (dropping_) return work.on_dropped();
    *local_tail_ = &work;
    local_tail_ = &work.next_;
    open_turn();
    return;
  }
  // The queue is a stack that the loop takes whole. Who finds it empty wakes the loop.
  LoopWork* head = posted_.load(std::memory_order_relaxed);
  do {
    work.next_ = head;
  } while (!posted_.compare_exchange_weak(head, &work, std::memory_order_acq_rel, std::memory_order_relaxed));
  if (head == nullptr) asio::post(*io_, WakeHandler{shared_});
}

void Loop::drain_posted() noexcept {
  LoopWork* newest = posted_.exchange(nullptr, std::memory_order_acq_rel);
  LoopWork* oldest = nullptr;
  while (newest != nullptr) {
    LoopWork* work = std::exchange(newest, newest->next_);
    work->next_ = std::exchange(oldest, work);
  }
  while (oldest != nullptr) std::exchange(oldest, oldest->next_)->run_on_loop();
}

void Loop::defer(TurnHook& hook) noexcept {
  if (hook.deferred() || dropping_) return;
  hook.loop_ = this;
  hook.next_ = nullptr;
  hook.link_ = hooks_tail_;
  *hooks_tail_ = &hook;
  hooks_tail_ = &hook.next_;
  open_turn();
}

void TurnHook::cancel() noexcept {
  if (link_ == nullptr) return;
  *link_ = next_;
  if (next_ != nullptr) {
    next_->link_ = link_;
  } else if (loop_->hooks_tail_ == &next_) {
    loop_->hooks_tail_ = link_;
  }
  link_ = nullptr;
}

void LoopWait::begin_wait(Loop& loop) noexcept {
  next_ = loop.waits_;
  if (next_ != nullptr) next_->link_ = &next_;
  link_ = &loop.waits_;
  loop.waits_ = this;
}

void LoopWait::end_wait() noexcept {
  if (link_ == nullptr) return;
  *link_ = next_;
  if (next_ != nullptr) next_->link_ = link_;
  link_ = nullptr;
}

void Loop::begin_turn() noexcept {
  now_ = clock_->now();
  turn_open_ = current_loop == this;
  schedule_turn_end();
}

// Whether the turn ends when that socket has been handled.
bool Loop::open_turn_for_socket() noexcept {
  if (turns_of_one_ == 0 || turn_open_ || turn_end_scheduled_) {
    ++sockets_in_turn_;
    open_turn();
    return false;
  }
  --turns_of_one_;
  now_ = clock_->now();
  turn_open_ = turn_end_scheduled_ = true;
  return true;
}

void Loop::schedule_turn_end() noexcept {
  if (turn_end_scheduled_ || dropping_) return;
  turn_end_scheduled_ = true;
  // Goes behind every handler that is ready now.
  asio::defer(*io_, TurnEndHandler{shared_});
}

void Loop::end_turn() noexcept {
  open_turn();  // when the end was scheduled from outside the loop
  run_local_work();
  run_hooks();
  arm_system_timer();
  turn_open_ = false;
  turn_end_scheduled_ = false;
  if (const uint32_t sockets = std::exchange(sockets_in_turn_, 0); sockets != 0) {
    const bool one_before = std::exchange(one_socket_, sockets == 1);
    if (one_before && one_socket_) {
      turns_of_one_ = kTurnsOfOne;
      one_socket_ = false;
    }
  }
  turns_.fetch_add(1, std::memory_order_relaxed);
  if (system_timer_ != nullptr) {
    const Duration took = clock_->now() - now_;
    if (took > options_.slow_turn) slow_turns_.fetch_add(1, std::memory_order_relaxed);
    if (took.count() > longest_turn_.load(std::memory_order_relaxed)) {
      longest_turn_.store(took.count(), std::memory_order_relaxed);
    }
  }
  if (local_head_ != nullptr || hooks_head_ != nullptr) schedule_turn_end();
}

void Loop::run_local_work() noexcept {
  for (int round = 0; round < kLocalWorkRounds && local_head_ != nullptr; ++round) {
    LoopWork* work = std::exchange(local_head_, nullptr);
    local_tail_ = &local_head_;
    while (work != nullptr) std::exchange(work, work->next_)->run_on_loop();
  }
}

void Loop::run_hooks() noexcept {
  running_hooks_ = std::exchange(hooks_head_, nullptr);
  hooks_tail_ = &hooks_head_;
  if (running_hooks_ != nullptr) running_hooks_->link_ = &running_hooks_;
  while (TurnHook* hook = running_hooks_) {
    hook->cancel();
    hook->on_turn_end();
  }
}

TimePoint Loop::refresh_now() noexcept {
  open_turn();
  return now_ = clock_->now();
}

size_t Loop::fire_due_timers() noexcept {
  const TimePoint now = refresh_now();
  const size_t armed = timers_.size();  // one that arms itself in the past waits for the next turn
  size_t fired = 0;
  while (fired < armed && timers_.earliest() <= now) {
    timers_.pop().on_timer();
    ++fired;
  }
  return fired;
}

size_t Loop::advance_to_clock() noexcept {
  const Enter enter(*this);
  return fire_due_timers();
}

void Loop::arm_system_timer() noexcept {
  if (system_timer_ == nullptr || timers_.earliest() >= system_wakeup_) return;
  system_wakeup_ = timers_.earliest();
  system_timer_->arm(system_wakeup_, shared_);
}

std::span<uint8_t> Loop::read_buffer() {
  if (read_buffer_.empty()) {
    read_memory_ = std::make_unique_for_overwrite<uint8_t[]>(options_.read_buffer_bytes + kPageBytes);
    read_buffer_ = {place_in_page(read_memory_.get()), options_.read_buffer_bytes};
  }
  return read_buffer_;
}

LoopStats Loop::stats() const noexcept {
  return {turns_.load(std::memory_order_relaxed), slow_turns_.load(std::memory_order_relaxed),
          Duration{longest_turn_.load(std::memory_order_relaxed)}};
}

}  // namespace gaggle
