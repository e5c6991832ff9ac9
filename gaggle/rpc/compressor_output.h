// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "gaggle/base/status.h"

namespace gaggle {

// Where a decompressor writes: a string that grows as it fills, up to a limit and one byte, the byte
// that proves that there is more.
class DecompressedOutput {
 public:
  DecompressedOutput(std::string& out, size_t limit) noexcept
      : out_(out), begin_(out.size()), end_(begin_), limit_(std::min(limit, out.max_size() - begin_ - 1)) {}
  DecompressedOutput(const DecompressedOutput&) = delete;
  DecompressedOutput& operator=(const DecompressedOutput&) = delete;
  // Only what was written stays.
  ~DecompressedOutput() { out_.resize(end_); }

  // Room for at least one byte. Only when not over the limit.
  void make_room() {
    if (end_ < out_.size()) return;
    const size_t written = end_ - begin_;
    const size_t more = std::max(written, kFirstBytes);
    out_.resize(begin_ + std::min(written + more, limit_ + 1));
  }
  uint8_t* place() noexcept { return reinterpret_cast<uint8_t*>(out_.data()) + end_; }
  size_t room() const noexcept { return out_.size() - end_; }
  void wrote(size_t bytes) noexcept { end_ += bytes; }
  bool over_limit() const noexcept { return end_ - begin_ > limit_; }

  Status too_large() const {
    return Status::resource_exhausted("the message is longer than " + std::to_string(limit_) +
                                      " bytes when it's decompressed, which is the limit");
  }

 private:
  static constexpr size_t kFirstBytes = 4096;

  std::string& out_;
  const size_t begin_;
  size_t end_;
  const size_t limit_;
};

}  // namespace gaggle
