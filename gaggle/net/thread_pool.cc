// SPDX-License-Identifier: Apache-2.0
#include "gaggle/net/thread_pool.h"

#include <algorithm>

namespace gaggle {

ThreadPool::ThreadPool(size_t threads, size_t max_queued) : max_queued_(max_queued) {
  const size_t count = std::max<size_t>(threads, 1);
  for (size_t i = 0; i < count; ++i) threads_.emplace_back([this] { run(); });
}

ThreadPool::~ThreadPool() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

bool ThreadPool::submit(PoolWork& work) noexcept {
  {
    const std::lock_guard lock(mutex_);
    if (queued_ >= max_queued_) {
      ++refused_;
      return false;
    }
    work.next_ = nullptr;
    *tail_ = &work;
    tail_ = &work.next_;
    ++queued_;
  }
  wake_.notify_one();
  return true;
}

size_t ThreadPool::queued() const noexcept {
  const std::lock_guard lock(mutex_);
  return queued_;
}

uint64_t ThreadPool::refused() const noexcept {
  const std::lock_guard lock(mutex_);
  return refused_;
}

void ThreadPool::run() noexcept {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return head_ != nullptr || stopping_; });
    if (head_ == nullptr) return;
    PoolWork* work = head_;
    head_ = work->next_;
    if (head_ == nullptr) tail_ = &head_;
    --queued_;
    lock.unlock();
    work->run_on_pool();
    lock.lock();
  }
}

}  // namespace gaggle
