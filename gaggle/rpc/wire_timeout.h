// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "gaggle/base/clock.h"

namespace gaggle::wire {

// `grpc-timeout`: one to eight digits and a unit, H M S m u n. See gRPC over HTTP2, "Timeout".
using TimeoutText = std::array<char, 9>;

// Writes `timeout` in the smallest unit in which it fits eight digits, rounded up, so that the server
// never gives up before the client does. Zero and less: "0n". The view is of `buffer`.
std::string_view encode_timeout(Duration timeout, TimeoutText& buffer) noexcept;

// Nullopt for what isn't a timeout, which must fail the call rather than pass for "none". More than a
// Duration holds (292 years) is cut to Duration::max().
std::optional<Duration> decode_timeout(std::string_view text) noexcept;

}  // namespace gaggle::wire
