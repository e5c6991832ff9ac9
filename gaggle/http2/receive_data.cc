// SPDX-License-Identifier: Apache-2.0
//
// DATA frames. A frame is judged when its header is here, and charged to the windows whole; its
// content goes to the layer above as it arrives.
#include <algorithm>
#include <utility>

#include "gaggle/http2/connection.h"

namespace gaggle::http2 {

namespace {
// Frames with less content than this are work out of proportion, unless they end something.
constexpr uint32_t kSmallFrameBytes = 256;
constexpr int64_t kEmptyFrameCharge = 10 * AbuseBucket::kToken;
// What an honest peer sends in small frames for one message: its prefix and its end.
constexpr int8_t kSmallFramesPerMessage = 2;
}  // namespace

void Connection::begin_data(const FrameHeader& frame, uint8_t padding) {
  const bool padded = frame.has(FrameFlag::kPadded);
  if (padded && frame.length == 0) return fail(ErrorCode::kFrameSizeError, "DATA too short for its flags");
  // RFC 9113 §6.1: "If the length of the padding is the length of the frame payload or greater, the
  // recipient MUST treat this as a connection error of type PROTOCOL_ERROR."
  if (padded && padding >= frame.length) return fail(ErrorCode::kProtocolError, "more padding than DATA has room for");
  if (is_idle(frame.stream_id)) return fail(ErrorCode::kProtocolError, "DATA on an idle stream");
  if (!take_connection_window(frame.length)) return;

  const uint32_t overhead = padded ? 1u + padding : 0u;
  const uint32_t content = frame.length - overhead;
  const bool end_stream = frame.has(FrameFlag::kEndStream);
  passing_ = {.stream_id = frame.stream_id, .content_left = content, .padding_left = padding, .end_stream = end_stream};

  Stream* const stream = streams_.find(frame.stream_id);
  if (stream == nullptr || stream->is_over()) {
    late_data(frame);
  } else if (accept_data(*stream, frame, content)) {
    traffic_since_ping_ |= content != 0;
    tallies_.data_bytes_received += content;
    stream->returnable_ += overhead;
    passing_.deliver = true;
    if (content == 0 && end_stream) pass_content({});
  }
  return_connection_window();
}

// Whether the frame may be delivered; if not, the stream is over or the connection has failed.
bool Connection::accept_data(Stream& stream, const FrameHeader& frame, uint32_t content) {
  const auto refuse_with = [&](ErrorCode code) {
    stream_error(frame.stream_id, code);
    return false;
  };
  // §5.1, half-closed (remote).
  if (stream.remote_closed()) return refuse_with(ErrorCode::kStreamClosed);
  // §8.1: a message begins with its header section.
  if (!stream.headers_received_) return refuse_with(ErrorCode::kProtocolError);
  // §6.9.1: no more than the window, padding included.
  if (stream.receive_window_ < frame.length) return refuse_with(ErrorCode::kFlowControlError);
  stream.receive_window_ -= frame.length;
  // §8.1.1: content-length is the sum of the DATA, or the message is malformed.
  const bool end_stream = frame.has(FrameFlag::kEndStream);
  if (!stream.take_declared(content, end_stream)) {
    ++tallies_.malformed_messages;
    return refuse_with(ErrorCode::kProtocolError);
  }
  if (content >= kSmallFrameBytes) {
    credit_large_data(stream);
  } else if (!end_stream && (content == 0 || role_ == Role::kServer)) {
    // A client has asked for what its server sends, and messages have a limit: the frames may be as
    // small as the server likes. gRPC's data_frame_padding has five bytes in each.
    charge_small_data(stream, content);
  }
  return !failed_;
}

void Connection::charge_small_data(Stream& stream, uint32_t content) {
  if (content == 0) return charge(kEmptyFrameCharge);
  if (stream.small_frames_ < INT8_MAX) ++stream.small_frames_;
  if (stream.small_frames_ > 0) charge(AbuseBucket::kToken);
}

// A frame of some size pays for a small one of its stream, also for the next ones: a sender that shares
// the connection's window among many streams cuts messages wherever the window ends.
void Connection::credit_large_data(Stream& stream) {
  if (stream.small_frames_ <= -kSmallFramesPerMessage) return;
  if (stream.small_frames_-- > 0) abuse_.refund(AbuseBucket::kToken);
}

void Connection::message_completed(Stream& stream) {
  const int8_t frames = std::clamp(stream.small_frames_, int8_t{0}, kSmallFramesPerMessage);
  stream.small_frames_ = 0;
  abuse_.refund(frames * AbuseBucket::kToken);
}

// Content of the passing frame. Between two pieces the stream may have ended.
void Connection::pass_content(std::span<const uint8_t> content) {
  Stream* const stream = streams_.find(passing_.stream_id);
  if (stream == nullptr || stream->is_over()) {
    passing_.deliver = false;
    return;
  }
  const bool end_stream = passing_.end_stream && passing_.content_left == 0;
  if (stream->released_) {
    if (end_stream) end_remote(*stream);
    return;
  }
  hold(*stream, static_cast<uint32_t>(content.size()));
  if (Stream::EarlyInput* const early = stream->early()) {
    early->content.append(content);
    if (end_stream) end_remote(*stream);
    return;
  }
  if (end_stream) end_remote(*stream);
  events_.on_data(*stream, content, end_stream);
}

// DATA for a stream that isn't there any more; its part of the connection's window comes back.
void Connection::late_data(const FrameHeader& frame) {
  switch (history_.past(frame.stream_id)) {
    case StreamHistory::Past::kResetByUs:
    case StreamHistory::Past::kForgotten:
      // §5.4.2: after RST_STREAM "the endpoint […] MUST be prepared to receive any frames that were
      // sent or enqueued for sending by the remote peer. These frames can be ignored".
      return take_late_allowance(std::max(frame.length, 1u));
    case StreamHistory::Past::kSkipped:
    case StreamHistory::Past::kEnded:
      // §6.1: "If a DATA frame is received whose stream is not in the 'open' or 'half-closed
      // (local)' state, the recipient MUST respond with a stream error of type STREAM_CLOSED."
      return stream_error(frame.stream_id, ErrorCode::kStreamClosed);
  }
}

}  // namespace gaggle::http2
