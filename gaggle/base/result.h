// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cassert>
#include <expected>
#include <type_traits>
#include <utility>

#include "gaggle/base/status.h"

namespace gaggle {

// A value, or the Status that says why there is none.
//
// A class rather than an alias of std::expected, so that ignoring one is a warning. Made implicitly
// from a value or from a non-OK Status; an OK Status without a value is a mistake of the caller and
// becomes INTERNAL.
//
//   Result<int> parse(std::string_view text);
//   auto n = parse("7");
//   if (!n) return n.error();
//   use(*n);
template <class T>
class [[nodiscard]] Result {
 public:
  using value_type = T;

  Result(Status status) : state_(std::unexpect, checked(std::move(status))) {}
  template <class U = T>
    requires(std::is_constructible_v<T, U &&> && !std::is_same_v<std::remove_cvref_t<U>, Result> &&
             !std::is_same_v<std::remove_cvref_t<U>, Status>)
  Result(U&& value) : state_(std::in_place, std::forward<U>(value)) {}

  bool is_ok() const noexcept { return state_.has_value(); }
  explicit operator bool() const noexcept { return is_ok(); }

  // Undefined unless is_ok().
  T& operator*() & noexcept { return *state_; }
  const T& operator*() const& noexcept { return *state_; }
  T&& operator*() && noexcept { return *std::move(state_); }
  T* operator->() noexcept { return &*state_; }
  const T* operator->() const noexcept { return &*state_; }

  // Undefined when is_ok().
  const Status& error() const& noexcept { return state_.error(); }
  Status&& error() && noexcept { return std::move(state_).error(); }

  // The error, or OK.
  Status status() const { return is_ok() ? Status::ok() : state_.error(); }

 private:
  static Status checked(Status status) {
    return status.is_ok() ? Status::internal("a result was made from an OK status without a value") : std::move(status);
  }

  std::expected<T, Status> state_;
};

}  // namespace gaggle
