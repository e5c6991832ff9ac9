// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "gaggle/base/bytes.h"
#include "gaggle/base/clock.h"

namespace gaggle::cache {

// What a key stands for: immutable shared bytes, and when they stop being true.
//
// Copying shares the bytes. The expiry is a point of the monotonic clock; on the wire it travels as
// the time that is left, so that nodes need no common clock.
struct Value {
  Bytes bytes;
  TimePoint expiry = kNever;

  bool expired(TimePoint now) const noexcept { return expiry <= now; }
};

}  // namespace gaggle::cache
