// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "gaggle/http2/error.h"

namespace gaggle::http2 {

inline constexpr uint32_t kDefaultWindowBytes = 65'535;   // RFC 9113 §6.9.2
inline constexpr uint32_t kMaxWindowBytes = 0x7fff'ffff;  // RFC 9113 §6.9.1
inline constexpr uint32_t kMinMaxFrameBytes = 16'384;     // RFC 9113 §6.5.2, also the default
inline constexpr uint32_t kMaxMaxFrameBytes = 16'777'215;
inline constexpr uint32_t kUnlimited = UINT32_MAX;

// RFC 9113 §6.5.2.
enum class SettingId : uint16_t {
  kHeaderTableSize = 0x1,
  kEnablePush = 0x2,
  kMaxConcurrentStreams = 0x3,
  kInitialWindowSize = 0x4,
  kMaxFrameSize = 0x5,
  kMaxHeaderListSize = 0x6,
};

// What one side tells the other about itself (RFC 9113 §6.5.2). A value; the initial ones are those
// in force before any SETTINGS frame.
struct Settings {
  uint32_t header_table_bytes = 4096;
  bool enable_push = true;
  uint32_t max_concurrent_streams = kUnlimited;
  uint32_t initial_window_bytes = kDefaultWindowBytes;
  uint32_t max_frame_bytes = kMinMaxFrameBytes;
  uint32_t max_header_list_bytes = kUnlimited;

  friend bool operator==(const Settings&, const Settings&) = default;
};

// Why a SETTINGS payload can't be applied: `code` and, for the peer's log, `reason` (static).
// kNoError: it was.
struct SettingsError {
  ErrorCode code = ErrorCode::kNoError;
  std::string_view reason;
};

// Applies the entries of a SETTINGS payload, whose length is a multiple of six, in their order; the
// last of several with the same id wins, unknown ids change nothing. On an error `settings` is
// half changed and the connection is lost.
SettingsError apply_settings(std::span<const uint8_t> payload, Settings& settings) noexcept;

// Writes the entries in which `settings` differs from the initial values; returns their bytes, at
// most kMaxSettingsPayload.
inline constexpr size_t kMaxSettingsPayload = 6 * 6;
size_t write_settings(const Settings& settings, uint8_t* out) noexcept;

}  // namespace gaggle::http2
