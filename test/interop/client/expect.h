// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "gaggle/base/status.h"
#include "grpc/testing/messages.pb.h"

namespace gaggle::interop {

// What a case gives back when an expectation isn't met.
inline Status unmet(const std::string& what) { return Status::internal(what); }

inline Status expect_code(std::string_view what, const Status& got, StatusCode wanted) {
  if (got.code() == wanted) return {};
  return unmet(std::string(what) + " ended with " + got.to_string() + ", not " + std::string(status_code_name(wanted)));
}

inline Status expect_ok(std::string_view what, const Status& got) { return expect_code(what, got, StatusCode::kOk); }

template <class T>
Status expect_equal(std::string_view what, const T& got, const T& wanted) {
  if (got == wanted) return {};
  if constexpr (std::is_arithmetic_v<T>) {
    return unmet(std::string(what) + " is " + std::to_string(got) + ", not " + std::to_string(wanted));
  } else {
    return unmet(std::string(what) + " is '" + std::string(got) + "', not '" + std::string(wanted) + "'");
  }
}

inline grpc::testing::Payload zeros(size_t size) {
  grpc::testing::Payload payload;
  payload.set_body(std::string(size, '\0'));
  return payload;
}

// That the payload is `size` zeros.
inline Status expect_zeros(std::string_view what, const grpc::testing::Payload& payload, size_t size) {
  if (Status same = expect_equal(std::string(what) + ": size", payload.body().size(), size); !same) return same;
  if (payload.body().find_first_not_of('\0') != std::string::npos) return unmet(std::string(what) + ": not all zeros");
  return {};
}

}  // namespace gaggle::interop
