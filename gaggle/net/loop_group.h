// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <thread>
#include <vector>

#include "gaggle/net/loop.h"

namespace gaggle {

// Some loops, each run by a thread of its own; or a user's single loop, which the user runs.
//
// All of it may be called from any thread; destruction from none of its own loops. Destruction stops
// the loops and joins the threads: nothing goes on running. What uses the loops (servers,
// connections) ends before.
// fork(): before the first loop is made, freely. Afterwards the child may only exec or _exit, since
// it has none of the threads and shares the parent's epoll set; descriptors close on exec. Signals:
// no handler is installed, and a peer that is gone raises no SIGPIPE.
class LoopGroup {
 public:
  // Starts `threads` loops, at least one.
  explicit LoopGroup(size_t threads, LoopOptions options = {});
  // The user's loop, which outlives the group; no thread is started, stop() stops the loop.
  explicit LoopGroup(Loop& loop);
  LoopGroup(const LoopGroup&) = delete;
  LoopGroup& operator=(const LoopGroup&) = delete;
  ~LoopGroup();

  size_t size() const noexcept { return loops_.size(); }
  Loop& loop(size_t index) noexcept { return *loops_[index]; }
  // One after the other.
  Loop& next() noexcept { return *loops_[turn_.fetch_add(1, std::memory_order_relaxed) % loops_.size()]; }
  // The one with the least Loop::load(); the first of equals after the last one given.
  Loop& least_loaded() noexcept;
  // The calling thread's loop when it's one of these, else next().
  Loop& local_or_next() noexcept;

  // Whether the group runs its loops itself, on threads of its own.
  bool has_threads() const noexcept { return !owned_.empty(); }

  // Whether the calling thread runs one of these loops: whoever blocks here waits for itself.
  bool on_loop_thread() const noexcept;

  // Ends all loops after what they are doing now. Doesn't wait for them.
  void stop() noexcept;

 private:
  std::vector<std::unique_ptr<Loop>> owned_;
  std::vector<Loop*> loops_;
  std::vector<std::thread> threads_;
  std::atomic<size_t> turn_{0};
};

}  // namespace gaggle
