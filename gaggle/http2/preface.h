// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace gaggle::http2 {

// What a client sends before its first frame (RFC 9113 §3.4).
inline constexpr std::string_view kClientPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

}  // namespace gaggle::http2
