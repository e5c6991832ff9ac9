// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace gaggle {

// The counter of an object that several threads share; made with one reference. The last `unref`
// deletes the object as a Derived. For objects that stay on one loop use LocalRefCounted.
template <class Derived>
class RefCounted {
 public:
  RefCounted(const RefCounted&) = delete;
  RefCounted& operator=(const RefCounted&) = delete;
  void ref() const noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
  void unref() const noexcept {
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete static_cast<const Derived*>(this);
  }

 protected:
  RefCounted() = default;
  ~RefCounted() = default;

 private:
  mutable std::atomic<uint32_t> references_{1};
};

// The same without atomics, for one thread.
template <class Derived>
class LocalRefCounted {
 public:
  LocalRefCounted(const LocalRefCounted&) = delete;
  LocalRefCounted& operator=(const LocalRefCounted&) = delete;
  void ref() const noexcept { ++references_; }
  void unref() const noexcept {
    if (--references_ == 0) delete static_cast<const Derived*>(this);
  }

 protected:
  LocalRefCounted() = default;
  ~LocalRefCounted() = default;

 private:
  mutable uint32_t references_ = 1;
};

// A pointer that holds a reference on something with ref() and unref(). One word.
template <class T>
class Ref {
 public:
  Ref() noexcept = default;
  Ref(std::nullptr_t) noexcept {}
  Ref(const Ref& other) noexcept : pointer_(other.pointer_) {
    if (pointer_ != nullptr) pointer_->ref();
  }
  Ref(Ref&& other) noexcept : pointer_(std::exchange(other.pointer_, nullptr)) {}
  template <class U>
    requires std::is_convertible_v<U*, T*>
  Ref(Ref<U> other) noexcept : pointer_(other.release()) {}
  Ref& operator=(Ref other) noexcept {
    std::swap(pointer_, other.pointer_);
    return *this;
  }
  ~Ref() {
    if (pointer_ != nullptr) pointer_->unref();
  }

  // Takes over the reference that the caller has (that of a new object, say).
  static Ref adopt(T* pointer) noexcept {
    Ref result;
    result.pointer_ = pointer;
    return result;
  }
  // Adds a reference.
  static Ref share(T* pointer) noexcept {
    if (pointer != nullptr) pointer->ref();
    return adopt(pointer);
  }
  // Hands the reference to the caller.
  [[nodiscard]] T* release() noexcept { return std::exchange(pointer_, nullptr); }

  T* get() const noexcept { return pointer_; }
  T& operator*() const noexcept { return *pointer_; }
  T* operator->() const noexcept { return pointer_; }
  explicit operator bool() const noexcept { return pointer_ != nullptr; }
  friend bool operator==(const Ref& a, const Ref& b) noexcept { return a.pointer_ == b.pointer_; }
  friend bool operator==(const Ref& a, std::nullptr_t) noexcept { return a.pointer_ == nullptr; }

 private:
  T* pointer_ = nullptr;
};

template <class T, class... Arguments>
Ref<T> make_ref(Arguments&&... arguments) {
  return Ref<T>::adopt(new T(std::forward<Arguments>(arguments)...));
}

}  // namespace gaggle
