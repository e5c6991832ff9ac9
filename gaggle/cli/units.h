// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "gaggle/base/clock.h"
#include "gaggle/base/result.h"

namespace gaggle::cli {

// "64MiB", "16KiB", "1GiB", or plain bytes "4096". INVALID_ARGUMENT says what is wrong.
Result<size_t> parse_size(std::string_view text);

// "250ms", "30s", "5m", "2h"; the unit is needed. INVALID_ARGUMENT says what is wrong.
Result<Duration> parse_duration(std::string_view text);

}  // namespace gaggle::cli
