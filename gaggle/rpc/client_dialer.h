// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "gaggle/base/context.h"
#include "gaggle/base/result.h"
#include "gaggle/net/address.h"
#include "gaggle/net/byte_stream.h"
#include "gaggle/net/task.h"

namespace gaggle {

class Loop;

// How a client reaches an address: a seam for tests, simulated networks and tunnels.
//
// Awaited on `loop`'s thread, where the stream will live; ends early when `context` is cancelled, as
// it is when the attempt takes too long. An error, an exception or null fails the attempt: calls that don't
// wait for readiness get UNAVAILABLE with its words, and another attempt follows. Shared by connections: no
// unsynchronised state unless all of them live on one loop.
class Dialer {
 public:
  virtual ~Dialer() = default;
  virtual Task<Result<std::unique_ptr<ByteStream>>> dial(Loop& loop, Address address, Context context) = 0;
};

}  // namespace gaggle
