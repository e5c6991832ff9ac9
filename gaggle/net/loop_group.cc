// SPDX-License-Identifier: Apache-2.0
#include "gaggle/net/loop_group.h"

#include <algorithm>
#include <cassert>

namespace gaggle {

LoopGroup::LoopGroup(size_t threads, LoopOptions options) {
  const size_t count = std::max<size_t>(threads, 1);
  for (size_t i = 0; i < count; ++i) {
    owned_.push_back(std::make_unique<Loop>(options));
    loops_.push_back(owned_.back().get());
  }
  for (Loop* loop : loops_) threads_.emplace_back([loop] { loop->run(); });
}

LoopGroup::LoopGroup(Loop& loop) : loops_{&loop} {}

LoopGroup::~LoopGroup() {
  assert((owned_.empty() || !on_loop_thread()) && "a loop can't join itself");
  for (auto& loop : owned_) loop->stop();
  for (std::thread& thread : threads_) thread.join();
}

Loop& LoopGroup::least_loaded() noexcept {
  const size_t first = turn_.fetch_add(1, std::memory_order_relaxed);
  Loop* best = nullptr;
  for (size_t i = 0; i < loops_.size(); ++i) {
    Loop* candidate = loops_[(first + i) % loops_.size()];
    if (best == nullptr || candidate->load() < best->load()) best = candidate;
  }
  return *best;
}

Loop& LoopGroup::local_or_next() noexcept {
  for (Loop* loop : loops_) {
    if (loop->is_current()) return *loop;
  }
  return next();
}

bool LoopGroup::on_loop_thread() const noexcept {
  return std::ranges::any_of(loops_, [](const Loop* loop) { return loop->is_current(); });
}

void LoopGroup::stop() noexcept {
  for (Loop* loop : loops_) loop->stop();
}

}  // namespace gaggle
