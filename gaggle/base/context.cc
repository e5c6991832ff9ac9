// SPDX-License-Identifier: Apache-2.0
#include "gaggle/base/context.h"

#include <atomic>
#include <cassert>
#include <memory>
#include <mutex>
#include <thread>

namespace gaggle {

namespace {

// A mutex of four bytes instead of std::mutex's forty: every call has one. It is held for a few
// instructions at a time.
class SmallMutex {
 public:
  void lock() noexcept {
    while (locked_.exchange(1, std::memory_order_acquire) != 0) locked_.wait(1, std::memory_order_relaxed);
  }
  void unlock() noexcept {
    locked_.store(0, std::memory_order_release);
    locked_.notify_one();
  }

 private:
  std::atomic<uint32_t> locked_{0};
};

}  // namespace

// What every context derived from one CancelSource shares. Counted by contexts and by subscribed
// listeners.
//
// Invariant: a listener is linked (link_ != nullptr), or is the one that `running_` names, or has
// been told. `mutex_` guards the list and `running_`; a listener's `state_` is written by the
// listener's own side only, so unsubscribe may read it without the lock.
class CancelState {
 public:
  void ref() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
  void unref() noexcept {
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }
  // Fails when the last user is just leaving.
  bool try_ref() noexcept {
    uint32_t count = references_.load(std::memory_order_relaxed);
    while (count != 0) {
      if (references_.compare_exchange_weak(count, count + 1, std::memory_order_acquire)) return true;
    }
    return false;
  }
  bool has_users(uint32_t count) const noexcept { return references_.load(std::memory_order_acquire) == count; }

  bool cancelled() const noexcept { return cancelled_.load(std::memory_order_acquire); }
  const Status& why() const noexcept { return why_; }  // only once cancelled()

  void cancel(const Status& why) noexcept;
  bool subscribe(CancelListener& listener) noexcept;
  void unsubscribe(CancelListener& listener) noexcept;
  void follow(const Context& parent) {
    if (!parent.cancellable()) return;
    if (parent_link_ == nullptr) parent_link_ = std::make_unique<ParentLink>(*this);
    parent.subscribe(*parent_link_);
  }

  // Back to the beginning; only while nobody else uses it.
  void reset() noexcept {
    if (parent_link_ != nullptr) parent_link_->unsubscribe();
    cancelled_.store(false, std::memory_order_relaxed);
    why_ = Status::ok();
  }

 private:
  // Cancels this state when the parent's is cancelled.
  class ParentLink final : public CancelListener {
   public:
    explicit ParentLink(CancelState& child) : child_(child) {}
    ~ParentLink() override { unsubscribe(); }
    void on_cancel(const Status& why) noexcept override {
      // The child may be in its destructor, which waits for us in unsubscribe.
      if (!child_.try_ref()) return;
      child_.cancel(why);
      child_.unref();
    }

   private:
    CancelState& child_;
  };

