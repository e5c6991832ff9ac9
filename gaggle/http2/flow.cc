// SPDX-License-Identifier: Apache-2.0
//
// Flow control (RFC 9113 §5.2, §6.9), both ways.
//
// Receiving: the connection's window comes back when bytes arrive, whatever becomes of them, so
// that a stream nobody reads doesn't stop the others; a stream's window comes back when the
// application takes its bytes. Between the two, memory is bounded by the streams' windows and by
// Limits::unconsumed_bytes, which counts what nobody waits for. Both windows grow where they hold the peer back.
#include <algorithm>

#include "gaggle/http2/connection.h"

namespace gaggle::http2 {

bool Connection::take_connection_window(uint32_t bytes) {
  if (receive_window_ < bytes) {
    fail(ErrorCode::kFlowControlError, "more DATA than the connection's window");
    return false;
  }
  receive_window_ -= bytes;
  connection_returnable_ += bytes;
  return true;
}

void Connection::return_connection_window() {
  // With every frame, and most often there is too little.
  if (failed_ || connection_returnable_ < connection_step_) return;
  const bool limited = connection_target_ < options_.connection_window();
  if (limited && growth_ != nullptr) connection_returnable_ -= growth_->window.shrink(connection_returnable_);
  // All of it, unless the window has been limited meanwhile.
  const int64_t room = std::max<int64_t>(connection_target_ - receive_window_, 0);
  auto grant = static_cast<uint32_t>(std::min<int64_t>(connection_returnable_, room));
  if (grant < connection_step_) return;
  if (held_bytes_ >= (limited ? connection_target_ : options_.limits.unconsumed_bytes)) {
    ++tallies_.withheld_credits;
    return;
  }
  connection_returnable_ -= grant;
  if (!limited && connection_target_ < options_.largest_window()) {
    const Duration round_trip = growth().round_trip.shortest();
    const uint32_t wider = growth_->window.grow(grant, connection_target_, options_.largest_window(), now_, round_trip);
    connection_target_ += wider;
    grant += wider;
  }
  receive_window_ += grant;
  write_window_update(0, grant);
}

// Who asks has seen much arrive: that is when to learn how far away the peer is.
ConnectionGrowth& Connection::growth() {
  if (growth_ == nullptr) growth_ = std::make_unique<ConnectionGrowth>();
  if (growth_->round_trip.begin(now_)) ping(kRoundTripPing);
  return *growth_;
}

void Connection::limit_connection_window(uint32_t bytes) {
  connection_target_ = std::clamp<uint32_t>(bytes, 1, options_.connection_window());
  connection_step_ = std::max(connection_target_ / 2, 1u);
  if (connection_target_ == options_.connection_window()) connection_target_ += connection_extra();
  return_connection_window();
}

void Connection::hold_expected(Stream& stream, uint32_t bytes) {
  if (has_line() && (stream.may_exceed_ || stream.wants_more_)) line_->arrived_bytes += bytes;
  const uint32_t awaited = std::min(stream.expected_, bytes);
  if (awaited != 0) set_expected(stream, stream.expected_ - awaited);
  stream.held_ += bytes - awaited;
  held_bytes_ += bytes - awaited;
}

void Connection::unhold(Stream& stream, size_t bytes) {
  const uint32_t freed = static_cast<uint32_t>(std::min<size_t>(stream.held_, bytes));
  if (freed == 0) return;
  stream.held_ -= freed;
  held_bytes_ -= freed;
  return_connection_window();
}

void Connection::consume(Stream& stream, size_t bytes) {
  unhold(stream, bytes);
  if (failed_ || stream.remote_closed()) return;
  const size_t ahead = std::min<size_t>(stream.advanced_, bytes);
  stream.advanced_ -= static_cast<uint32_t>(ahead);
  stream.returnable_ += static_cast<uint32_t>(bytes - ahead);
  return_stream_window(stream);
}

void Connection::return_stream_window(Stream& stream) {
  // Half a window at a time: a peer at full speed doesn't stop, and few frames are sent.
  if (stream.returnable_ <= local_window_bytes_ / 2) return;
  uint32_t grant = std::exchange(stream.returnable_, 0);
  if (wanted_window_bytes_ < options_.stream_window()) {
    if (stream.extras_ != nullptr) grant -= stream.extras_->window.shrink(grant);
    if (grant == 0) return;
  } else if (stream.advanced_ == 0 && local_window_bytes_ < options_.largest_window()) {
    GrowingWindow& window = stream.extras().window;
    const uint32_t now = local_window_bytes_ + window.extra();
    grant += window.grow(grant, now, options_.largest_window(), now_, growth().round_trip.shortest());
  }
  stream.receive_window_ += grant;
  write_window_update(stream.id_, grant);
}

void Connection::expect(Stream& stream, size_t bytes) {
  unhold(stream, SIZE_MAX);
  if (failed_ || stream.remote_closed()) return;
  set_expected(stream, static_cast<uint32_t>(std::min<size_t>(bytes, kMaxWindowBytes)));
  if (stream.receive_window_ >= stream.expected_ || stream.wants_more_) return;
  // What is due to the stream anyway, and what it was promised, needs no turn.
  const bool due = stream.may_exceed_ || stream.receive_window_ + stream.returnable_ >= stream.expected_;
  if (due || (!has_line() && has_room_for(stream))) return exceed(stream);
  stand_in_line(stream);
}

void Connection::set_expected(Stream& stream, uint32_t bytes) {
  const uint32_t before = std::exchange(stream.expected_, bytes);
  if (!stream.may_exceed_) return;
  exceeding_bytes_ += int64_t{bytes} - before;
  if (bytes == 0) stream.may_exceed_ = false;
  if (has_line() && bytes < before) serve_line(TimePoint::min());
}

bool Connection::has_room_for(const Stream& stream) const {
  const uint64_t used = static_cast<uint64_t>(exceeding_bytes_) + unread_answer_bytes_;
  return used == 0 || used + stream.expected_ <= most_expected();
}

void Connection::exceed(Stream& stream) {
  // First what is due to the stream anyway; the rest in advance, to be paid off by consume().
  const int64_t ahead = stream.expected_ - stream.receive_window_ - stream.returnable_;
  int64_t grant = std::exchange(stream.returnable_, 0);
  if (ahead > 0) {
    stream.advanced_ += static_cast<uint32_t>(ahead);
    grant += ahead;
    if (!stream.may_exceed_) exceeding_bytes_ += stream.expected_;
    stream.may_exceed_ = true;
  }
  grant = std::min<int64_t>(grant, kMaxWindowBytes);
  stream.receive_window_ += grant;
  write_window_update(stream.id_, static_cast<uint32_t>(grant));
}

void Connection::stand_in_line(Stream& stream) {
  if (line_ == nullptr) line_ = std::make_unique<ExpectLine>();
  if (line_->waiting.empty()) {
    line_->period_end = deadline_after(now_, options_.limits.expected_delay);
    line_->arrived_bytes = 0;
  }
  stream.wants_more_ = true;
  line_->waiting.push_back({stream.id_, now_});
  ++tallies_.delayed_messages;
}

// Those whose turn it is, and those that wait since `too_long` or before.
void Connection::serve_line(TimePoint too_long) {
  while (!failed_ && has_line()) {
    const ExpectLine::Waiting first = line_->waiting.front();
    Stream* const stream = streams_.find(first.stream_id);
    const bool waits = stream != nullptr && stream->wants_more_;
    if (waits && first.since > too_long && !has_room_for(*stream)) return;
    line_->waiting.pop_front();
    if (!waits) continue;
    stream->wants_more_ = false;
    if (stream->receive_window_ < stream->expected_) exceed(*stream);
  }
}

void Connection::end_line_period() {
  const bool slow = line_->arrived_bytes < most_expected() / 4;
  serve_line(slow ? now_ - options_.limits.expected_delay : TimePoint::min());
  line_->arrived_bytes = 0;
  line_->period_end = deadline_after(now_, options_.limits.expected_delay);
}

void Connection::write_window_update(uint32_t stream_id, uint32_t increment) {
  write_u32(begin_control_frame(FrameType::kWindowUpdate, 0, stream_id, 4), increment);
}

// Sending.

void Connection::widen_connection(uint32_t increment) {
  // §6.9: "a flow-control window increment of 0 […] on the connection flow-control window MUST be
  // treated as a connection error"
  if (increment == 0) return fail(ErrorCode::kProtocolError, "WINDOW_UPDATE by 0");
  send_window_ += increment;
  // §6.9.1: no window may exceed 2^31-1.
  if (send_window_ > kMaxWindowBytes) fail(ErrorCode::kFlowControlError, "the connection's window exceeds 2^31-1");
}

void Connection::widen_stream(Stream& stream, uint32_t increment) {
  if (increment == 0) return stream_error(stream.id_, ErrorCode::kProtocolError);
  stream.send_window_ += increment;
  if (stream.send_window_ > kMaxWindowBytes) return stream_error(stream.id_, ErrorCode::kFlowControlError);
  schedule(stream);
}

// §6.9.2: "When the value of SETTINGS_INITIAL_WINDOW_SIZE changes, a receiver MUST adjust the size
// of all stream flow-control windows that it maintains by the difference". They may go below zero.
bool Connection::shift_send_windows(int64_t difference) {
  for (Stream* stream = streams_.first(); stream != nullptr; stream = StreamTable::next(*stream)) {
    if (stream->id_ == 0 || stream->is_over()) continue;
    stream->send_window_ += difference;
    if (stream->send_window_ > kMaxWindowBytes) {
      fail(ErrorCode::kFlowControlError, "SETTINGS_INITIAL_WINDOW_SIZE takes a window past 2^31-1");
      return false;
    }
    schedule(*stream);
  }
  return true;
}

void Connection::shift_receive_windows(int64_t difference) {
  for (Stream* stream = streams_.first(); stream != nullptr; stream = StreamTable::next(*stream)) {
    if (stream->id_ != 0) stream->receive_window_ += difference;
  }
}

// §6.9.2: a window that SETTINGS take past 2^31-1 is an error. expect() may have brought one near that.
bool Connection::can_widen_streams(int64_t difference) const {
  for (const Stream* stream = streams_.first(); stream != nullptr; stream = StreamTable::next(*stream)) {
    if (stream->receive_window_ + difference > kMaxWindowBytes) return false;
  }
  return true;
}

void Connection::adopt_stream_windows() {
  const int64_t difference = int64_t{announced_window_bytes_} - local_window_bytes_;
  if (difference == 0) return;
  local_window_bytes_ = announced_window_bytes_;
  shift_receive_windows(difference);
  if (difference > 0) return;
  for (Stream* stream = streams_.first(); stream != nullptr; stream = StreamTable::next(*stream)) {
    if (stream->id_ == 0 || stream->is_over() || stream->remote_closed()) continue;
    // What was too little to be returned may be all that is left of a smaller window; and what somebody
    // waits for must be able to come.
    return_stream_window(*stream);
    if (stream->expected_ != 0) expect(*stream, stream->expected_);
  }
}

}  // namespace gaggle::http2
