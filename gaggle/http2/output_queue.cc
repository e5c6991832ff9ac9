// SPDX-License-Identifier: Apache-2.0
#include "gaggle/http2/output_queue.h"

#include <algorithm>
#include <utility>

namespace gaggle::http2 {

namespace {
constexpr size_t kCompactBytes = 64 * 1024;  // written bytes that may stay in front
constexpr size_t kKeptBytes = 256 * 1024;    // capacity that an empty buffer keeps
constexpr size_t kKeptSlices = 256;
iovec part(const uint8_t* data, size_t bytes) { return {const_cast<uint8_t*>(data), bytes}; }
}  // namespace

void OutputQueue::append_slice(Bytes slice) {
  unsent_slice_bytes_ += slice.size();
  slices_.push_back({buffer_.size(), std::move(slice)});
}

size_t OutputQueue::gather(std::span<iovec> parts) const {
  size_t used = 0;
  size_t at = sent_;
  for (size_t i = next_slice_; i < slices_.size() && used < parts.size(); ++i) {
    const Slice& slice = slices_[i];
    if (slice.at > at) {
      parts[used++] = part(buffer_.data() + at, slice.at - at);
      at = slice.at;
    }
    if (used == parts.size()) return used;
    parts[used++] = part(slice.bytes.data(), slice.bytes.size());
  }
  if (at < buffer_.size() && used < parts.size()) parts[used++] = part(buffer_.data() + at, buffer_.size() - at);
  return used;
}

void OutputQueue::written(size_t bytes) {
  written_ += bytes;
  while (bytes > 0) {
    const size_t until = next_slice_ < slices_.size() ? slices_[next_slice_].at : buffer_.size();
    const size_t plain = std::min(bytes, until - sent_);
    sent_ += plain;
    bytes -= plain;
    if (bytes == 0 || next_slice_ == slices_.size()) break;
    Bytes& slice = slices_[next_slice_].bytes;
    const size_t shared = std::min(bytes, slice.size());
    slice.remove_prefix(shared);
    unsent_slice_bytes_ -= shared;
    bytes -= shared;
    if (slice.empty()) slices_[next_slice_++].bytes = Bytes();
  }
  compact();
}

void OutputQueue::compact() {
  if (empty()) {
    clear();
    if (buffer_.capacity() > kKeptBytes) buffer_.release();
    if (slices_.capacity() > kKeptSlices) slices_ = std::vector<Slice>();
  } else if (sent_ >= kCompactBytes && sent_ * 2 >= buffer_.size()) {
    slices_.erase(slices_.begin(), slices_.begin() + static_cast<ptrdiff_t>(next_slice_));
    next_slice_ = 0;
    for (Slice& slice : slices_) slice.at -= sent_;
    buffer_.consume(sent_);
    sent_ = 0;
  }
}

void OutputQueue::clear() {
  buffer_.clear();
  sent_ = 0;
  slices_.clear();
  next_slice_ = 0;
  unsent_slice_bytes_ = 0;
}

void OutputQueue::release_memory() {
  if (!empty()) return;
  clear();
  buffer_.release();
  slices_ = std::vector<Slice>();
}

}  // namespace gaggle::http2
