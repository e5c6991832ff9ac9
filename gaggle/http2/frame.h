// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace gaggle::http2 {

// The nine octets before every payload (RFC 9113 §4.1), and the numbers that stand in them.

enum class FrameType : uint8_t {
  kData = 0x0,
  kHeaders = 0x1,
  kPriority = 0x2,
  kRstStream = 0x3,
  kSettings = 0x4,
  kPushPromise = 0x5,
  kPing = 0x6,
  kGoaway = 0x7,
  kWindowUpdate = 0x8,
  kContinuation = 0x9,
};

// Bits of FrameHeader::flags; which type knows which is in RFC 9113 §6.
struct FrameFlag {
  static constexpr uint8_t kEndStream = 0x1;
  static constexpr uint8_t kAck = 0x1;
  static constexpr uint8_t kEndHeaders = 0x4;
  static constexpr uint8_t kPadded = 0x8;
  static constexpr uint8_t kPriority = 0x20;
};

inline constexpr size_t kFrameHeaderBytes = 9;
inline constexpr size_t kPingBytes = 8;
inline constexpr uint32_t kMaxStreamId = 0x7fff'ffff;

struct FrameHeader {
  uint32_t length = 0;  // of the payload, 24 bits
  FrameType type = FrameType::kData;
  uint8_t flags = 0;
  uint32_t stream_id = 0;  // 31 bits; the reserved one is dropped, as RFC 9113 §4.1 says

  bool has(uint8_t flag) const { return (flags & flag) != 0; }
};

constexpr uint16_t read_u16(const uint8_t* in) { return static_cast<uint16_t>(in[0] << 8 | in[1]); }
constexpr uint32_t read_u32(const uint8_t* in) {
  return uint32_t{in[0]} << 24 | uint32_t{in[1]} << 16 | uint32_t{in[2]} << 8 | in[3];
}
constexpr uint64_t read_u64(const uint8_t* in) { return uint64_t{read_u32(in)} << 32 | read_u32(in + 4); }

constexpr uint8_t* write_u16(uint8_t* out, uint16_t value) {
  out[0] = static_cast<uint8_t>(value >> 8);
  out[1] = static_cast<uint8_t>(value);
  return out + 2;
}
constexpr uint8_t* write_u32(uint8_t* out, uint32_t value) {
  write_u16(out, static_cast<uint16_t>(value >> 16));
  return write_u16(out + 2, static_cast<uint16_t>(value));
}
constexpr uint8_t* write_u64(uint8_t* out, uint64_t value) {
  write_u32(out, static_cast<uint32_t>(value >> 32));
  return write_u32(out + 4, static_cast<uint32_t>(value));
}

// Reads nine octets.
constexpr FrameHeader read_frame_header(const uint8_t* in) {
  return {.length = uint32_t{in[0]} << 16 | uint32_t{in[1]} << 8 | in[2],
          .type = static_cast<FrameType>(in[3]),
          .flags = in[4],
          .stream_id = read_u32(in + 5) & kMaxStreamId};
}

// Writes nine octets; returns where the payload goes.
constexpr uint8_t* write_frame_header(uint8_t* out, const FrameHeader& header) {
  out[0] = static_cast<uint8_t>(header.length >> 16);
  out[1] = static_cast<uint8_t>(header.length >> 8);
  out[2] = static_cast<uint8_t>(header.length);
  out[3] = static_cast<uint8_t>(header.type);
  out[4] = header.flags;
  return write_u32(out + 5, header.stream_id);
}

}  // namespace gaggle::http2
