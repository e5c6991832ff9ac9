// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "gaggle/base/result.h"
#include "gaggle/net/byte_stream.h"
#include "gaggle/net/file_descriptor.h"

namespace gaggle {

class Loop;

// Makes a stream of a connected TCP or unix stream socket, on `loop`. TCP_NODELAY is set; the socket
// becomes non-blocking. Loop's thread only. UNAVAILABLE when the system can't watch it.
Result<std::unique_ptr<ByteStream>> make_socket_stream(Loop& loop, FileDescriptor socket);

}  // namespace gaggle
