// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>

#include "gaggle/base/clock.h"
#include "gaggle/base/ref.h"
#include "gaggle/net/loop_work.h"
#include "gaggle/net/timer_heap.h"

namespace gaggle {

// Trivially destructible, as all options are.
struct LoopOptions {
  // Null: the machine's clock. Another clock, a ManualClock say, doesn't wake anybody: the loop's
  // timers then fire in advance_to_clock() only. Outlives the loop.
  const Clock* clock = nullptr;
  // A turn that takes longer is counted in LoopStats::slow_turns.
  Duration slow_turn = std::chrono::milliseconds{10};
  // Size of read_buffer().
  size_t read_buffer_bytes = 256 * 1024;
  // How long run() and run_until() go on asking for work before the thread sleeps; zero or less: they sleep at once.
  // What comes meanwhile begins without the time that waking up takes, some 10 to 50 µs on a virtual machine, and
  // whoever sends it needn't do the waking. The price is a core that is busy for so long after each piece of
  // work, so this is for loops with a core of their own. By the machine's clock, whatever `clock` is.
  Duration busy_poll{};
};

// Readable from any thread.
struct LoopStats {
  uint64_t turns = 0;
  uint64_t slow_turns = 0;  // longer than LoopOptions::slow_turn: something blocks the loop
  Duration longest_turn{};
};

// An event loop: an asio::io_context that exactly one thread at a time runs, with timers, posted
// work and an end to every turn.
//
// A *turn* begins when something of ours happens on the loop (a socket is ready, work was posted, a
// timer fired, now() was asked) and ends when everything that was ready with it has been handled.
// Then posted local work runs, then the hooks of defer(), which is when connections write. Where one socket at a time
// has been ready lately, the turn ends when that one has been handled: to look for others costs a system call.
//
// Threads: post, stop, stats, load and is_current from any thread; the rest on the loop's thread,
// or while no thread runs it. A Loop outlives all sockets, timers and tasks on it. Destroying it
// drops what is still queued; tasks that wait on it are destroyed where they wait. No thread may be
// inside post() then.
//
//   gaggle::Loop loop;                         // or: asio::io_context io; gaggle::Loop loop(io);
//   gaggle::spawn(loop, work(), asio::detached);
//   loop.run();
class Loop {
 public:
  using Executor = asio::io_context::executor_type;

  explicit Loop(LoopOptions options = {});
  // A user's own io_context, which outlives the Loop and which exactly one thread runs. run() and
  // the like may be called here or there.
  explicit Loop(asio::io_context& io, LoopOptions options = {});
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  ~Loop();

  asio::io_context& io_context() noexcept { return *io_; }
  Executor executor() noexcept { return io_->get_executor(); }

  // Runs until stop(), even when there is nothing to do. A user's io_context: until it stops or
  // runs out of work. May be called again.
  void run();
  // Ends run(), or the next one if none is under way; what is queued stays queued.
  void stop() noexcept;
  // Does what can be done without waiting; returns how many handlers ran.
  size_t poll();
  // Runs, waiting where needed, until `done()` is true; asked after each handler.
  template <class Predicate>
  void run_until(Predicate&& done) {
    const Enter enter(*this);
    const Running running(runners_);
    io_->restart();
    while (!done() && run_one_()) {
    }
  }

  // Whether the calling thread is running this loop.
  bool is_current() const noexcept;
  // Whether some thread is inside run() or run_until() now: waiting for this loop makes sense. What a
  // user's io_context does by itself isn't known here. From any thread.
  bool is_running() const noexcept { return runners_.load(std::memory_order_acquire) != 0; }
  // The loop whose work the calling thread is doing, or null.
  static Loop* current() noexcept;  // within plain handlers of a user's io_context: null
  // Whether blocking here would block a loop.
  static bool on_any_loop_thread() noexcept { return current() != nullptr; }

  // Runs `work` on the loop, later: never inside post. From any thread, without allocation; many
  // posts that arrive together wake the loop once. From the loop's own thread: at the end of this
  // turn, before the hooks. Work from one thread keeps its order.
  void post(LoopWork& work) noexcept;
  // The same for a function; allocates a node.
  template <class Function>
    requires std::is_invocable_v<std::decay_t<Function>&>
  void post(Function&& function) {
    post(*static_cast<LoopWork*>(new FunctionWork<std::decay_t<Function>>(std::forward<Function>(function))));
  }

  // Runs `hook` once at the end of this turn. Loop's thread only; deferring twice is once.
  void defer(TurnHook& hook) noexcept;

  // The clock's time, read once per turn. refresh_now() reads it again: after something slow.
  TimePoint now() noexcept {
    open_turn();
    return now_;
  }
  TimePoint refresh_now() noexcept;
  const Clock& clock() const noexcept { return *clock_; }

  // Virtual time only: fires every timer that is due by the clock; returns how many.
  size_t advance_to_clock() noexcept;
  // The earliest armed timer, or kNever.
  TimePoint next_timer() const noexcept { return timers_.earliest(); }

  // A buffer that everything on this loop shares, valid until the next one uses it: read, parse,
  // copy what must stay. Allocated at the first use.
  std::span<uint8_t> read_buffer();

