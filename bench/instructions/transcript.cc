// SPDX-License-Identifier: Apache-2.0
#include "transcript.h"

#include <string_view>

#include "bench.pb.h"

namespace bench {
namespace {

constexpr std::size_t kPayloadBytes = 100;
constexpr std::uint32_t kRoomForAnswers = 1u << 30;

enum FrameType : std::uint8_t { kData = 0, kHeaders = 1, kSettings = 4, kWindowUpdate = 8 };
enum FrameFlags : std::uint8_t { kNone = 0, kEndStream = 1, kEndHeaders = 4 };

std::string big_endian(std::uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift & 0xff);
  return bytes;
}

std::string frame(FrameType type, FrameFlags flags, std::uint32_t stream, std::string_view payload) {
  std::string bytes = big_endian(static_cast<std::uint32_t>(payload.size())).substr(1);
  bytes += static_cast<char>(type);
  bytes += static_cast<char>(flags);
  return bytes.append(big_endian(stream)).append(payload);
}

// A field without Huffman codes: `form` is 0x40 for one that enters the table, 0 for one that doesn't.
std::string literal(char form, std::string_view name, std::string_view value) {
  std::string bytes(1, form);
  bytes += static_cast<char>(name.size());
  bytes.append(name);
  bytes += static_cast<char>(value.size());
  return bytes.append(value);
}

std::string headers(bool first) {
  std::string block = "\x83\x86";  // :method POST, :scheme http
  // The table's newest entry has the index 62.
  if (!first) return block + "\xc1\xc0\xbf\xbe";
  block += literal(0x40, ":path", "/benchpb.Bench/Unary");
  block += literal(0x40, ":authority", "localhost:50051");
  block += literal(0x40, "content-type", "application/grpc");
  block += literal(0x40, "te", "trailers");
  return block;
}

std::string message() {
  benchpb::Request request;
  request.set_payload(std::string(kPayloadBytes, 'p'));
  const std::string encoded = request.SerializeAsString();
  return std::string(1, '\0') + big_endian(static_cast<std::uint32_t>(encoded.size())) + encoded;
}

}  // namespace

std::string Transcript::opening() {
  return "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(kSettings, kNone, 0, {}) +
         frame(kWindowUpdate, kNone, 0, big_endian(kRoomForAnswers));
}

std::string Transcript::call(bool timeout) {
  const std::uint32_t stream = 2 * calls_ + 1;
  std::string block = headers(calls_ == 0);
  if (timeout) block += literal(0, "grpc-timeout", std::to_string(10'000'000 + calls_) + "u");
  ++calls_;
  return frame(kHeaders, kEndHeaders, stream, block) + frame(kData, kEndStream, stream, message());
}

}  // namespace bench
