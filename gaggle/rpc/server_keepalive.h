// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>

#include "gaggle/base/clock.h"

namespace gaggle {

// How a server finds out that a silent client is gone. gRFC A8, A9; grpc-go's ServerParameters.
struct ServerKeepalive {
  Duration time = std::chrono::hours{2};        // silence after which to ask; at least 1 s; max: never
  Duration timeout = std::chrono::seconds{20};  // no sign of life for so long after asking: closed
};

// How often clients may ask. A PING is a strike when it comes sooner than `min_time` after the one
// before, or, on a connection without calls and without the permission, sooner than two hours. With
// the third strike the connection ends: GOAWAY(ENHANCE_YOUR_CALM, "too_many_pings"), upon which
// clients double their time. Whatever the server sends on a call (headers, messages, a status) clears
// the strikes, and the first PING after it is free: clients measure the bandwidth so. gRFC A8.
struct KeepaliveEnforcement {
  Duration min_time = std::chrono::minutes{5};
  bool permit_without_stream = false;
};

// The strikes of one connection. Has no clock of its own.
class PingStrikes {
 public:
  // A PING has come at `now`, with calls running or not, when `frames_sent` frames with headers or data had been
  // sent so far. False when it was one strike too many.
  bool allow(const KeepaliveEnforcement& rule, TimePoint now, bool has_calls, uint32_t frames_sent) noexcept;

 private:
  TimePoint last_ = kNever;  // the PING before; never: none
  uint32_t frames_sent_ = 0;
  uint8_t strikes_ = 0;
};

}  // namespace gaggle
