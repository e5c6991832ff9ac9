// SPDX-License-Identifier: Apache-2.0
#include "gaggle/http2/frames_testing.h"

#include <algorithm>

namespace gaggle::http2::testing {

namespace {

// RFC 7541 §5.1 with a prefix of `bits`.
std::string integer(size_t value, unsigned bits, uint8_t first) {
  const size_t limit = (size_t{1} << bits) - 1;
  if (value < limit) return {static_cast<char>(first | value)};
  std::string out{static_cast<char>(first | limit)};
  for (value -= limit; value >= 128; value /= 128) out += static_cast<char>(value % 128 | 128);
  return out += static_cast<char>(value);
}

std::string string_literal(std::string_view text) { return integer(text.size(), 7, 0) + std::string(text); }

const uint8_t* bytes_of(std::string_view text) { return reinterpret_cast<const uint8_t*>(text.data()); }

std::string code_name(uint32_t code) { return std::string(error_code_name(static_cast<ErrorCode>(code))); }

}  // namespace

std::string u16(uint32_t value) {
  uint8_t out[2];
  write_u16(out, static_cast<uint16_t>(value));
  return {out, out + 2};
}

std::string u32(uint32_t value) {
  uint8_t out[4];
  write_u32(out, value);
  return {out, out + 4};
}

std::string repeat(std::string_view text, size_t times) {
  std::string out;
  out.reserve(text.size() * times);
  while (times-- > 0) out += text;
  return out;
}

std::string frame(uint8_t type, uint8_t flags, uint32_t stream_id, std::string_view payload) {
  const auto length = static_cast<uint32_t>(payload.size());
  std::string out = u32(length).substr(1);
  out += static_cast<char>(type);
  out += static_cast<char>(flags);
  return out + u32(stream_id) + std::string(payload);
}

std::string block(const Fields& fields) {
  std::string out;
  for (const auto& [name, value] : fields) out += '\0' + string_literal(name) + string_literal(value);
  return out;
}

Fields request_fields(const Fields& more) {
  Fields fields{{":method", "POST"}, {":scheme", "http"}, {":path", "/a"}, {":authority", "x"}};
  fields.insert(fields.end(), more.begin(), more.end());
  return fields;
}

Fields response_fields(const Fields& more) {
  Fields fields{{":status", "200"}};
  fields.insert(fields.end(), more.begin(), more.end());
  return fields;
}

std::string headers(uint32_t stream_id, const Fields& fields, uint8_t flags) {
  return frame(FrameType::kHeaders, flags, stream_id, block(fields));
}

std::string continuation(uint32_t stream_id, std::string_view fragment, uint8_t flags) {
  return frame(FrameType::kContinuation, flags, stream_id, fragment);
}

std::string data(uint32_t stream_id, std::string_view content, uint8_t flags) {
  return frame(FrameType::kData, flags, stream_id, content);
}

std::string padded_data(uint32_t stream_id, std::string_view content, uint8_t padding, uint8_t flags) {
  const std::string payload = static_cast<char>(padding) + std::string(content) + std::string(padding, '\0');
  return frame(FrameType::kData, flags | kPadded, stream_id, payload);
}

std::string settings(std::initializer_list<std::pair<SettingId, uint32_t>> entries) {
  std::string payload;
  for (const auto& [id, value] : entries) payload += u16(static_cast<uint32_t>(id)) + u32(value);
  return frame(FrameType::kSettings, 0, 0, payload);
}

std::string settings_ack() { return frame(FrameType::kSettings, kAck, 0, {}); }

std::string ping(uint64_t payload, uint8_t flags) {
  const std::string opaque = u32(static_cast<uint32_t>(payload >> 32)) + u32(static_cast<uint32_t>(payload));
  return frame(FrameType::kPing, flags, 0, opaque);
}

std::string rst_stream(uint32_t stream_id, ErrorCode code) {
  return frame(FrameType::kRstStream, 0, stream_id, u32(static_cast<uint32_t>(code)));
}

std::string goaway(uint32_t last_stream_id, ErrorCode code, std::string_view debug) {
  return frame(FrameType::kGoaway, 0, 0, u32(last_stream_id) + u32(static_cast<uint32_t>(code)) + std::string(debug));
}

std::string window_update(uint32_t stream_id, uint32_t increment) {
  return frame(FrameType::kWindowUpdate, 0, stream_id, u32(increment));
}

std::string priority(uint32_t stream_id, uint32_t depends_on) {
  return frame(FrameType::kPriority, 0, stream_id, u32(depends_on) + '\x10');
}

std::vector<std::string> Transcript::read(std::string_view bytes) {
  std::vector<std::string> lines;
  rest_ += bytes;
  const size_t preface = std::min(preface_left_, rest_.size());
  rest_.erase(0, preface);
  preface_left_ -= preface;
  while (rest_.size() >= kFrameHeaderBytes) {
    const FrameHeader header = read_frame_header(bytes_of(rest_));
    if (rest_.size() < kFrameHeaderBytes + header.length) break;
    lines.push_back(line(header, bytes_of(rest_) + kFrameHeaderBytes));
    rest_.erase(0, kFrameHeaderBytes + header.length);
  }
  return lines;
}

std::string Transcript::line(const FrameHeader& frame, const uint8_t* payload) {
  const std::string id = " " + std::to_string(frame.stream_id);
  const std::string end = frame.has(kEndStream) ? " END_STREAM" : "";
  switch (frame.type) {
    case FrameType::kData:
      content_.append(payload, payload + frame.length);
      return "DATA" + id + end + " " + std::to_string(frame.length);
    case FrameType::kHeaders: return "HEADERS" + id + end + header_line(frame, payload);
    case FrameType::kContinuation: return "CONTINUATION" + id + header_line(frame, payload);
    case FrameType::kPriority: return "PRIORITY" + id;
    case FrameType::kRstStream: return "RST_STREAM" + id + " " + code_name(read_u32(payload));
    case FrameType::kSettings: return frame.has(kAck) ? "SETTINGS ACK" : "SETTINGS";
    case FrameType::kPushPromise: return "PUSH_PROMISE" + id;
    case FrameType::kPing: return (frame.has(kAck) ? "PING ACK " : "PING ") + std::to_string(read_u64(payload));
    case FrameType::kGoaway:
      return "GOAWAY " + std::to_string(read_u32(payload)) + " " + code_name(read_u32(payload + 4));
    case FrameType::kWindowUpdate: return "WINDOW_UPDATE" + id + " +" + std::to_string(read_u32(payload));
  }
  return "unknown frame";
}

std::string Transcript::header_line(const FrameHeader& frame, const uint8_t* payload) {
  block_.append(payload, payload + frame.length);
  if (!frame.has(kEndHeaders)) return " ...";
  HeaderBlockRef decoded;
  const HpackError error = decoder_.decode({bytes_of(block_), block_.size()}, decoded);
  block_.clear();
  if (error != HpackError::kOk) return std::string(" undecodable: ") + std::string(describe(error));
  std::string text;
  for (const HeaderField& field : decoded->fields()) {
    text += " " + std::string(field.name) + "=" + std::string(field.value);
  }
  return text;
}

}  // namespace gaggle::http2::testing
