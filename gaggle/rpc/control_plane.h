// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "gaggle/base/status.h"

namespace gaggle {

// What a call ends with when a resolver, a balancer or credentials made it fail: codes that only a
// server may give become INTERNAL, with the old one in the text. gRFC A54.
inline Status restrict_control_plane(Status status) {
  switch (status.code()) {
    case StatusCode::kOk:
    case StatusCode::kInvalidArgument:
    case StatusCode::kNotFound:
    case StatusCode::kAlreadyExists:
    case StatusCode::kFailedPrecondition:
    case StatusCode::kAborted:
    case StatusCode::kOutOfRange:
    case StatusCode::kDataLoss: break;
    default: return status;
  }
  return Status::internal("the control plane gave " + std::string(status_code_name(status.code())) +
                          ", which only a server may: " + std::string(status.message()));
}

}  // namespace gaggle
