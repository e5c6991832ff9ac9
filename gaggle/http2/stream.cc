// SPDX-License-Identifier: Apache-2.0
#include "gaggle/http2/stream.h"

#include <cassert>
#include <utility>

namespace gaggle::http2 {

void SliceQueue::push(Bytes slice) {
  if (slices_ == nullptr) slices_ = std::make_unique<Slices>();
  slices_->bytes += slice.size();
  slices_->list.push_back(std::move(slice));
}

void SliceQueue::drop_front(size_t bytes) {
  slices_->bytes -= bytes;
  auto& [list, head, all] = *slices_;
  Bytes& front = list[head];
  if (bytes < front.size()) {
    front.remove_prefix(bytes);
    return;
  }
  front = Bytes();
  if (++head == list.size()) {
    clear();
  } else if (head >= 64 && head * 2 >= list.size()) {
    list.erase(list.begin(), list.begin() + static_cast<ptrdiff_t>(head));
    head = 0;
  }
}

void SliceQueue::end_loan(const Bytes& lender) {
  if (slices_ == nullptr) return;
  for (size_t i = slices_->head; i < slices_->list.size(); ++i) slices_->list[i].end_loan(lender);
}

void SliceQueue::clear() {
  if (slices_ == nullptr) return;
  slices_->bytes = 0;
  slices_->list.clear();
  slices_->head = 0;
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
