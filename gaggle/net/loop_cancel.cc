// SPDX-License-Identifier: Apache-2.0
#include "gaggle/net/loop_cancel.h"

#include "gaggle/net/loop.h"

namespace gaggle {

void LoopCancel::listen(Loop& loop, const Context& context) noexcept {
  loop_ = &loop;
  stopped_ = false;
  context.subscribe(*this);
}

bool LoopCancel::stop() noexcept {
  CancelListener::unsubscribe();
  stopped_ = true;
  return !travelling_;
}

void LoopCancel::on_cancel(const Status&) noexcept {
  travelling_ = true;
  loop_->post(hop_);
}

void LoopCancel::arrived(bool loop_is_going) noexcept {
  // Orders the canceller's write of travelling_ before ours, and waits until it left on_cancel.
  CancelListener::unsubscribe();
  travelling_ = false;
  if (!stopped_) {
    if (!loop_is_going) on_cancelled();
  } else if (loop_is_going) {
    on_lost();
  } else {
    on_quiet();
  }
}

}  // namespace gaggle
