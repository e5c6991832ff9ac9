// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace gaggle::cache {

// Whether `text` is well-formed UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing above
// U+10FFFF. Names and keys travel as proto3 strings, which must be.
bool is_utf8(std::string_view text) noexcept;

}  // namespace gaggle::cache
