// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace gaggle {

// States of a compression library that wait for their next message: making one costs a quarter of a
// megabyte of writes, more than a small message itself.
//
// From any thread. The lock is held for a push or a pop, once per compressed message.
template <class State>
class CompressorPool {
 public:
  // Kept at most; as many as threads compress at once are in use.
  static constexpr size_t kMaxSpare = 8;

  // Null when there is none to spare.
  std::unique_ptr<State> take() {
    const std::lock_guard lock(mutex_);
    if (spare_.empty()) return nullptr;
    std::unique_ptr<State> state = std::move(spare_.back());
    spare_.pop_back();
    return state;
  }

  void give_back(std::unique_ptr<State> state) {
    const std::lock_guard lock(mutex_);
    if (spare_.size() < kMaxSpare) spare_.push_back(std::move(state));
  }

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<State>> spare_;  // guarded
};

}  // namespace gaggle
