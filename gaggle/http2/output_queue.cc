// SPDX-License-Identifier: Apache-2.0
#include "gaggle/http2/output_queue.h"

#include <algorithm>
#include <utility>

namespace gaggle::http2 {

namespace {
constexpr size_t kCompactBytes = 64 * 1024;  // written bytes that may stay in front
constexpr size_t kKeptSlices = 256;
iovec part(const uint8_t* data, size_t bytes) { return {const_cast<uint8_t*>(data), bytes}; }
}  // namespace

void OutputQueue::append_slice(Bytes slice) {
  if (slices_ == nullptr) slices_ = std::make_unique<Slices>();
  slices_->unsent_bytes += slice.size();
  slices_->list.push_back({buffer_.size(), std::move(slice)});
}

size_t OutputQueue::gather(std::span<iovec> parts) const {
  size_t used = 0;
  size_t at = sent_;
  const size_t slices = slices_ != nullptr ? slices_->list.size() : 0;
  for (size_t i = slices != 0 ? slices_->next : 0; i < slices && used < parts.size(); ++i) {
    const Slice& slice = slices_->list[i];
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
    const bool more = slices_ != nullptr && slices_->has_next();
    const size_t until = more ? slices_->list[slices_->next].at : buffer_.size();
    const size_t plain = std::min(bytes, until - sent_);
    sent_ += plain;
    bytes -= plain;
    if (bytes == 0 || !more) break;
    Bytes& slice = slices_->list[slices_->next].bytes;
    const size_t shared = std::min(bytes, slice.size());
    slice.remove_prefix(shared);
    slices_->unsent_bytes -= shared;
    bytes -= shared;
    if (slice.empty()) slices_->list[slices_->next++].bytes = Bytes();
  }
  compact();
}

void OutputQueue::compact() {
  if (empty()) {
    clear();
    if (buffer_.capacity() > OutputBuffer::kFirstBytes) buffer_.release();
    if (slices_ != nullptr && slices_->list.capacity() > kKeptSlices) slices_.reset();
  } else if (sent_ >= kCompactBytes && sent_ * 2 >= buffer_.size()) {
    if (slices_ != nullptr) {
      std::vector<Slice>& list = slices_->list;
      list.erase(list.begin(), list.begin() + static_cast<ptrdiff_t>(slices_->next));
      slices_->next = 0;
      for (Slice& slice : list) slice.at -= sent_;
    }
    buffer_.consume(sent_);
    sent_ = 0;
  }
}

void OutputQueue::end_loan(const Bytes& lender) {
  if (slices_ == nullptr) return;
  for (size_t i = slices_->next; i < slices_->list.size(); ++i) slices_->list[i].bytes.end_loan(lender);
}

void OutputQueue::clear() {
  buffer_.clear();
  sent_ = 0;
  if (slices_ == nullptr) return;
  slices_->list.clear();
  slices_->next = 0;
  slices_->unsent_bytes = 0;
}

void OutputQueue::release_memory() {
  if (!empty()) return;
  clear();
  buffer_.release();
  slices_.reset();
}

size_t OutputQueue::memory_bytes() const {
  return buffer_.capacity() + (slices_ != nullptr ? sizeof(Slices) + slices_->list.capacity() * sizeof(Slice) : 0);
}

}  // namespace gaggle::http2
