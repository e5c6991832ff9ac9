// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "gaggle/base/status.h"

namespace gaggle {

// "WHAT: Connection refused" with `code`, for an errno value. Thread-safe.
Status system_error(StatusCode code, std::string_view what, int error_number);

}  // namespace gaggle
