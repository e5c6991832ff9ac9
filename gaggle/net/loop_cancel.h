// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "gaggle/base/context.h"
#include "gaggle/net/loop_work.h"

namespace gaggle {

class Loop;

// Brings the cancellation of a context to a loop's thread, without an allocation: what every
// operation that waits on a loop has inside.
//
// A cancellation comes from any thread and travels as posted work, so the operation may end while it
// is on its way. Hence the two steps of stop(): when it gives false, the object must stay until
// on_quiet(), which comes soon.
class LoopCancel : private CancelListener {
 public:
  LoopCancel() noexcept : hop_(*this) {}
  ~LoopCancel() override { CancelListener::unsubscribe(); }

  // Loop's thread. Calls on_cancelled once, later, if the context is or gets cancelled. May be called
  // again for other work, once it was stopped and is quiet.
  void listen(Loop& loop, const Context& context) noexcept;
  // Loop's thread. on_cancelled won't be called any more. True: the object may go. False: on_quiet()
  // follows on the loop.
  [[nodiscard]] bool stop() noexcept;

 protected:
  virtual void on_cancelled() noexcept = 0;
  virtual void on_quiet() noexcept = 0;
  // Instead of on_quiet(): the loop is being destroyed.
  virtual void on_lost() noexcept = 0;

 private:
  class Hop final : public LoopWork {
   public:
    explicit Hop(LoopCancel& owner) noexcept : owner_(owner) {}
    void run_on_loop() noexcept override { owner_.arrived(false); }
    void on_dropped() noexcept override { owner_.arrived(true); }

   private:
    LoopCancel& owner_;
  };

  void on_cancel(const Status& why) noexcept final;
  void arrived(bool loop_is_going) noexcept;

  Loop* loop_ = nullptr;
  Hop hop_;
  bool travelling_ = false;  // written in on_cancel; read after unsubscribe, which orders them
  bool stopped_ = false;
};

}  // namespace gaggle
