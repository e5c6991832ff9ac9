// SPDX-License-Identifier: Apache-2.0
//
// How streams begin and end (RFC 9113 §5.1), and the slots that bound the handlers.
//
// Three things end at different times: the stream on the wire (close), the interest of the layer
// above (release), and, on a server, the wait for a slot. A stream is destroyed when the first two
// have happened.
#include <algorithm>
#include <utility>

#include "gaggle/http2/connection.h"

namespace gaggle::http2 {

namespace {
// What a peer may still send of a stream when we reset it, beside its window: a header block.
constexpr int64_t kLateBlockBytes = 16 * 1024;
}  // namespace

CanOpen Connection::can_open() const {
  if (failed_) return CanOpen::kFailed;
  if (going_away()) return CanOpen::kGoingAway;
  if (next_id_ + 2 * idle_streams_ > kMaxStreamId) return CanOpen::kIdsExhausted;
  const uint32_t limit = peer_settings_received_ ? peer_.max_concurrent_streams : options_.limits.assumed_peer_streams;
  return open_streams_ < limit ? CanOpen::kYes : CanOpen::kStreamLimit;
}

Stream* Connection::open_stream() {
  const CanOpen can = can_open();
  if (can == CanOpen::kStreamLimit) open_refused_ = true;
  if (can != CanOpen::kYes || role_ != Role::kClient) return nullptr;
  ++open_streams_;
  ++idle_streams_;
  Stream& stream = streams_.create();
  stream.started_ = true;
  return &stream;
}

// Called with the first HEADERS, so that ids reach the server in their order.
void Connection::give_id(Stream& stream) {
  --idle_streams_;
  history_.opened(next_id_);
  begin(stream, next_id_);
  next_id_ += 2;
}

Stream& Connection::accept(uint32_t stream_id) {
  ++open_streams_;
  Stream& stream = streams_.create();
  begin(stream, stream_id);
  // A client whose ids are used up needs another connection; it learns so in time.
  if (stream_id == kMaxStreamId) goaway(ErrorCode::kNoError, "no stream ids left");
  return stream;
}

void Connection::begin(Stream& stream, uint32_t stream_id) {
  streams_.assign_id(stream, stream_id);
  stream.open();
  stream.send_window_ = peer_.initial_window_bytes;
  stream.receive_window_ = local_window_bytes_;
  ++tallies_.streams_opened;
  free_window_updates_ += kWindowUpdatesPerStream;
}

// Slots.

uint32_t Connection::slot_queue_limit() const {
  return std::min(options_.limits.max_queued_streams, options_.limits.max_concurrent_streams);
}

void Connection::take_slot(Stream& stream) {
  stream.started_ = true;
  ++used_slots_;
  ++new_requests_;
}

void Connection::start_queued() {
  const Limits& limits = options_.limits;
  while (!failed_ && !waiting_.empty() && used_slots_ < limits.max_concurrent_streams &&
         new_requests_ < limits.new_requests_per_turn) {
    Stream& stream = *waiting_.front();
    waiting_.remove(stream);
    take_slot(stream);
    deliver_early(stream);
  }
}

// Everything that arrived meanwhile, as if it came now. A callback may end the stream at any point.
void Connection::deliver_early(Stream& stream) {
  const uint32_t id = stream.id_;
  const auto early = std::move(stream.extras().early);
  const bool end = stream.remote_closed();
  const bool content = !early->content.empty();
  const bool trailers = static_cast<bool>(early->trailers);
  if (stream.small_frames_ > 0) abuse_.refund(stream.small_frames_ * AbuseBucket::kToken);
  stream.small_frames_ = 0;
  const auto still_wanted = [&] {
    const Stream* const found = streams_.find(id);
    return found != nullptr && !found->is_over() && !found->released_;
  };
  events_.on_headers(stream, std::move(early->headers), end && !content && !trailers);
  if (content && still_wanted()) events_.on_data(stream, early->content.bytes(), end && !trailers);
  if (trailers && still_wanted()) events_.on_trailers(stream, std::move(early->trailers));
}

// Ends.

void Connection::end_remote(Stream& stream) {
  stop_expecting(stream);
  stream.end_remote();
  if (stream.is_over()) complete(stream);
}

void Connection::end_local(Stream& stream) {
  stream.end_local();
  if (stream.is_over()) {
    complete(stream);
  } else if (stream.released_) {
    // §8.1: "a server MAY request that the client abort transmission of a request without error by
    // sending a RST_STREAM with an error code of NO_ERROR after sending a complete response".
    send_reset(stream, ErrorCode::kNoError);
    settle(stream);
  }
}

void Connection::complete(Stream& stream) {
  ++tallies_.streams_completed;
  abuse_.stream_completed();
  close(stream);
  settle(stream);
}

// The stream has just reached kClosed.
void Connection::close(Stream& stream) {
  --open_streams_;
  stop_expecting(stream);
  unschedule(stream);
}

void Connection::close_by_reset(Stream& stream) {
  if (stream.released_) unread_answer_bytes_ -= stream.queue_.bytes();
  stream.close_by_reset();
  close(stream);
}

// Only where no function is at work on a stream, since the callback may release any.
void Connection::notify_can_open() {
  if (!open_refused_ || can_open() != CanOpen::kYes) return;
  open_refused_ = false;
  events_.on_can_open();
}

void Connection::settle(Stream& stream) {
  if (stream.released_ && stream.is_over()) streams_.destroy(stream);
}

void Connection::release(Stream& stream) {
  stream.released_ = true;
  unread_answer_bytes_ += stream.queue_.bytes();
  stream.user = nullptr;
  if (role_ == Role::kServer) --used_slots_;
  unhold(stream, SIZE_MAX);
  if (!stream.is_over()) {
    const bool ended = Stream::is_local_closed(stream.state_);
    if (role_ == Role::kClient) {
      reset(stream, ErrorCode::kCancel);
    } else if (ended) {
      reset(stream, ErrorCode::kNoError);
    } else if (!stream.end_queued_) {
      reset(stream, ErrorCode::kInternalError);
    }
  }
  settle(stream);
  notify_can_open();
}

void Connection::reset(Stream& stream, ErrorCode code) {
  if (stream.is_over()) return;
  unhold(stream, SIZE_MAX);
  send_reset(stream, code);
}

// RST_STREAM by our own will; the stream is over afterwards, and stays until released.
void Connection::send_reset(Stream& stream, ErrorCode code) {
  if (stream.id_ == 0) {
    --idle_streams_;
  } else if (!failed_) {
    write_rst_stream(stream.id_, code);
    ignore_from_now(stream.id_, stream.receive_window_);
  }
  close_by_reset(stream);
}

// What still arrives for a stream that we have reset is ignored, and free of charge as far as it
// may have been on its way already.
void Connection::ignore_from_now(uint32_t stream_id, int64_t window) {
  history_.reset_by_us(stream_id);
  late_allowance_ += std::max<int64_t>(window, 0) + kLateBlockBytes;
}

void Connection::take_late_allowance(size_t bytes) {
  ++tallies_.late_frames;
  late_allowance_ -= static_cast<int64_t>(bytes);
  if (late_allowance_ >= 0) return;
  late_allowance_ = 0;
  charge(AbuseBucket::kToken);
}

// RST_STREAM that the peer's mistake forces us to send, whether the stream is there or not.
void Connection::stream_error(uint32_t stream_id, ErrorCode code) {
  Stream* const stream = streams_.find(stream_id);
  ++tallies_.stream_errors;
  write_rst_stream(stream_id, code);
  ignore_from_now(stream_id, stream != nullptr ? stream->receive_window_ : local_window_bytes_);
  if (stream != nullptr && !stream->is_over()) drop(*stream, code, ResetOrigin::kProtocol);
  if (!failed_) count_control_frame();
  if (!failed_) charge_reset(AbuseBucket::kToken);
}

// Ends a stream that the layer above, if it knows it, has to be told about.
void Connection::drop(Stream& stream, ErrorCode code, ResetOrigin origin) {
  if (stream.id_ == 0) --idle_streams_;
  const bool waiting = stream.early() != nullptr;
  unhold(stream, SIZE_MAX);
  if (waiting) {
    waiting_.remove(stream);
    stream.extras().early.reset();
    stream.released_ = true;  // nobody knows it
  }
  close_by_reset(stream);
  if (stream.released_) {
    settle(stream);
  } else {
    events_.on_reset(stream, code, origin);
  }
}

// Those that a GOAWAY says were never acted on, and those that were never sent.
void Connection::drop_unprocessed(uint32_t last_stream_id) {
  drop_each([last_stream_id](const Stream& stream) { return stream.id() == 0 || stream.id() > last_stream_id; },
            ErrorCode::kRefusedStream, ResetOrigin::kUnprocessed);
}

void Connection::abandon_streams() {
  drop_each([](const Stream& stream) { return stream.id() == 0; }, ErrorCode::kRefusedStream,
            ResetOrigin::kUnprocessed);
  drop_each([](const Stream&) { return true; }, ErrorCode::kInternalError, ResetOrigin::kConnection);
}

// The callbacks may release any stream, so each step begins at the front of the list, and what it
// has looked at goes to the back.
template <class Condition>
void Connection::drop_each(Condition condition, ErrorCode code, ResetOrigin origin) {
  for (size_t left = streams_.size(); left > 0 && streams_.first() != nullptr; --left) {
    Stream& stream = *streams_.first();
    streams_.move_to_end(stream);
    if (!stream.is_over() && condition(stream)) drop(stream, code, origin);
  }
}

}  // namespace gaggle::http2
