// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace gaggle {

// An immutable run of bytes that shares its storage: copying and slicing cost a counter.
//
// The storage is counted atomically, so a Bytes may be handed to another thread; one Bytes object
// must not be changed by two threads at once. An empty Bytes owns nothing.
class Bytes {
 public:
  Bytes() noexcept = default;
  Bytes(const Bytes& other) noexcept;
  Bytes(Bytes&& other) noexcept;
  Bytes& operator=(const Bytes& other) noexcept;
  Bytes& operator=(Bytes&& other) noexcept;
  ~Bytes();

  // One allocation for counter and content together.
  static Bytes copy_of(std::string_view content);
  static Bytes copy_of(std::span<const uint8_t> content);
  // Takes the string over; its content isn't copied.
  static Bytes take(std::string&& content);
  // Content that lies in an object and lives as long: takes the object over, and `destroy` is called for it by
  // whoever lets go of the last of its bytes, on that thread.
  static Bytes adopt(void* object, void (*destroy)(void* object) noexcept, std::span<const uint8_t> content);
  // An owner, itself empty, for content that its maker keeps alive: siblings of it lend that content out. When the
  // maker can't wait any longer, is_shared() says whether some is still lent, and end_loan() ends it.
  static Bytes lender();
  // Room for `size` bytes that the caller writes through `*content` before it shares the result.
  static Bytes uninitialised(size_t size, uint8_t** content);
  // Bytes that outlive every use by other means: literals, mapped files. Never freed.
  static Bytes unowned(std::string_view content) noexcept;

  const uint8_t* data() const noexcept { return data_; }
  size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  std::string_view view() const noexcept { return {reinterpret_cast<const char*>(data_), size_}; }
  std::span<const uint8_t> span() const noexcept { return {data_, size_}; }

  // Bytes [offset, offset + count), cut to what there is; shares the storage.
  Bytes slice(size_t offset, size_t count = SIZE_MAX) const noexcept;
  void remove_prefix(size_t count) noexcept;  // count <= size()
  // Other content in the same storage, wherever it lies there; only for Bytes that own some.
  Bytes sibling(std::span<const uint8_t> content) const noexcept;

  // Others share the storage.
  bool is_shared() const noexcept { return owner_ != nullptr && has_others(); }
  bool has_storage() const noexcept { return owner_ != nullptr; }
  // Content that `lender` has lent becomes a copy; other content stays as it is.
  void end_loan(const Bytes& lender);

  // Compares content.
  friend bool operator==(const Bytes& a, const Bytes& b) noexcept { return a.view() == b.view(); }

 private:
  struct Owner;
  bool has_others() const noexcept;
  const uint8_t* data_ = nullptr;
  size_t size_ = 0;
  Owner* owner_ = nullptr;
};

}  // namespace gaggle
