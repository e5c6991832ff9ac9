// SPDX-License-Identifier: Apache-2.0
#include "gaggle/base/bytes.h"

#include <algorithm>
#include <atomic>
#include <cassert>
#include <cstring>
#include <memory>
#include <new>
#include <utility>

#include "gaggle/base/block_pool.h"
#include "gaggle/base/page_place.h"

namespace gaggle {

// Counts the users of one storage. Content that was copied lies behind it; content that was taken
// over lies in `object`.
struct Bytes::Owner {
  std::atomic<uint32_t> references{1};
  uint32_t size_class = BlockPool::kNoClass;  // of this and the content behind it
  void* object = nullptr;
  void (*destroy)(void* object) noexcept = nullptr;

  void ref() noexcept { references.fetch_add(1, std::memory_order_relaxed); }
  void unref() noexcept {
    if (references.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    if (object != nullptr) destroy(object);
    const uint32_t block = size_class;
    this->~Owner();
    BlockPool::deallocate(this, block);
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
  // Small ones may be kept by the thousand, and shouldn't be rounded up.
  const bool large = size >= BlockPool::kLargeBytes;
  const size_t whole = sizeof(Owner) + size + (large ? kPageBytes : 0);
  const uint32_t size_class = large ? BlockPool::class_of(whole) : BlockPool::kNoClass;
  auto* owner = new (BlockPool::allocate(whole, size_class)) Owner;
  owner->size_class = size_class;
  auto* storage = reinterpret_cast<uint8_t*>(owner + 1);
  if (large) storage = place_in_page(storage);
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
  auto string = std::make_unique<std::string>(std::move(content));
  const auto* data = reinterpret_cast<const uint8_t*>(string->data());
  const size_t size = string->size();
  return adopt(string.release(), [](void* object) noexcept { delete static_cast<std::string*>(object); }, {data, size});
}

Bytes Bytes::adopt(void* object, void (*destroy)(void* object) noexcept, std::span<const uint8_t> content) {
  void* room = nullptr;
  try {
    room = ::operator new(sizeof(Owner));
  } catch (...) {
    destroy(object);
    throw;
  }
  Bytes bytes;
  bytes.owner_ = new (room) Owner;
  bytes.owner_->object = object;
  bytes.owner_->destroy = destroy;
  bytes.data_ = content.data();
  bytes.size_ = content.size();
  return bytes;
}

Bytes Bytes::lender() {
  Bytes bytes;
  bytes.owner_ = new (::operator new(sizeof(Owner))) Owner;
  return bytes;
}

bool Bytes::has_others() const noexcept { return owner_->references.load(std::memory_order_acquire) > 1; }

void Bytes::end_loan(const Bytes& lender) {
  if (owner_ != nullptr && owner_ == lender.owner_) *this = copy_of(span());
}

Bytes Bytes::sibling(std::span<const uint8_t> content) const noexcept {
  assert(owner_ != nullptr);
  Bytes other(*this);
  other.data_ = content.data();
  other.size_ = content.size();
  return other;
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
