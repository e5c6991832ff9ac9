// SPDX-License-Identifier: Apache-2.0
#include "gaggle/cache/utf8.h"

#include <cstddef>
#include <cstdint>

namespace gaggle::cache {

bool is_utf8(std::string_view text) noexcept {
  for (size_t i = 0; i < text.size();) {
    const auto byte = [&](size_t at) { return at < text.size() ? static_cast<uint8_t>(text[at]) : 0; };
    const uint8_t first = byte(i);
    const size_t length = first < 0x80   ? 1
                          : first < 0xC2 ? 0
                          : first < 0xE0 ? 2
                          : first < 0xF0 ? 3
                          : first < 0xF5 ? 4
                                         : 0;
    if (length == 0) return false;
    for (size_t n = 1; n < length; ++n) {
      if ((byte(i + n) & 0xC0) != 0x80) return false;
    }
    const uint8_t second = byte(i + 1);
    if ((first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F) || (first == 0xF0 && second < 0x90) ||
        (first == 0xF4 && second > 0x8F)) {
      return false;
    }
    i += length;
  }
  return true;
}

}  // namespace gaggle::cache
