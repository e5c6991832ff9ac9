// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "gaggle/net/byte_stream.h"
#include "gaggle/net/task.h"

namespace gaggle {

// Waits until `stream` gives something else than kWouldBlock; what ended the task's context otherwise,
// and then nobody waits on the stream any more. For the few who await bytes one by one: handshakes,
// proxies. The stream outlives the task.
Task<Status> until_readable(ByteStream& stream);
Task<Status> until_writable(ByteStream& stream);

}  // namespace gaggle
