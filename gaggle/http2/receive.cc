// SPDX-License-Identifier: Apache-2.0
//
// From bytes to frames. Whole frames are handled where they lie; only an incomplete one is copied.
// The payload of DATA, and of frames of unknown type, is passed on as it comes and never kept.
#include <algorithm>
#include <cstring>

#include "gaggle/http2/connection.h"
#include "gaggle/http2/preface.h"

namespace gaggle::http2 {

void Connection::receive(std::span<const uint8_t> bytes, TimePoint now) {
  if (failed_) return;
  now_ = now;
  abuse_.advance(now);
  tallies_.bytes_received += bytes.size();
  start_queued();
  if (!input_.empty()) bytes = receive_stored(bytes);
  if (!failed_ && !bytes.empty()) {
    input_put_off_ = false;
    const size_t used = parse(bytes.data(), bytes.size());
    if (!failed_) input_.append(bytes.subspan(used));
  }
  watch_incomplete_input();
  update_read_pause();
  notify_can_open();
}

// Completes what is stored, one step after the other; returns the rest of `bytes`, which is empty
// unless nothing is stored any more.
std::span<const uint8_t> Connection::receive_stored(std::span<const uint8_t> bytes) {
  input_put_off_ = false;
  while (!failed_ && !input_.empty()) {
    if (input_.size() < input_needed_) {
      const size_t taken = std::min<size_t>(input_needed_ - input_.size(), bytes.size());
      input_.append(bytes.first(taken));
      bytes = bytes.subspan(taken);
      if (input_.size() < input_needed_) break;
    }
    input_.consume(parse(input_.data(), input_.size()));
    if (input_put_off_) {
      input_.append(bytes);
      return {};
    }
  }
  return bytes;
}

bool Connection::has_pending_input() const {
  if (failed_) return false;
  return input_put_off_ || (!waiting_.empty() && used_slots_ < options_.limits.max_concurrent_streams);
}

// Whoever begins something and doesn't go on holds memory: a frame or a header block has to be
// complete within the timeout.
void Connection::watch_incomplete_input() {
  const bool incomplete = block_ != nullptr || (!input_.empty() && !input_put_off_);
  if (!incomplete) {
    block_deadline_ = kNever;
  } else if (block_deadline_ == kNever || watched_step_ != steps_) {
    watched_step_ = steps_;
    block_deadline_ = deadline_after(now_, options_.limits.header_block_timeout);
  }
}

// Returns how many bytes it used. It stops early when the next frame isn't complete (input_needed_
// says how long it is), when it was put off to the next turn, and when the connection fails.
size_t Connection::parse(const uint8_t* in, size_t size) {
  size_t used = preface_left_ != 0 ? parse_preface(in, size) : 0;
  input_needed_ = 0;
  while (used < size && !failed_) {
    const uint8_t* const at = in + used;
    const size_t left = size - used;
    if (passing_.active()) {
      used += pass(at, left);
      continue;
    }
    if (left < kFrameHeaderBytes) {
      input_needed_ = kFrameHeaderBytes;
      break;
    }
    const FrameHeader frame = read_frame_header(at);
    if (!check_frame(frame)) break;
    // Padding comes before what it pads, so one octet more is needed to begin a padded DATA.
    const bool pad_length = frame.type == FrameType::kData && frame.has(FrameFlag::kPadded) && frame.length > 0;
    const auto needed =
        static_cast<uint32_t>(kFrameHeaderBytes + (passes(frame) ? (pad_length ? 1 : 0) : frame.length));
    if (left < needed) {
      input_needed_ = needed;
      break;
    }
    if (put_off(frame)) break;
    used += needed;
    ++tallies_.frames_received;
    if (passes(frame)) {
      begin_passing(frame, pad_length ? at[kFrameHeaderBytes] : 0);
    } else {
      handle_frame(frame, at + kFrameHeaderBytes);
    }
    if (block_ == nullptr) ++steps_;
  }
  return used;
}

size_t Connection::parse_preface(const uint8_t* in, size_t size) {
  const size_t count = std::min<size_t>(size, preface_left_);
  const char* const expected = kClientPreface.data() + kClientPreface.size() - preface_left_;
  if (std::memcmp(in, expected, count) != 0) {
    // RFC 9113 §3.4: "Clients and servers MUST treat an invalid connection preface as a connection
    // error of type PROTOCOL_ERROR."
    fail(ErrorCode::kProtocolError, "not an HTTP/2 connection preface");
    return size;
  }
  preface_left_ -= static_cast<uint8_t>(count);
  return count;
}

bool Connection::passes(const FrameHeader& frame) const {
  return frame.type == FrameType::kData || frame.type > FrameType::kContinuation;
}

// New requests beyond the turn's share wait where they are, and everything behind them.
bool Connection::put_off(const FrameHeader& frame) {
  if (role_ != Role::kServer || frame.type != FrameType::kHeaders) return false;
  if (new_requests_ < options_.limits.new_requests_per_turn || frame.stream_id <= last_peer_id_) return false;
  input_put_off_ = true;
  ++tallies_.deferred_turns;
  return true;
}

bool Connection::check_frame(const FrameHeader& frame) {
  // RFC 9113 §4.2: larger than SETTINGS_MAX_FRAME_SIZE. "A frame size error in a frame that could
  // alter the state of the entire connection MUST be treated as a connection error"; DATA could
  // have been a stream error, but whoever ignores the setting there will again.
  if (frame.length > options_.largest_frame()) {
    fail(ErrorCode::kFrameSizeError, "frame larger than SETTINGS_MAX_FRAME_SIZE");
    return false;
  }
  // §3.4: the first frame of either side is SETTINGS, not an acknowledgement.
  if (!peer_settings_received_ && (frame.type != FrameType::kSettings || frame.has(FrameFlag::kAck))) {
    fail(ErrorCode::kProtocolError, "the first frame is not SETTINGS");
    return false;
  }
  // §6.10: between HEADERS and the end of its block nothing else may come, unknown types included.
  const bool continues = frame.type == FrameType::kContinuation;
  if (continues ? block_ == nullptr || frame.stream_id != block_->stream_id : block_ != nullptr) {
    fail(ErrorCode::kProtocolError, continues ? "CONTINUATION without its HEADERS" : "frame inside a header block");
    return false;
  }
  return check_stream_id(frame) && check_length(frame);
}

bool Connection::check_stream_id(const FrameHeader& frame) {
  switch (frame.type) {
    case FrameType::kData:
    case FrameType::kHeaders:
    case FrameType::kPriority:
    case FrameType::kRstStream:
    case FrameType::kContinuation:
      if (frame.stream_id != 0) return true;
      fail(ErrorCode::kProtocolError, "frame of a stream on stream 0");
      return false;
    case FrameType::kSettings:
    case FrameType::kPing:
    case FrameType::kGoaway:
      if (frame.stream_id == 0) return true;
      fail(ErrorCode::kProtocolError, "frame of the connection on a stream");
      return false;
    case FrameType::kPushPromise:
      // §8.4: "A client cannot push", and we, as a client, have said SETTINGS_ENABLE_PUSH = 0.
      fail(ErrorCode::kProtocolError, "PUSH_PROMISE though push is off");
      return false;
    default: return true;
  }
}

bool Connection::check_length(const FrameHeader& frame) {
  bool good = true;
  switch (frame.type) {
    case FrameType::kRstStream:
    case FrameType::kWindowUpdate: good = frame.length == 4; break;
    case FrameType::kPing: good = frame.length == kPingBytes; break;
    case FrameType::kGoaway: good = frame.length >= 8; break;
    case FrameType::kSettings: good = frame.has(FrameFlag::kAck) ? frame.length == 0 : frame.length % 6 == 0; break;
    default: break;  // PRIORITY is a stream error, the rest has no fixed length
  }
  if (!good) fail(ErrorCode::kFrameSizeError, "frame of wrong length");
  return good;
}

void Connection::begin_passing(const FrameHeader& frame, uint8_t padding) {
  if (frame.type == FrameType::kData) {
    begin_data(frame, padding);
    return;
  }
  // RFC 9113 §5.5: "Implementations MUST discard frames that have unknown or unsupported types."
  passing_ = {.content_left = frame.length};
  charge(1);
}

// Uses bytes of the frame that is passed on; at least one.
size_t Connection::pass(const uint8_t* in, size_t size) {
  if (passing_.content_left == 0) {
    const size_t padding = std::min<size_t>(size, passing_.padding_left);
    passing_.padding_left -= static_cast<uint32_t>(padding);
    return padding;
  }
  const size_t content = std::min<size_t>(size, passing_.content_left);
  passing_.content_left -= static_cast<uint32_t>(content);
  if (passing_.deliver) pass_content({in, content});
  return content;
}

}  // namespace gaggle::http2