  std::atomic<uint32_t> references_{1};
  SmallMutex mutex_;
  std::atomic<bool> cancelled_{false};
  CancelListener* head_ = nullptr;
  std::atomic<CancelListener*> running_{nullptr};  // being told; written under the mutex, waited for without
  std::thread::id cancelling_thread_;
  Status why_;
  // Made when there is a parent for the first time. Last: leaves it before the rest goes.
  std::unique_ptr<ParentLink> parent_link_;
};

void CancelState::cancel(const Status& why) noexcept {
  std::unique_lock lock(mutex_);
  if (cancelled_.load(std::memory_order_relaxed)) return;
  why_ = why;
  cancelled_.store(true, std::memory_order_release);
  cancelling_thread_ = std::this_thread::get_id();
  ref();  // a listener may drop what kept this state alive
  while (head_ != nullptr) {
    CancelListener* listener = head_;
    head_ = listener->next_;
    if (head_ != nullptr) head_->link_ = &head_;
    listener->link_ = nullptr;
    running_ = listener;
    lock.unlock();
    listener->on_cancel(why_);  // may destroy the listener
    lock.lock();
    running_ = nullptr;
    running_.notify_all();
  }
  lock.unlock();
  unref();
}

bool CancelState::subscribe(CancelListener& listener) noexcept {
  assert(!listener.subscribed());
  {
    const std::lock_guard lock(mutex_);
    if (!cancelled_.load(std::memory_order_relaxed)) {
      ref();
      listener.state_ = this;
      listener.next_ = head_;
      if (head_ != nullptr) head_->link_ = &listener.next_;
      head_ = &listener;
      listener.link_ = &head_;
      return true;
    }
  }
  listener.on_cancel(why_);
  return false;
}

void CancelState::unsubscribe(CancelListener& listener) noexcept {
  {
    std::unique_lock lock(mutex_);
    if (listener.link_ != nullptr) {
      *listener.link_ = listener.next_;
      if (listener.next_ != nullptr) listener.next_->link_ = listener.link_;
      listener.link_ = nullptr;
    } else if (running_ == &listener && cancelling_thread_ != std::this_thread::get_id()) {
      lock.unlock();
      running_.wait(&listener);
      lock.lock();
    }
    listener.state_ = nullptr;
  }
  unref();
}

void CancelListener::unsubscribe() noexcept {
  if (state_ != nullptr) state_->unsubscribe(*this);
}

void Context::share_state() noexcept { state_->ref(); }
void Context::drop_state() noexcept { state_->unref(); }

Context Context::with_timeout(Duration timeout) const { return with_deadline(deadline_after(clock().now(), timeout)); }

Context Context::with_deadline(TimePoint deadline) const {
  Context derived(*this);
  if (deadline < derived.deadline_) derived.deadline_ = deadline;
  return derived;
}

Context Context::with_clock(const Clock& clock) const {
  Context derived(*this);
  derived.clock_ = &clock;
  return derived;
}

Duration Context::remaining() const noexcept {
  if (!has_deadline()) return Duration::max();
  const TimePoint now = clock().now();
  return deadline_ > now ? deadline_ - now : Duration::zero();
}

bool Context::cancelled() const noexcept { return state_ != nullptr && state_->cancelled(); }

Status Context::status() const {
  if (cancelled()) return state_->why();
  if (has_deadline() && clock().now() >= deadline_) return Status::deadline_exceeded("the deadline has passed");
  return Status::ok();
}

bool Context::subscribe(CancelListener& listener) const noexcept {
  return state_ == nullptr || state_->subscribe(listener);
}

CancelSource::CancelSource() { context_.state_ = new CancelState; }

CancelSource::CancelSource(const Context& parent) : CancelSource() { reset(parent); }

CancelSource::~CancelSource() = default;

void CancelSource::cancel(const Status& why) noexcept {
  assert(!why.is_ok());
  context_.state_->cancel(why);
}

void CancelSource::reset(const Context& parent) {
  if (context_.state_->has_users(1)) {
    context_.state_->reset();
  } else {
    auto* fresh = new CancelState;
    std::exchange(context_.state_, fresh)->unref();
  }
  context_.deadline_ = parent.deadline_;
  context_.clock_ = parent.clock_;
  context_.state_->follow(parent);
}

void CancelSource::renew_own(Context& own, TimePoint deadline, const Clock& clock) {
  if (own.state_ == nullptr) {
    own.state_ = new CancelState;
  } else if (!own.state_->has_users(1)) {
    auto* fresh = new CancelState;
    std::exchange(own.state_, fresh)->unref();
  } else if (own.cancelled()) {
    own.state_->reset();
  }
  own.deadline_ = deadline;
  own.clock_ = &clock;
}

void CancelSource::cancel_own(const Context& own, const Status& why) noexcept {
  assert(!why.is_ok());
  own.state_->cancel(why);
}

}  // namespace gaggle
