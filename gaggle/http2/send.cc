// SPDX-License-Identifier: Apache-2.0
//
// Header sections and content, from the layer above to frames. What flow control lets pass is
// framed at once; the rest waits in its stream (output.cc).
#include <algorithm>
#include <cstring>
#include <utility>

#include "gaggle/http2/connection.h"

namespace gaggle::http2 {

namespace {
// Content up to this size is copied among the frames; above, sharing it is cheaper.
constexpr size_t kCopiedBytes = 1024;
}  // namespace

SendResult Connection::send_headers(Stream& stream, std::span<const HeaderOut> fields, bool end_stream) {
  return write_headers(stream, nullptr, fields, end_stream);
}

SendResult Connection::send_headers(Stream& stream, const PreparedHeaders& prepared, std::span<const HeaderOut> more,
                                    bool end_stream) {
  return write_headers(stream, &prepared, more, end_stream);
}

SendResult Connection::write_headers(Stream& stream, const PreparedHeaders* prepared, std::span<const HeaderOut> fields,
                                     bool end_stream) {
  if (!can_send(stream) || stream.headers_sent_) return SendResult::kEnded;
  if (!list_fits(prepared, fields)) return SendResult::kTooLarge;
  if (stream.state_ == StreamState::kIdle) {
    if (going_away() || next_id_ > kMaxStreamId) return SendResult::kEnded;
    give_id(stream);
  }
  stream.headers_sent_ = true;
  encode_block(stream.id_, prepared, fields, end_stream);
  if (end_stream) end_local(stream);
  return SendResult::kOk;
}

SendResult Connection::send_trailers(Stream& stream, std::span<const HeaderOut> fields) {
  return write_trailers(stream, nullptr, fields);
}

SendResult Connection::send_trailers(Stream& stream, const PreparedHeaders& prepared, std::span<const HeaderOut> more) {
  return write_trailers(stream, &prepared, more);
}

SendResult Connection::write_trailers(Stream& stream, const PreparedHeaders* prepared,
                                      std::span<const HeaderOut> fields) {
  if (!can_send(stream) || !stream.headers_sent_) return SendResult::kEnded;
  if (!list_fits(prepared, fields)) return SendResult::kTooLarge;
  if (!stream.queue_.empty()) {
    defer_trailers(stream, prepared, fields);
    return SendResult::kOk;
  }
  encode_block(stream.id_, prepared, fields, true);
  end_local(stream);
  return SendResult::kOk;
}

void Connection::defer_trailers(Stream& stream, const PreparedHeaders* prepared, std::span<const HeaderOut> fields) {
  stream.end_queued_ = true;
  stream.trailers_queued_ = true;
  Stream::DeferredTrailers& trailers = stream.extras().trailers;
  trailers.prepared = prepared;
  trailers.fields.assign(fields.begin(), fields.end());
  trailers.text.clear();
  for (const HeaderOut& field : fields) trailers.text.append(field.name).append(field.value);
  std::string_view text = trailers.text;
  for (HeaderOut& field : trailers.fields) {
    field.name = std::exchange(text, text.substr(field.name.size())).substr(0, field.name.size());
    field.value = std::exchange(text, text.substr(field.value.size())).substr(0, field.value.size());
  }
}

// RFC 9113 §6.5.2: SETTINGS_MAX_HEADER_LIST_SIZE is advisory, but who sends more is refused.
bool Connection::list_fits(const PreparedHeaders* prepared, std::span<const HeaderOut> fields) const {
  if (peer_.max_header_list_bytes == kUnlimited) return true;
  uint64_t bytes = prepared != nullptr ? prepared->list_size_bytes() : 0;
  for (const HeaderOut& field : fields) bytes += header_field_size_bytes(field.name, field.value);
  return bytes <= peer_.max_header_list_bytes;
}

void Connection::encode_block(uint32_t stream_id, const PreparedHeaders* prepared, std::span<const HeaderOut> fields,
                              bool end_stream) {
  ++tallies_.header_blocks_sent;
  ++call_frames_sent_;
  OutputBuffer& out = output_.buffer();
  const size_t start = out.size();
  out.reserve(kFrameHeaderBytes);
  out.commit(kFrameHeaderBytes);
  if (prepared != nullptr) {
    encoder_.encode(*prepared, fields, out);
  } else {
    encoder_.encode(fields, out);
  }
  traffic_since_ping_ = true;
  const size_t length = out.size() - start - kFrameHeaderBytes;
  const uint8_t end = end_stream ? FrameFlag::kEndStream : 0;
  if (length > peer_.max_frame_bytes) return split_block(start, stream_id, end);
  write_frame_header(out.at(start), {.length = static_cast<uint32_t>(length),
                                     .type = FrameType::kHeaders,
                                     .flags = static_cast<uint8_t>(end | FrameFlag::kEndHeaders),
                                     .stream_id = stream_id});
}

// A block too large for one frame: HEADERS and CONTINUATIONs.
void Connection::split_block(size_t start, uint32_t stream_id, uint8_t flags) {
  OutputBuffer& out = output_.buffer();
  OutputBuffer block;
  block.append(out.bytes().subspan(start + kFrameHeaderBytes));
  out.truncate(start);
  FrameHeader frame{.type = FrameType::kHeaders, .flags = flags, .stream_id = stream_id};
  for (std::span<const uint8_t> rest = block.bytes(); !rest.empty();) {
    const auto part = rest.first(std::min<size_t>(rest.size(), peer_.max_frame_bytes));
    rest = rest.subspan(part.size());
    frame.length = static_cast<uint32_t>(part.size());
    if (rest.empty()) frame.flags |= FrameFlag::kEndHeaders;
    write_frame_header(out.reserve(kFrameHeaderBytes), frame);
    out.commit(kFrameHeaderBytes);
    out.append(part);
    frame = {.type = FrameType::kContinuation, .stream_id = stream_id};
  }
}

uint8_t* Connection::reserve_data(Stream& stream, size_t bytes, bool end_stream) {
  if (!can_send(stream) || !stream.headers_sent_ || !stream.queue_.empty()) return nullptr;
  // §6.9.1: "Frames with zero length with the END_STREAM flag set […] MAY be sent if there is no
  // available space in either flow-control window."
  if (bytes != 0) {
    if (bytes > peer_.max_frame_bytes || static_cast<int64_t>(bytes) > std::min(send_window_, stream.send_window_)) {
      return nullptr;
    }
    if (output_.unsent_bytes() + bytes > options_.limits.write_batch_bytes) return nullptr;
    // When the connection's window is short, those who wait for it come first.
    if (!sending_.empty() && send_window_ < static_cast<int64_t>(options_.limits.stream_turn_bytes)) return nullptr;
  }
  OutputBuffer& out = output_.buffer();
  out.reserve(kFrameHeaderBytes + bytes);
  write_data_header(stream, bytes, end_stream);
  const size_t at = out.size();
  out.commit(bytes);
  if (end_stream) end_local(stream);
  return out.at(at);
}

void Connection::write_data_header(Stream& stream, size_t bytes, bool end_stream) {
  OutputBuffer& out = output_.buffer();
  write_frame_header(out.reserve(kFrameHeaderBytes), {.length = static_cast<uint32_t>(bytes),
                                                      .type = FrameType::kData,
                                                      .flags = end_stream ? FrameFlag::kEndStream : uint8_t{0},
                                                      .stream_id = stream.id_});
  out.commit(kFrameHeaderBytes);
  stream.send_window_ -= static_cast<int64_t>(bytes);
  send_window_ -= static_cast<int64_t>(bytes);
  traffic_since_ping_ = true;
  ++tallies_.data_frames_sent;
  ++call_frames_sent_;
  free_window_updates_ += kWindowUpdatesPerDataFrame;
  tallies_.data_bytes_sent += bytes;
}

SendResult Connection::send_data(Stream& stream, Bytes content, bool end_stream) {
  if (!can_send(stream) || !stream.headers_sent_) return SendResult::kEnded;
  if (content.empty() && !end_stream) return SendResult::kOk;
  if (stream.queue_.empty() && content.size() <= kCopiedBytes) {
    if (uint8_t* const place = reserve_data(stream, content.size(), end_stream)) {
      if (!content.empty()) std::memcpy(place, content.data(), content.size());
      return SendResult::kOk;
    }
  }
  const bool first = stream.queue_.empty();
  if (!content.empty()) stream.queue_.push(std::move(content));
  stream.end_queued_ = end_stream;
  // One turn right now, unless others wait for theirs: what is short enough needs no queue then.
  if (first && sending_.empty() && may_frame(stream)) {
    frame_turn(stream);
    if (stream.queue_.empty()) {
      finish_queue(stream);
      return SendResult::kOk;
    }
  }
  schedule(stream);
  if (stream.queued_bytes() <= options_.limits.stream_queue_bytes) return SendResult::kOk;
  stream.full_ = true;
  ++tallies_.blocked_sends;
  return SendResult::kFull;
}

}  // namespace gaggle::http2
