// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "gaggle/http2/output_buffer.h"

namespace gaggle::http2 {

// What a Connection is in the middle of reading.

// A DATA frame, or one of no interest, whose payload is passed on as it arrives.
struct PassingFrame {
  uint32_t stream_id = 0;
  uint32_t content_left = 0;
  uint32_t padding_left = 0;
  bool end_stream = false;
  bool deliver = false;

  bool active() const { return content_left != 0 || padding_left != 0; }
};

// A header block of several frames.
struct OpenBlock {
  uint32_t stream_id = 0;
  uint32_t continuations = 0;
  bool end_stream = false;
  OutputBuffer bytes;
};

}  // namespace gaggle::http2