  LoopStats stats() const noexcept;
  // How many connections (or whatever counts) live here; LoopGroup::least_loaded compares it.
  void add_load(int64_t change) noexcept { load_.fetch_add(change, std::memory_order_relaxed); }
  int64_t load() const noexcept { return load_.load(std::memory_order_relaxed); }

  // Makes the calling thread be "on the loop" while it lives. For code that the io_context calls
  // directly, such as handlers of ours; nests.
  class Enter {
   public:
    explicit Enter(Loop& loop) noexcept;
    Enter(const Enter&) = delete;
    Enter& operator=(const Enter&) = delete;
    ~Enter();

   private:
    Loop* previous_;
  };
  // The handling of one socket's readiness: on the loop, in a turn.
  class Readiness {
   public:
    explicit Readiness(Loop& loop) noexcept : enter_(loop), ends_turn_(loop.open_turn_for_socket() ? &loop : nullptr) {}
    Readiness(const Readiness&) = delete;
    Readiness& operator=(const Readiness&) = delete;
    ~Readiness() {
      if (ends_turn_ != nullptr) ends_turn_->end_turn();
    }

   private:
    Enter enter_;
    Loop* ends_turn_;
  };
  // What other handlers of ours call first, so that the turn has an end.
  void open_turn() noexcept {
    if (!turn_open_) begin_turn();
  }

 private:
  friend class Timer;
  friend class TurnHook;
  friend class LoopWait;
  struct Shared;  // what handlers queued in the io_context keep alive
  struct TurnEndHandler;
  struct WakeHandler;
  class SystemTimer;

  template <class Function>
  class FunctionWork final : public LoopWork {
   public:
    explicit FunctionWork(Function&& function) : function_(std::move(function)) {}
    explicit FunctionWork(const Function& function) : function_(function) {}
    void run_on_loop() noexcept override {
      Function function = std::move(function_);
      delete this;
      function();
    }
    void on_dropped() noexcept override { delete this; }

   private:
    Function function_;
  };

  // Counts a thread inside run() or run_until().
  class Running {
   public:
    explicit Running(std::atomic<int>& count) noexcept : count_(count) {
      count_.fetch_add(1, std::memory_order_acq_rel);
    }
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;
    ~Running() { count_.fetch_sub(1, std::memory_order_acq_rel); }

   private:
    std::atomic<int>& count_;
  };

  Loop(std::unique_ptr<asio::io_context> owned, asio::io_context* io, LoopOptions options);
  bool run_one_();
  bool poll_busily();
  void begin_turn() noexcept;
  bool open_turn_for_socket() noexcept;
  void schedule_turn_end() noexcept;
  // The loop must wake up at `when` at the latest; the system is told at the end of the turn.
  void wake_by(TimePoint when) noexcept {
    if (when < system_wakeup_) open_turn();
  }
  void end_turn() noexcept;
  void run_local_work() noexcept;
  void run_hooks() noexcept;
  void drain_posted() noexcept;
  size_t fire_due_timers() noexcept;
  void arm_system_timer() noexcept;
  void drop_everything() noexcept;

  std::unique_ptr<asio::io_context> owned_io_;
  asio::io_context* io_;
  std::optional<asio::executor_work_guard<Executor>> stay_;  // our own io_context runs until stop()
  Ref<Shared> shared_;
  const Clock* clock_;
  const LoopOptions options_;
  TimePoint now_{};
  bool turn_open_ = false;           // now_ holds; only on the loop's thread
  bool turn_end_scheduled_ = false;  // a TurnEndHandler is queued in the io_context, or the turn ends with its socket
  bool dropping_ = false;            // the destructor runs

  uint32_t sockets_in_turn_ = 0;  // that were ready, in a turn that waits for all of them
  bool one_socket_ = false;       // was ready in the latest such turn
  uint32_t turns_of_one_ = 0;     // that are to come before a turn waits for others again

  LoopWork* local_head_ = nullptr;  // posted by the loop's own thread, first in first out
  LoopWork** local_tail_ = &local_head_;
  TurnHook* hooks_head_ = nullptr;
  TurnHook** hooks_tail_ = &hooks_head_;
  TurnHook* running_hooks_ = nullptr;  // those of the turn that is ending

  LoopWait* waits_ = nullptr;

  TimerHeap timers_;
  std::unique_ptr<SystemTimer> system_timer_;  // null on virtual time
  TimePoint system_wakeup_ = kNever;           // when it will call; TimePoint::min() on virtual time
  std::unique_ptr<uint8_t[]> read_memory_;
  std::span<uint8_t> read_buffer_;  // in it

  std::atomic<uint64_t> turns_{0};
  std::atomic<uint64_t> slow_turns_{0};
  std::atomic<Duration::rep> longest_turn_{0};
  std::atomic<int64_t> load_{0};
  std::atomic<bool> stop_requested_{false};
  std::atomic<int> runners_{0};

  alignas(64) std::atomic<LoopWork*> posted_{nullptr};  // last in first out; drained whole
};

}  // namespace gaggle
