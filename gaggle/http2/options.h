// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>

#include "gaggle/http2/hpack_encoder.h"
#include "gaggle/http2/limits.h"
#include "gaggle/http2/settings.h"

namespace gaggle::http2 {

// What one end of a connection offers and how it encodes. A value, which may be that of many connections.
// Sizes in bytes.
struct Options {
  Limits limits = {};
  // What the peer may send on one stream before somebody has taken it, 0 to 2^31-1.
  uint32_t initial_window_bytes = 256 * 1024;
  // The same over all streams that are on their way to us; at least 65,535.
  uint32_t connection_window_bytes = 1024 * 1024;
  // What both grow to where a sender would otherwise wait for credit, because the round trip is long or the path fast;
  // less than what they are at first: they don't grow.
  uint32_t max_window_bytes = 16 * 1024 * 1024;
  // Largest frame that we accept, 16,384 to 2^24-1.
  uint32_t max_frame_bytes = kMinMaxFrameBytes;
  // Dynamic tables: the peer's that we keep, and the most that we use of ours.
  uint32_t header_table_bytes = kDefaultHeaderTableSize;
  uint32_t encoder_table_bytes = kDefaultHeaderTableSize;
  HuffmanUse huffman = HuffmanUse::kIndexed;

  // What is used, whatever the fields say.
  uint32_t stream_window() const { return std::min(initial_window_bytes, kMaxWindowBytes); }
  uint32_t connection_window() const {
    return std::clamp(connection_window_bytes, kDefaultWindowBytes, kMaxWindowBytes);
  }
  uint32_t largest_window() const { return std::min(max_window_bytes, kMaxWindowBytes / 2); }
  uint32_t largest_frame() const { return std::clamp(max_frame_bytes, kMinMaxFrameBytes, kMaxMaxFrameBytes); }
};

}  // namespace gaggle::http2
