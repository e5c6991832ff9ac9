// SPDX-License-Identifier: Apache-2.0
#include "gaggle/http2/stream.h"

#include <cassert>
#include <utility>

namespace gaggle::http2 {

void SliceQueue::push(Bytes slice) {
  bytes_ += slice.size();
  slices_.push_back(std::move(slice));
}

void SliceQueue::drop_front(size_t bytes) {
  bytes_ -= bytes;
  Bytes& front = slices_[head_];
  if (bytes < front.size()) {
    front.remove_prefix(bytes);
    return;
  }
  front = Bytes();
  if (++head_ == slices_.size()) {
    clear();
  } else if (head_ >= 64 && head_ * 2 >= slices_.size()) {
    slices_.erase(slices_.begin(), slices_.begin() + static_cast<ptrdiff_t>(head_));
    head_ = 0;
  }
}

void SliceQueue::clear() {
  slices_.clear();
  head_ = 0;
  bytes_ = 0;
}

void Stream::open() {
  assert(state_ == StreamState::kIdle);
  state_ = StreamState::kOpen;
}

void Stream::end_local() {
  assert(state_ == StreamState::kOpen || state_ == StreamState::kHalfClosedRemote);
  state_ = state_ == StreamState::kOpen ? StreamState::kHalfClosedLocal : StreamState::kClosed;
}

void Stream::end_remote() {
  assert(state_ == StreamState::kOpen || state_ == StreamState::kHalfClosedLocal);
  state_ = state_ == StreamState::kOpen ? StreamState::kHalfClosedRemote : StreamState::kClosed;
}

void Stream::close_by_reset() {
  assert(state_ != StreamState::kClosed);
  state_ = StreamState::kClosed;
  reset_ = true;
  end_queued_ = false;
  trailers_queued_ = false;
  full_ = false;
  queue_.clear();
}

void StreamLine::push_back(Stream& stream) {
  assert(!stream.in_line_);
  stream.in_line_ = true;
  stream.next_in_line_ = nullptr;
  stream.previous_in_line_ = last_;
  (last_ != nullptr ? last_->next_in_line_ : first_) = &stream;
  last_ = &stream;
  ++size_;
}

void StreamLine::remove(Stream& stream) {
  assert(stream.in_line_);
  stream.in_line_ = false;
  (stream.previous_in_line_ != nullptr ? stream.previous_in_line_->next_in_line_ : first_) = stream.next_in_line_;
  (stream.next_in_line_ != nullptr ? stream.next_in_line_->previous_in_line_ : last_) = stream.previous_in_line_;
  --size_;
}

}  // namespace gaggle::http2
