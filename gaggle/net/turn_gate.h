// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "gaggle/net/event.h"
#include "gaggle/net/loop_work.h"
#include "gaggle/net/task.h"

namespace gaggle {

class Loop;

// Lets so many tasks through per turn of a loop; the others wait, first come first served, for later
// turns. For work that takes its time, such as handshakes: what else is ready has its turn between.
//
// One loop's thread; outlives the tasks that wait.
class TurnGate {
 public:
  TurnGate(Loop& loop, size_t per_turn) noexcept : loop_(loop), per_turn_(per_turn), waiting_(loop) {}
  TurnGate(const TurnGate&) = delete;
  TurnGate& operator=(const TurnGate&) = delete;

  // OK when the task may go on, at once if there is room in this turn. Otherwise what ended its
  // context.
  Task<Status> pass();

  uint64_t delayed() const noexcept { return delayed_; }  // tasks that had to wait

 private:
  void on_turn_end();

  Loop& loop_;
  const size_t per_turn_;
  size_t passed_ = 0;  // in this turn
  uint64_t delayed_ = 0;
  WaitQueue waiting_;
  HookOf<&TurnGate::on_turn_end> next_turn_{*this};
};

}  // namespace gaggle
