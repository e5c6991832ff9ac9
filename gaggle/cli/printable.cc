// SPDX-License-Identifier: Apache-2.0
#include "gaggle/cli/printable.h"

#include <cstdint>

namespace gaggle::cli {

std::string printable(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string result;
  result.reserve(text.size());
  for (const char c : text) {
    const auto byte = static_cast<uint8_t>(c);
    if (byte >= 0x20 && byte != 0x7f) {
      result.push_back(c);
    } else {
      result.append("\\x").append(1, kDigits[byte >> 4]).append(1, kDigits[byte & 15]);
    }
  }
  return result;
}

}  // namespace gaggle::cli
