// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/framing.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace gaggle {
namespace {

// A shorter message is copied out; a longer one takes the storage with it.
constexpr size_t kTakeBytes = 4096;

// Storage is at most so many times as large as what has arrived.
constexpr size_t kGrowth = 8;

}  // namespace

uint8_t* write_message_prefix(uint8_t* out, size_t size, bool compressed) noexcept {
  out[0] = compressed ? 1 : 0;
  out[1] = static_cast<uint8_t>(size >> 24);
  out[2] = static_cast<uint8_t>(size >> 16);
  out[3] = static_cast<uint8_t>(size >> 8);
  out[4] = static_cast<uint8_t>(size);
  return out + kMessagePrefixBytes;
}

void MessageReader::reset() noexcept {
  message_ = {};
  allow_compressed_ = compressed_ = false;
  stored_ = used_ = given_ = 0;
  if (storage_.size() > kKeptBytes) storage_ = {};
}

MessageReader::Step MessageReader::read_prefix(const uint8_t* prefix) noexcept {
  declared_ = uint32_t{prefix[1]} << 24 | uint32_t{prefix[2]} << 16 | uint32_t{prefix[3]} << 8 | prefix[4];
  if (prefix[0] > 1) return Step::kBadFlag;
  if (prefix[0] == 1 && !allow_compressed_) return Step::kCompressed;
  compressed_ = prefix[0] != 0;
  return declared_ > limit_ ? Step::kTooLarge : Step::kMessage;
}

MessageReader::Step MessageReader::next(std::span<const uint8_t>& piece) {
  if (stored_ != 0) drop_used();
  if (stored_ == 0 && piece.size() >= kMessagePrefixBytes) {
    const Step step = read_prefix(piece.data());
    if (step != Step::kMessage) return step;
    if (piece.size() - kMessagePrefixBytes >= declared_) {
      message_ = piece.subspan(kMessagePrefixBytes, declared_);
      piece = piece.subspan(message_wire_bytes());
      return Step::kMessage;
    }
  }
  if (stored_bytes() < kMessagePrefixBytes) store(piece, kMessagePrefixBytes - stored_bytes());
  if (stored_bytes() < kMessagePrefixBytes) return Step::kMore;
  const Step step = read_prefix(content_ + used_);
  if (step != Step::kMessage) return step;
  const size_t wire_bytes = kMessagePrefixBytes + declared_;
  if (stored_bytes() < wire_bytes) store(piece, wire_bytes - stored_bytes());
  if (stored_bytes() < wire_bytes) return Step::kMore;
  message_ = {content_ + used_ + kMessagePrefixBytes, declared_};
  given_ = wire_bytes;
  return Step::kMessage;
}

void MessageReader::keep(std::span<const uint8_t> piece) {
  drop_used();
  store(piece, piece.size());
}

Bytes MessageReader::take_message() {
  const bool fills_storage = given_ != 0 && stored_ == used_ + given_ && message_.size() >= kTakeBytes;
  if (!fills_storage) return Bytes::copy_of(message_);
  const std::span<const uint8_t> message = std::exchange(message_, {});
  stored_ = used_ = given_ = 0;
  return std::exchange(storage_, {}).sibling(message);
}

size_t MessageReader::missing_bytes() const noexcept {
  const size_t have = stored_bytes();
  if (have < kMessagePrefixBytes) return kMessagePrefixBytes - have;
  const uint8_t* prefix = content_ + used_ + given_;
  const size_t size = size_t{prefix[1]} << 24 | size_t{prefix[2]} << 16 | size_t{prefix[3]} << 8 | prefix[4];
  return kMessagePrefixBytes + size > have ? kMessagePrefixBytes + size - have : 0;
}

// What was given out is gone now. Bytes move to the front only when most of the storage is used up, so
// that many small messages cost no more than one move of each byte.
void MessageReader::drop_used() noexcept {
  message_ = {};
  used_ += std::exchange(given_, 0);
  if (used_ == stored_) {
    stored_ = used_ = 0;
  } else if (used_ > stored_ / 2) {
    std::memmove(content_, content_ + used_, stored_ - used_);
    stored_ -= std::exchange(used_, 0);
  }
}

// To the whole of the message that is being stored if that isn't far: fewer moves than doubling takes.
void MessageReader::grow(size_t size) {
  const size_t capacity = std::clamp(stored_ + missing_bytes(), std::max(size, 2 * storage_.size()), kGrowth * size);
  uint8_t* content = nullptr;
  Bytes larger = Bytes::uninitialised(capacity, &content);
  if (stored_ != 0) std::memcpy(content, content_, stored_);
  storage_ = std::move(larger);
  content_ = content;
}

void MessageReader::store(std::span<const uint8_t>& piece, size_t bytes) {
  const size_t taken = std::min(bytes, piece.size());
  if (taken == 0) return;
  if (const size_t size = stored_ + taken; size > storage_.size()) grow(size);
  std::memcpy(content_ + stored_, piece.data(), taken);
  stored_ += taken;
  piece = piece.subspan(taken);
}

size_t MessageCounter::count(std::span<const uint8_t> piece) noexcept {
  size_t messages = 0;
  while (!piece.empty()) {
    if (prefix_bytes_ < kMessagePrefixBytes) {
      declared_ = declared_ << 8 | (prefix_bytes_ == 0 ? 0u : piece[0]);
      piece = piece.subspan(1);
      if (++prefix_bytes_ < kMessagePrefixBytes) continue;
      left_ = declared_;
    }
    const size_t taken = std::min<size_t>(left_, piece.size());
    left_ -= static_cast<uint32_t>(taken);
    piece = piece.subspan(taken);
    if (left_ != 0) break;
    ++messages;
    prefix_bytes_ = 0;
    declared_ = 0;
  }
  return messages;
}

}  // namespace gaggle
