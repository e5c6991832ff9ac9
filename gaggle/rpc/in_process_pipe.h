// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string_view>
#include <utility>

#include "gaggle/net/byte_stream.h"

namespace gaggle {

// The address that both ends of an in-process connection show.
inline constexpr std::string_view kInProcessPath = "@in-process";

// The two ends of a connection in memory, on one loop. A direction holds at most this much that
// nobody has read; the writer waits then.
inline constexpr size_t kInProcessPipeBytes = 256 * 1024;
std::pair<std::unique_ptr<ByteStream>, std::unique_ptr<ByteStream>> make_in_process_pipe(Loop& loop);

}  // namespace gaggle
