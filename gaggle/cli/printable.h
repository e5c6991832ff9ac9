// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace gaggle::cli {

// Text of strangers as a terminal may be shown it: control characters, which could move the cursor or
// write a line that looks like ours, become "\xNN".
std::string printable(std::string_view text);

}  // namespace gaggle::cli
