// SPDX-License-Identifier: Apache-2.0
#include "gaggle/http2/stream_table.h"

#include <algorithm>
#include <memory>
#include <utility>

namespace gaggle::http2 {

namespace {
constexpr uint32_t kFirstWindow = 16;
constexpr size_t kKeptSliceBytes = 1024;  // of a pooled stream's queue
bool below(const Stream* stream, uint32_t id) { return stream->id() < id; }
}  // namespace

StreamTable::~StreamTable() {
  for (Stream* stream = first_; stream != nullptr;) delete std::exchange(stream, stream->next_);
  for (Stream* stream = pool_; stream != nullptr;) delete std::exchange(stream, stream->next_);
}

Stream& StreamTable::create() {
  Stream* stream = pool_;
  if (stream != nullptr) {
    pool_ = stream->next_;
    --pooled_;
  } else {
    stream = new Stream;
  }
  link_last(*stream);
  ++size_;
  return *stream;
}

void StreamTable::assign_id(Stream& stream, uint32_t id) {
  stream.id_ = id;
  if (size_ * 2 > slots_) {
    grow(std::max(kFirstWindow, slots_ * 2));
  } else {
    put(stream);
  }
}

void StreamTable::put(Stream& stream) {
  Stream*& slot = slot_of(stream.id_);
  Stream* elder = slot;
  slot = &stream;
  if (elder == nullptr) return;
  if (elder->id_ > stream.id_) std::swap(slot, elder);
  if (elders_ == nullptr) elders_ = std::make_unique<std::vector<Stream*>>();
  elders_->insert(std::lower_bound(elders_->begin(), elders_->end(), elder->id_, below), elder);
}

void StreamTable::grow(uint32_t slots) {
  window_ = std::make_unique<Stream*[]>(slots);
  slots_ = slots;
  if (elders_ != nullptr) elders_->clear();
  for (Stream* stream = first_; stream != nullptr; stream = stream->next_) {
    if (stream->id_ != 0) put(*stream);
  }
}

Stream* StreamTable::find_elder(uint32_t id) const {
  const auto at = std::lower_bound(elders_->begin(), elders_->end(), id, below);
  return at != elders_->end() && (*at)->id_ == id ? *at : nullptr;
}

void StreamTable::destroy(Stream& stream) {
  if (stream.id_ != 0) {
    Stream*& slot = slot_of(stream.id_);
    if (slot == &stream) {
      slot = nullptr;
    } else {
      elders_->erase(std::lower_bound(elders_->begin(), elders_->end(), stream.id_, below));
    }
  }
  unlink(stream);
  --size_;

  SliceQueue queue = std::move(stream.queue_);
  auto extras = std::move(stream.extras_);
  std::destroy_at(&stream);
  std::construct_at(&stream);
  queue.clear();
  if (queue.memory_bytes() <= kKeptSliceBytes) stream.queue_ = std::move(queue);
  if (extras != nullptr) {
    extras->content_left = -1;
    extras->window = {};
  }
  stream.extras_ = std::move(extras);
  stream.next_ = pool_;
  pool_ = &stream;
  ++pooled_;
}

void StreamTable::move_to_end(Stream& stream) {
  unlink(stream);
  link_last(stream);
}

void StreamTable::link_last(Stream& stream) {
  stream.next_ = nullptr;
  stream.previous_ = last_;
  (last_ != nullptr ? last_->next_ : first_) = &stream;
  last_ = &stream;
}

void StreamTable::unlink(Stream& stream) {
  (stream.previous_ != nullptr ? stream.previous_->next_ : first_) = stream.next_;
  (stream.next_ != nullptr ? stream.next_->previous_ : last_) = stream.previous_;
}

void StreamTable::release_idle_memory() {
  while (pool_ != nullptr) delete std::exchange(pool_, pool_->next_);
  pooled_ = 0;
  if (elders_ != nullptr && elders_->empty()) elders_.reset();
  if (size_ != 0) return;
  window_.reset();
  slots_ = 0;
}

size_t StreamTable::memory_bytes() const {
  return (size_ + pooled_) * sizeof(Stream) +
         (slots_ + (elders_ != nullptr ? elders_->capacity() : 0)) * sizeof(Stream*);
}

void StreamHistory::opened(uint32_t id) {
  const uint32_t i = index(id);
  if (next_ == 0) {
    first_ = i;
  } else if (i != next_) {
    skip(next_, i);
  }
  if (exceptions_ != nullptr) {
    set(exceptions_->skipped, i, false);
    set(exceptions_->reset, i, false);
  }
  next_ = i + 1;
}

void StreamHistory::skip(uint32_t from, uint32_t to) {
  for (uint32_t i = to - from > kIds ? to - kIds : from; i < to; ++i) {
    set(exceptions().skipped, i, true);
    set(exceptions().reset, i, false);
  }
}

void StreamHistory::reset_by_us(uint32_t id) {
  if (next_ - index(id) <= kIds) set(exceptions().reset, index(id), true);
}

StreamHistory::Exceptions& StreamHistory::exceptions() {
  if (exceptions_ == nullptr) exceptions_ = std::make_unique<Exceptions>();
  return *exceptions_;
}

StreamHistory::Past StreamHistory::past(uint32_t id) const {
  const uint32_t i = index(id);
  if (next_ - i > kIds) return Past::kForgotten;
  if (i < first_) return Past::kSkipped;
  if (exceptions_ == nullptr) return Past::kEnded;
  if (test(exceptions_->reset, i)) return Past::kResetByUs;
  return test(exceptions_->skipped, i) ? Past::kSkipped : Past::kEnded;
}

}  // namespace gaggle::http2
