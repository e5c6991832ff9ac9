// SPDX-License-Identifier: Apache-2.0
#include "gaggle/net/timer_heap.h"

#include <algorithm>
#include <cassert>

namespace gaggle {
namespace {

constexpr size_t kChildren = 4;
constexpr size_t parent_of(size_t position) { return (position - 1) / kChildren; }
constexpr size_t first_child_of(size_t position) { return position * kChildren + 1; }

}  // namespace

void TimerHeap::place(size_t position, Entry entry) noexcept {
  entries_[position] = entry;
  entry.timer->position_ = static_cast<uint32_t>(position);
}

void TimerHeap::sift_up(size_t position, Entry entry) noexcept {
  while (position != 0 && entry.deadline < entries_[parent_of(position)].deadline) {
    place(position, entries_[parent_of(position)]);
    position = parent_of(position);
  }
  place(position, entry);
}

void TimerHeap::sift_down(size_t position, Entry entry) noexcept {
  for (;;) {
    const size_t first = first_child_of(position);
    if (first >= entries_.size()) break;
    size_t least = first;
    const size_t end = std::min(first + kChildren, entries_.size());
    for (size_t child = first + 1; child < end; ++child) {
      if (entries_[child].deadline < entries_[least].deadline) least = child;
    }
    if (entry.deadline <= entries_[least].deadline) break;
    place(position, entries_[least]);
    position = least;
  }
  place(position, entry);
}

void TimerHeap::insert(Timer& timer, TimePoint deadline) {
  assert(!timer.armed());
  timer.deadline_ = deadline;
  entries_.push_back({deadline, &timer});
  sift_up(entries_.size() - 1, entries_.back());
}

void TimerHeap::change(Timer& timer, TimePoint deadline) noexcept {
  const size_t position = timer.position_;
  const bool earlier = deadline < timer.deadline_;
  timer.deadline_ = deadline;
  if (earlier) {
    sift_up(position, {deadline, &timer});
  } else {
    sift_down(position, {deadline, &timer});
  }
}

void TimerHeap::remove(Timer& timer) noexcept {
  const size_t position = timer.position_;
  assert(position < entries_.size() && entries_[position].timer == &timer);
  timer.position_ = Timer::kNotArmed;
  const Entry last = entries_.back();
  entries_.pop_back();
  if (position == entries_.size()) return;
  if (position != 0 && last.deadline < entries_[parent_of(position)].deadline) {
    sift_up(position, last);
  } else {
    sift_down(position, last);
  }
}

Timer& TimerHeap::pop() noexcept {
  Timer& timer = *entries_.front().timer;
  remove(timer);
  return timer;
}

}  // namespace gaggle
