// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "gaggle/base/bytes.h"
#include "gaggle/http2/output_buffer.h"

namespace gaggle::http2 {

// The bytes of a connection in the order of the wire: one contiguous buffer, with shared slices
// between its parts. Holds a small buffer at most while nothing is unsent. Not thread-safe.
//
// Invariants: slices are ordered by `at`, the place in the buffer before which they are written;
// everything before sent_ in the buffer, and slices before Slices::next, is written.
class OutputQueue {
 public:
  // Where frames are appended.
  OutputBuffer& buffer() { return buffer_; }
  // Puts a slice behind what the buffer has now.
  void append_slice(Bytes slice);

  bool empty() const { return unsent_bytes() == 0; }
  size_t unsent_bytes() const { return buffer_.size() - sent_ + (slices_ != nullptr ? slices_->unsent_bytes : 0); }
  // Bytes ever written, and ever appended: positions in the stream of bytes.
  uint64_t position_written() const { return written_; }
  uint64_t position_end() const { return written_ + unsent_bytes(); }

  size_t gather(std::span<iovec> parts) const;
  void written(size_t bytes);

  // Slices that `lender` has lent become copies.
  void end_loan(const Bytes& lender);

  // Drops everything unsent.
  void clear();
  // Gives memory back if nothing is unsent.
  void release_memory();
  size_t memory_bytes() const;

 private:
  struct Slice {
    size_t at;
    Bytes bytes;
  };
  struct Slices {
    std::vector<Slice> list;
    size_t next = 0;
    size_t unsent_bytes = 0;

    bool has_next() const { return next < list.size(); }
  };
  void compact();

  OutputBuffer buffer_;
  size_t sent_ = 0;
  std::unique_ptr<Slices> slices_;  // made for the first one: small calls have none
  uint64_t written_ = 0;
};

}  // namespace gaggle::http2
