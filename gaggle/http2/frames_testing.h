// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gaggle/http2/error.h"
#include "gaggle/http2/frame.h"
#include "gaggle/http2/hpack_decoder.h"
#include "gaggle/http2/settings.h"

// Frames by hand, for packet transcripts: bytes that a peer sends, right or wrong, and text for what
// it gets back.
namespace gaggle::http2::testing {

inline constexpr uint8_t kEndStream = FrameFlag::kEndStream;
inline constexpr uint8_t kEndHeaders = FrameFlag::kEndHeaders;
inline constexpr uint8_t kPadded = FrameFlag::kPadded;
inline constexpr uint8_t kPriorityFlag = FrameFlag::kPriority;
inline constexpr uint8_t kAck = FrameFlag::kAck;

using Fields = std::vector<std::pair<std::string, std::string>>;

std::string u16(uint32_t value);
std::string u32(uint32_t value);
std::string repeat(std::string_view text, size_t times);

// Any frame; the length is that of the payload, whatever is allowed.
std::string frame(uint8_t type, uint8_t flags, uint32_t stream_id, std::string_view payload);
inline std::string frame(FrameType type, uint8_t flags, uint32_t stream_id, std::string_view payload) {
  return frame(static_cast<uint8_t>(type), flags, stream_id, payload);
}

// A header block of literals that no table remembers, so that blocks can be cut and repeated.
std::string block(const Fields& fields);
// The usual pseudo-headers of a request, and more.
Fields request_fields(const Fields& more = {});
Fields response_fields(const Fields& more = {});

std::string headers(uint32_t stream_id, const Fields& fields, uint8_t flags = kEndHeaders | kEndStream);
std::string continuation(uint32_t stream_id, std::string_view fragment, uint8_t flags);
std::string data(uint32_t stream_id, std::string_view content, uint8_t flags = 0);
std::string padded_data(uint32_t stream_id, std::string_view content, uint8_t padding, uint8_t flags = 0);
std::string settings(std::initializer_list<std::pair<SettingId, uint32_t>> entries = {});
std::string settings_ack();
std::string ping(uint64_t payload, uint8_t flags = 0);
std::string rst_stream(uint32_t stream_id, ErrorCode code);
std::string goaway(uint32_t last_stream_id, ErrorCode code, std::string_view debug = {});
std::string window_update(uint32_t stream_id, uint32_t increment);
std::string priority(uint32_t stream_id, uint32_t depends_on);

// Reads what a connection wrote and says it in words, one line a frame:
//   "SETTINGS ACK", "HEADERS 1 END_STREAM :status=200", "DATA 1 5", "RST_STREAM 1 CANCEL",
//   "GOAWAY 1 NO_ERROR", "WINDOW_UPDATE 0 +100"
// Keeps the state of the header compression, so it has to see everything.
class Transcript {
 public:
  std::vector<std::string> read(std::string_view bytes);
  // Payload of all DATA so far, per stream is up to the test.
  const std::string& content() const { return content_; }
  void skip_preface() { preface_left_ = 24; }

 private:
  std::string line(const FrameHeader& frame, const uint8_t* payload);
  std::string header_line(const FrameHeader& frame, const uint8_t* payload);

  HpackDecoder decoder_{{.max_fields = 10'000, .soft_limit_bytes = 1u << 30, .hard_limit_bytes = 1u << 30}};
  std::string rest_;
  std::string block_;
  std::string content_;
  size_t preface_left_ = 0;
};

}  // namespace gaggle::http2::testing
