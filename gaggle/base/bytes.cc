// SPDX-License-Identifier: Apache-2.0
#include "gaggle/base/bytes.h"

#include <algorithm>
#include <atomic>
#include <cassert>
#include <cstring>
#include <new>
#include <utility>

namespace gaggle {

// Counts the users of one storage. Content that was copied lies directly behind it; content that
// was taken over lies in `string`.
struct Bytes::Owner {
  std::atomic<uint32_t> references{1};
  std::string* string = nullptr;

  void ref() noexcept { references.fetch_add(1, std::memory_order_relaxed); }
  void unref() noexcept {
    if (references.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    delete string;
    this->~Owner();
    ::operator delete(this);
  }
};

Bytes::Bytes(const Bytes& other) noexcept : data_(other.data_), size_(other.size_), owner_(other.owner_) {
  if (owner_ != nullptr) owner_->ref();
}

Bytes::Bytes(Bytes&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      owner_(std::exchange(other.owner_, nullptr)) {}

Bytes& Bytes::operator=(const Bytes& other) noexcept { return *this = Bytes(other); }

Bytes& Bytes::operator=(Bytes&& other) noexcept {
  Bytes taken(std::move(other));
  std::swap(data_, taken.data_);
  std::swap(size_, taken.size_);
  std::swap(owner_, taken.owner_);
  return *this;
}

Bytes::~Bytes() {
  if (owner_ != nullptr) owner_->unref();
}

Bytes Bytes::uninitialised(size_t size, uint8_t** content) {
  *content = nullptr;
  if (size == 0) return {};
  auto* owner = new (::operator new(sizeof(Owner) + size)) Owner;
  auto* storage = reinterpret_cast<uint8_t*>(owner + 1);
  Bytes bytes;
  bytes.data_ = storage;
  bytes.size_ = size;
  bytes.owner_ = owner;
  *content = storage;
  return bytes;
}

Bytes Bytes::copy_of(std::span<const uint8_t> content) {
  uint8_t* storage = nullptr;
  Bytes bytes = uninitialised(content.size(), &storage);
  if (!content.empty()) std::memcpy(storage, content.data(), content.size());
  return bytes;
}

Bytes Bytes::copy_of(std::string_view content) {
  return copy_of(std::span{reinterpret_cast<const uint8_t*>(content.data()), content.size()});
}

Bytes Bytes::take(std::string&& content) {
  if (content.empty()) return {};
  auto* owner = new (::operator new(sizeof(Owner))) Owner;
  Bytes bytes;
  bytes.owner_ = owner;  // from here on the destructor cleans up
  owner->string = new std::string(std::move(content));
  bytes.data_ = reinterpret_cast<const uint8_t*>(owner->string->data());
  bytes.size_ = owner->string->size();
  return bytes;
}

Bytes Bytes::unowned(std::string_view content) noexcept {
  Bytes bytes;
  bytes.data_ = reinterpret_cast<const uint8_t*>(content.data());
  bytes.size_ = content.size();
  return bytes;
}

Bytes Bytes::slice(size_t offset, size_t count) const noexcept {
  if (offset >= size_) return {};
  Bytes part(*this);
  part.data_ += offset;
  part.size_ = std::min(count, size_ - offset);
  if (part.size_ == 0) return {};
  return part;
}

void Bytes::remove_prefix(size_t count) noexcept {
  assert(count <= size_);
  data_ += count;
  size_ -= count;
  if (size_ == 0) *this = Bytes{};
}

}  // namespace gaggle
