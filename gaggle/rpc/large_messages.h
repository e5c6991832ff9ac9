// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <vector>

#include "gaggle/base/bytes.h"
#include "gaggle/base/ref.h"
#include "gaggle/rpc/message.h"

namespace gaggle {

class Loop;

// Messages that have held much and wait, cleared, for the next large one of their type. Given back to malloc, their
// memory often goes back to the system, and to fault it in anew costs more than to copy the message.
//
// One loop's, and used on its thread. What is lent may outlive the loop, and come back on any thread.
class LargeMessages final : public RefCounted<LargeMessages> {
 public:
  // Encoded: less belongs into a MessagePool.
  static constexpr size_t kMinBytes = 16 * 1024;
  // What is kept, by the largest encoding that each message has had.
  static constexpr size_t kMaxKeptBytes = size_t{16} << 20;
  static constexpr size_t kMaxMessageBytes = size_t{4} << 20;

  explicit LargeMessages(const Loop& loop) noexcept : loop_(&loop) {}
  ~LargeMessages() { clear(); }

  struct Kept {
    Message message;
    size_t memory_bytes = 0;  // its largest encoding so far
  };
  // The latest of this type, or no object.
  Kept take(const MessageType* type) noexcept;
  void give_back(Message message, size_t memory_bytes) noexcept;
  // An owner for the pieces of a message that is on its way out: when the last is gone, the message comes back,
  // or is destroyed if that happens elsewhere than on the loop.
  Bytes lend(Message message, size_t memory_bytes);

  // Destroys what is kept.
  void clear() noexcept;
  // From now on nothing is kept: the loop's part is going.
  void close() noexcept;
  size_t kept_bytes() const noexcept { return kept_bytes_; }

 private:
  struct Lent;

  const Loop* loop_;  // only to compare: it may be gone
  bool closed_ = false;
  std::vector<Kept> kept_;
  size_t kept_bytes_ = 0;
};

}  // namespace gaggle
