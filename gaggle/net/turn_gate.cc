// SPDX-License-Identifier: Apache-2.0
#include "gaggle/net/turn_gate.h"

#include "gaggle/net/loop.h"

namespace gaggle {

Task<Status> TurnGate::pass() {
  loop_.defer(next_turn_);
  if (passed_ < per_turn_ && waiting_.empty()) {
    ++passed_;
    co_return Status::ok();
  }
  ++delayed_;
  Status status = co_await waiting_.wait();
  co_return status;
}

// What is woken here runs in the next turn, and counts there.
void TurnGate::on_turn_end() {
  passed_ = 0;
  while (passed_ < per_turn_ && waiting_.wake_one()) ++passed_;
  if (passed_ != 0) loop_.defer(next_turn_);
}

}  // namespace gaggle
