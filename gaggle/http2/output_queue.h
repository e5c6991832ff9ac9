// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "gaggle/base/bytes.h"
#include "gaggle/http2/output_buffer.h"

namespace gaggle::http2 {

// The bytes of a connection in the order of the wire: one contiguous buffer, with shared slices
// between its parts. Not thread-safe.
//
// Invariants: slices_ are ordered by `at`, the place in the buffer before which they are written;
// everything before sent_ in the buffer, and slices before next_slice_, is written.
class OutputQueue {
 public:
  // Where frames are appended.
  OutputBuffer& buffer() { return buffer_; }
  // Puts a slice behind what the buffer has now.
  void append_slice(Bytes slice);

  bool empty() const { return unsent_bytes() == 0; }
  size_t unsent_bytes() const { return buffer_.size() - sent_ + unsent_slice_bytes_; }
  // Bytes ever written, and ever appended: positions in the stream of bytes.
  uint64_t position_written() const { return written_; }
  uint64_t position_end() const { return written_ + unsent_bytes(); }

  size_t gather(std::span<iovec> parts) const;
  void written(size_t bytes);

  // Drops everything unsent.
  void clear();
  // Gives memory back if nothing is unsent.
  void release_memory();
  size_t memory_bytes() const { return buffer_.capacity() + slices_.capacity() * sizeof(Slice); }

 private:
  struct Slice {
    size_t at;
    Bytes bytes;
  };
  void compact();

  OutputBuffer buffer_;
  size_t sent_ = 0;
  std::vector<Slice> slices_;
  size_t next_slice_ = 0;
  size_t unsent_slice_bytes_ = 0;
  uint64_t written_ = 0;
};

}  // namespace gaggle::http2
