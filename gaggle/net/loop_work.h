// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cassert>

namespace gaggle {

class Loop;

// The class that a pointer to a member function belongs to.
template <class Method>
struct MethodOwner;
template <class Owner>
struct MethodOwner<void (Owner::*)()> {
  using type = Owner;
};
template <class Owner>
struct MethodOwner<void (Owner::*)() noexcept> {
  using type = Owner;
};
template <auto kMethod>
using MethodOwnerOf = typename MethodOwner<decltype(kMethod)>::type;

// Something to do once on a loop's thread, given to Loop::post without an allocation.
//
// Queued at most once at a time; may be posted again from within run_on_loop. It must not be
// destroyed while it is queued.
class LoopWork {
 public:
  LoopWork() = default;
  LoopWork(const LoopWork&) = delete;
  LoopWork& operator=(const LoopWork&) = delete;

  // May destroy the object.
  virtual void run_on_loop() noexcept = 0;
  // The loop is being destroyed and won't run this; it is no longer queued.
  virtual void on_dropped() noexcept {}

 protected:
  virtual ~LoopWork() = default;

 private:
  friend class Loop;
  LoopWork* next_ = nullptr;
};

// Something to do at the end of the loop's current turn, once, however often it was deferred:
// what writes a connection's bytes, say. Belongs to one loop's thread; destroying it while it is
// deferred takes it out.
class TurnHook {
 public:
  TurnHook() = default;
  TurnHook(const TurnHook&) = delete;
  TurnHook& operator=(const TurnHook&) = delete;
  virtual ~TurnHook() { cancel(); }

  virtual void on_turn_end() noexcept = 0;  // may defer itself again: for the next turn
  bool deferred() const noexcept { return link_ != nullptr; }
  void cancel() noexcept;

 private:
  friend class Loop;
  Loop* loop_ = nullptr;
  TurnHook* next_ = nullptr;
  TurnHook** link_ = nullptr;  // what points at this one
};

// A wait that only its loop knows to be hopeless: when the loop is destroyed, it is told, once. One
// loop's thread only; destroying it takes it out.
class LoopWait {
 public:
  LoopWait() = default;
  LoopWait(const LoopWait&) = delete;
  LoopWait& operator=(const LoopWait&) = delete;
  virtual ~LoopWait() { end_wait(); }

 protected:
  void begin_wait(Loop& loop) noexcept;
  void end_wait() noexcept;
  virtual void on_loop_gone() noexcept = 0;  // may destroy the object

 private:
  friend class Loop;
  LoopWait* next_ = nullptr;
  LoopWait** link_ = nullptr;
};

// The same as members: `WorkOf<&Connection::drain> drain_work_{*this};`
template <auto kMethod>
class WorkOf final : public LoopWork {
 public:
  explicit WorkOf(MethodOwnerOf<kMethod>& owner) noexcept : owner_(owner) {}
  void run_on_loop() noexcept override { (owner_.*kMethod)(); }

 private:
  MethodOwnerOf<kMethod>& owner_;
};

template <auto kMethod>
class HookOf final : public TurnHook {
 public:
  explicit HookOf(MethodOwnerOf<kMethod>& owner) noexcept : owner_(owner) {}
  void on_turn_end() noexcept override { (owner_.*kMethod)(); }

 private:
  MethodOwnerOf<kMethod>& owner_;
};

}  // namespace gaggle
