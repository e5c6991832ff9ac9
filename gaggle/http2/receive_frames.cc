// SPDX-License-Identifier: Apache-2.0
//
// What the frames mean that are neither header blocks nor content nor settings. Their lengths and
// stream ids have been checked.
#include <string_view>

#include "gaggle/http2/connection.h"

namespace gaggle::http2 {

void Connection::handle_frame(const FrameHeader& frame, const uint8_t* payload) {
  switch (frame.type) {
    case FrameType::kHeaders: return handle_headers(frame, payload);
    case FrameType::kContinuation: return handle_continuation(frame, payload);
    case FrameType::kPriority: return handle_priority(frame);
    case FrameType::kRstStream: return handle_rst_stream(frame, payload);
    case FrameType::kSettings: return handle_settings(frame, payload);
    case FrameType::kPing: return handle_ping(frame, payload);
    case FrameType::kGoaway: return handle_goaway(frame, payload);
    case FrameType::kWindowUpdate: return handle_window_update(frame, payload);
    case FrameType::kData:
    case FrameType::kPushPromise: break;  // never come here
  }
}

bool Connection::is_idle(uint32_t stream_id) const {
  // Streams with even ids are begun by servers, with PUSH_PROMISE only, so they stay idle forever.
  if (stream_id % 2 == 0) return true;
  return role_ == Role::kServer ? stream_id > last_peer_id_ : stream_id >= next_id_;
}

// Priorities were deprecated (RFC 9113 §5.3.2): they are read and mean nothing.
void Connection::handle_priority(const FrameHeader& frame) {
  charge(1);
  if (failed_ || frame.length == 5) return;
  // §6.3: "A PRIORITY frame with a length other than 5 octets MUST be treated as a stream error of
  // type FRAME_SIZE_ERROR." A stream that is idle can't be reset (§6.4).
  if (is_idle(frame.stream_id)) {
    fail(ErrorCode::kFrameSizeError, "PRIORITY of wrong length");
  } else {
    stream_error(frame.stream_id, ErrorCode::kFrameSizeError);
  }
}

void Connection::handle_rst_stream(const FrameHeader& frame, const uint8_t* payload) {
  // §6.4: "If a RST_STREAM frame identifying an idle stream is received, the recipient MUST treat
  // this as a connection error of type PROTOCOL_ERROR."
  if (is_idle(frame.stream_id)) return fail(ErrorCode::kProtocolError, "RST_STREAM on an idle stream");
  ++tallies_.resets_received;
  // A server resets streams that we opened: that is paid for.
  if (role_ == Role::kServer) charge_peer_reset(frame.stream_id);
  if (failed_) return;
  Stream* const stream = streams_.find(frame.stream_id);
  if (stream == nullptr || stream->is_over()) return;
  const auto code = static_cast<ErrorCode>(read_u32(payload));
  // §8.7: REFUSED_STREAM says that "the stream is being closed prior to any processing".
  const bool unprocessed = role_ == Role::kClient && code == ErrorCode::kRefusedStream;
  drop(*stream, code, unprocessed ? ResetOrigin::kUnprocessed : ResetOrigin::kPeer);
}

void Connection::handle_ping(const FrameHeader& frame, const uint8_t* payload) {
  const uint64_t opaque = read_u64(payload);
  if (frame.has(FrameFlag::kAck)) return handle_ping_ack(opaque);
  ++tallies_.pings_received;
  // Peers measure the bandwidth with a PING for what they were sent. One without traffic is charged.
  if (!traffic_since_ping_) charge(AbuseBucket::kToken);
  if (failed_) return;
  traffic_since_ping_ = false;
  write_u64(begin_control_frame(FrameType::kPing, FrameFlag::kAck, 0, kPingBytes), opaque);
  count_control_frame();
  if (!failed_) events_.on_ping();
}

void Connection::handle_ping_ack(uint64_t opaque) {
  if (pings_outstanding_ == 0) return charge(AbuseBucket::kToken);
  --pings_outstanding_;
  if (opaque == kDrainPing && draining_) {
    finish_drain();
  } else if (opaque == kRoundTripPing && growth_ != nullptr) {
    growth_->round_trip.end(now_);
  } else {
    events_.on_ping_ack(opaque);
  }
}

void Connection::handle_goaway(const FrameHeader& frame, const uint8_t* payload) {
  charge(AbuseBucket::kToken);
  if (failed_) return;
  uint32_t last_id = read_u32(payload) & kMaxStreamId;
  const auto code = static_cast<ErrorCode>(read_u32(payload + 4));
  const std::string_view debug(reinterpret_cast<const char*>(payload) + 8, frame.length - 8);
  goaway_received_ = true;
  // §6.8: "Endpoints MUST NOT increase the value they send in the last stream identifier".
  peer_last_id_ = last_id = last_id < peer_last_id_ ? last_id : peer_last_id_;
  events_.on_goaway(last_id, code, debug);
  if (!failed_ && role_ == Role::kClient) drop_unprocessed(last_id);
}

void Connection::handle_window_update(const FrameHeader& frame, const uint8_t* payload) {
  charge_window_update();
  if (failed_) return;
  const uint32_t increment = read_u32(payload) & kMaxWindowBytes;
  if (frame.stream_id == 0) return widen_connection(increment);
  // §5.1: on an idle stream, "receiving any frame other than HEADERS or PRIORITY […] MUST be
  // treated as a connection error of type PROTOCOL_ERROR".
  if (is_idle(frame.stream_id)) return fail(ErrorCode::kProtocolError, "WINDOW_UPDATE on an idle stream");
  Stream* const stream = streams_.find(frame.stream_id);
  if (stream != nullptr && !stream->is_over()) widen_stream(*stream, increment);
}

}  // namespace gaggle::http2
