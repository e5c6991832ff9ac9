// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "gaggle/rpc/message.h"

namespace gaggle {

// Messages of one type that wait, cleared, for the next call. One loop's. For those that have never held more than
// LargeMessages::kMinBytes: a giant would hold its memory for good.
class MessagePool {
 public:
  // More than one connection's calls hold between two reads, or they'd come from the heap each time.
  static constexpr size_t kMaxSpare = 256;

  explicit MessagePool(const MessageType* type) noexcept : type_(type) {}
  MessagePool(MessagePool&& other) noexcept : type_(other.type_), spare_(std::move(other.spare_)) {
    other.spare_.clear();
  }
  MessagePool& operator=(MessagePool&&) = delete;
  ~MessagePool() {
    for (void* object : spare_) type_->destroy(object);
  }

  Message take() {
    if (spare_.empty()) return {type_, type_->create()};
    void* const object = spare_.back();
    spare_.pop_back();
    return {type_, object};
  }
  void give_back(Message message) {
    if (spare_.size() >= kMaxSpare) return type_->destroy(message.object);
    type_->clear(message.object);
    spare_.push_back(message.object);
  }

 private:
  const MessageType* type_;
  std::vector<void*> spare_;
};

}  // namespace gaggle
