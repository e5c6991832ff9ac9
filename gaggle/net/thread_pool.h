// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

#include "gaggle/net/loop_work.h"

namespace gaggle {

// Something to do once on a thread of a ThreadPool.
class PoolWork {
 public:
  PoolWork() = default;
  PoolWork(const PoolWork&) = delete;
  PoolWork& operator=(const PoolWork&) = delete;
  virtual void run_on_pool() noexcept = 0;  // may destroy the object

 protected:
  virtual ~PoolWork() = default;

 private:
  friend class ThreadPool;
  PoolWork* next_ = nullptr;
};

// A few threads for what blocks: files, databases, compression. Nothing that blocks runs on a loop.
//
// The queue is bounded: submit() refuses when it is full, which run_blocking() (run_blocking.h) turns
// into RESOURCE_EXHAUSTED. Thread-safe. Destruction runs what is queued, then joins.
class ThreadPool {
 public:
  explicit ThreadPool(size_t threads, size_t max_queued = 1024);
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;
  ~ThreadPool();

  // False, and `work` is untouched, when max_queued wait already.
  [[nodiscard]] bool submit(PoolWork& work) noexcept;
  size_t size() const noexcept { return threads_.size(); }
  size_t queued() const noexcept;
  uint64_t refused() const noexcept;  // how often submit() said no

 private:
  void run() noexcept;

  const size_t max_queued_;
  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable wake_;
  PoolWork* head_ = nullptr;
  PoolWork** tail_ = &head_;
  size_t queued_ = 0;
  uint64_t refused_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace gaggle
