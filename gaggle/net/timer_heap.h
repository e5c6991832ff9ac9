// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <vector>

#include "gaggle/net/timer.h"

namespace gaggle {

// The armed timers of a loop, the earliest first: a heap with four children per node, whose entries
// carry the deadline, so that comparing touches no Timer. Equal deadlines come in any order.
//
// Invariant: entries_[t->position_].timer == t for every armed t.
class TimerHeap {
 public:
  bool empty() const noexcept { return entries_.empty(); }
  size_t size() const noexcept { return entries_.size(); }
  TimePoint earliest() const noexcept { return entries_.empty() ? kNever : entries_.front().deadline; }

  void insert(Timer& timer, TimePoint deadline);  // grows the array now and then
  void change(Timer& timer, TimePoint deadline) noexcept;
  void remove(Timer& timer) noexcept;
  Timer& pop() noexcept;  // the earliest; not when empty()

 private:
  struct Entry {
    TimePoint deadline;
    Timer* timer;
  };
  void place(size_t position, Entry entry) noexcept;
  void sift_up(size_t position, Entry entry) noexcept;
  void sift_down(size_t position, Entry entry) noexcept;

  std::vector<Entry> entries_;
};

}  // namespace gaggle
