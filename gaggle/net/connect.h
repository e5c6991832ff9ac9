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

// Connects to `address` on `loop`, whose thread awaits this. A host name is resolved first, and its
// addresses are tried in order until one answers.
//
// UNAVAILABLE with the address and the system's words when nobody answers; CANCELLED or
// DEADLINE_EXCEEDED when `context` ends first; then nothing stays open.
Task<Result<std::unique_ptr<ByteStream>>> connect(Loop& loop, Address address, Context context);

}  // namespace gaggle
