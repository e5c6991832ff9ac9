// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/large_messages.h"

#include <memory>
#include <utility>

#include "gaggle/net/loop.h"

namespace gaggle {

struct LargeMessages::Lent {
  Ref<LargeMessages> home;
  Message message;
  size_t memory_bytes;

  ~Lent() {
    if (Loop::current() == home->loop_) {
      home->give_back(message, memory_bytes);
    } else {
      message.type->destroy(message.object);
    }
  }
};

LargeMessages::Kept LargeMessages::take(const MessageType* type) noexcept {
  for (size_t i = kept_.size(); i-- > 0;) {
    if (kept_[i].message.type != type) continue;
    const Kept found = kept_[i];
    kept_.erase(kept_.begin() + static_cast<ptrdiff_t>(i));
    kept_bytes_ -= found.memory_bytes;
    return found;
  }
  return {};
}

void LargeMessages::give_back(Message message, size_t memory_bytes) noexcept {
  if (closed_ || memory_bytes > kMaxMessageBytes || kept_bytes_ + memory_bytes > kMaxKeptBytes) {
    return message.type->destroy(message.object);
  }
  message.type->clear(message.object);
  kept_.push_back({message, memory_bytes});
  kept_bytes_ += memory_bytes;
}

Bytes LargeMessages::lend(Message message, size_t memory_bytes) {
  auto lent = std::make_unique<Lent>(Ref<LargeMessages>::share(this), message, memory_bytes);
  return Bytes::adopt(lent.release(), [](void* object) noexcept { delete static_cast<Lent*>(object); }, {});
}

void LargeMessages::clear() noexcept {
  for (const Kept& kept : kept_) kept.message.type->destroy(kept.message.object);
  kept_ = {};
  kept_bytes_ = 0;
}

void LargeMessages::close() noexcept {
  closed_ = true;
  clear();
}

}  // namespace gaggle
