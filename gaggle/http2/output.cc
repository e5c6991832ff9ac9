// SPDX-License-Identifier: Apache-2.0
//
// From what waits in the streams to one bounded write: streams that can send take turns. Also the
// small frames of the connection, and the bound on those that the peer makes us send.
#include <algorithm>

#include "gaggle/http2/connection.h"

namespace gaggle::http2 {

namespace {
// A piece of content that is shorter is copied next to its frame header.
constexpr size_t kCopiedBytes = 1024;
// GOAWAY's debug data, which may be a user's text.
constexpr size_t kMaxDebugBytes = 256;
}  // namespace

bool Connection::wants_write() const { return !output_.empty() || (!sending_.empty() && may_frame(*sending_.front())); }

size_t Connection::gather(std::span<iovec> parts) {
  pump();
  return output_.gather(parts);
}

void Connection::written(size_t bytes) {
  tallies_.bytes_sent += bytes;
  output_.written(bytes);
  if (output_.position_written() >= control_end_) control_frames_ = 0;
  if (has_line()) serve_line(TimePoint::min());
  update_read_pause();
  notify_can_open();
}

// Turns.

// Only streams with content to send and a window of their own are in the line.
bool Connection::may_frame(const Stream& stream) const {
  return !failed_ && send_window_ > 0 && stream.send_window_ > 0 &&
         output_.unsent_bytes() < options_.limits.write_batch_bytes;
}

void Connection::schedule(Stream& stream) {
  if (!stream.in_line_ && !stream.queue_.empty() && stream.send_window_ > 0) sending_.push_back(stream);
}

void Connection::unschedule(Stream& stream) {
  if (stream.in_line_) sending_.remove(stream);
}

void Connection::pump() {
  while (!sending_.empty() && may_frame(*sending_.front())) {
    Stream& stream = *sending_.front();
    sending_.remove(stream);
    frame_turn(stream);
    if (!stream.queue_.empty()) {
      schedule(stream);
      notify_writable(stream);
      continue;
    }
    // The callback may release the stream, or queue more.
    const uint32_t id = stream.id_;
    notify_writable(stream);
    if (streams_.find(id) == &stream && stream.queue_.empty()) finish_queue(stream);
  }
}

void Connection::notify_writable(Stream& stream) {
  if (!stream.full_ || stream.queued_bytes() > options_.limits.stream_queue_bytes / 2) return;
  stream.full_ = false;
  if (!stream.released_) events_.on_writable(stream);
}

// Frames of one stream, up to its share and to the windows.
void Connection::frame_turn(Stream& stream) {
  size_t budget = options_.limits.stream_turn_bytes;
  while (budget > 0 && !stream.queue_.empty()) {
    const int64_t window = std::min(send_window_, stream.send_window_);
    if (window <= 0) return;
    const size_t length = std::min(
        {budget, stream.queue_.bytes(), static_cast<size_t>(window), static_cast<size_t>(peer_.max_frame_bytes)});
    const bool last = length == stream.queue_.bytes() && stream.end_queued_ && !stream.trailers_queued_;
    write_data_header(stream, length, last);
    write_content(stream, length);
    budget -= length;
  }
}

void Connection::write_content(Stream& stream, size_t length) {
  if (stream.released_) unread_answer_bytes_ -= length;
  while (length > 0) {
    const Bytes& front = stream.queue_.front();
    const size_t part = std::min(length, front.size());
    if (part <= kCopiedBytes) {
      output_.buffer().append(front.data(), part);
    } else {
      output_.append_slice(front.slice(0, part));
    }
    stream.queue_.drop_front(part);
    length -= part;
  }
}

// The queue has run empty: what stands behind it.
void Connection::finish_queue(Stream& stream) {
  if (!stream.end_queued_) return;
  stream.end_queued_ = false;
  if (stream.trailers_queued_) {
    stream.trailers_queued_ = false;
    const Stream::DeferredTrailers& trailers = stream.extras_->trailers;
    encode_block(stream.id_, trailers.prepared, trailers.fields, true);
  }
  end_local(stream);
}

// Small frames.

uint8_t* Connection::begin_control_frame(FrameType type, uint8_t flags, uint32_t stream_id, uint32_t length) {
  OutputBuffer& out = output_.buffer();
  uint8_t* const place = out.reserve(kFrameHeaderBytes + length);
  out.commit(kFrameHeaderBytes + length);
  return write_frame_header(place, {.length = length, .type = type, .flags = flags, .stream_id = stream_id});
}

void Connection::write_rst_stream(uint32_t stream_id, ErrorCode code) {
  ++tallies_.resets_sent;
  write_u32(begin_control_frame(FrameType::kRstStream, 0, stream_id, 4), static_cast<uint32_t>(code));
}

void Connection::write_goaway(uint32_t last_stream_id, ErrorCode code, std::string_view debug) {
  debug = debug.substr(0, kMaxDebugBytes);
  uint8_t* out = begin_control_frame(FrameType::kGoaway, 0, 0, static_cast<uint32_t>(8 + debug.size()));
  out = write_u32(out, last_stream_id);
  out = write_u32(out, static_cast<uint32_t>(code));
  std::copy(debug.begin(), debug.end(), out);
}

// Backpressure. A frame has just been written because the peer wanted or provoked it.

void Connection::count_control_frame() {
  control_end_ = output_.position_end();
  if (++control_frames_ < options_.limits.control_frames_close) return;
  ++tallies_.control_floods;
  fail(ErrorCode::kEnhanceYourCalm, "too many answers are not read");
}

void Connection::update_read_pause() {
  const bool pause = control_frames_ >= options_.limits.control_frames_pause ||
                     output_.unsent_bytes() >= options_.limits.unsent_pause_bytes;
  if (pause && !read_paused_) ++tallies_.read_pauses;
  read_paused_ = pause;
}

}  // namespace gaggle::http2
