// SPDX-License-Identifier: Apache-2.0
#include "gaggle/http2/settings.h"

#include "gaggle/http2/frame.h"

namespace gaggle::http2 {

namespace {

constexpr size_t kEntryBytes = 6;

SettingsError apply(SettingId id, uint32_t value, Settings& settings) noexcept {
  switch (id) {
    case SettingId::kHeaderTableSize: settings.header_table_bytes = value; break;
    case SettingId::kEnablePush:
      // "Any value other than 0 or 1 MUST be treated as a connection error of type PROTOCOL_ERROR."
      if (value > 1) return {ErrorCode::kProtocolError, "SETTINGS_ENABLE_PUSH is neither 0 nor 1"};
      settings.enable_push = value == 1;
      break;
    case SettingId::kMaxConcurrentStreams: settings.max_concurrent_streams = value; break;
    case SettingId::kInitialWindowSize:
      // "Values above the maximum flow-control window size of 2^31-1 MUST be treated as a
      // connection error of type FLOW_CONTROL_ERROR."
      if (value > kMaxWindowBytes) {
        return {ErrorCode::kFlowControlError, "SETTINGS_INITIAL_WINDOW_SIZE is above 2^31-1"};
      }
      settings.initial_window_bytes = value;
      break;
    case SettingId::kMaxFrameSize:
      // "Values outside this range MUST be treated as a connection error of type PROTOCOL_ERROR."
      if (value < kMinMaxFrameBytes || value > kMaxMaxFrameBytes) {
        return {ErrorCode::kProtocolError, "SETTINGS_MAX_FRAME_SIZE is out of range"};
      }
      settings.max_frame_bytes = value;
      break;
    case SettingId::kMaxHeaderListSize: settings.max_header_list_bytes = value; break;
  }
  // "An endpoint that receives a SETTINGS frame with any unknown or unsupported identifier MUST
  // ignore that setting."
  return {};
}

}  // namespace

SettingsError apply_settings(std::span<const uint8_t> payload, Settings& settings) noexcept {
  for (size_t at = 0; at + kEntryBytes <= payload.size(); at += kEntryBytes) {
    const auto id = static_cast<SettingId>(read_u16(&payload[at]));
    const SettingsError error = apply(id, read_u32(&payload[at + 2]), settings);
    if (error.code != ErrorCode::kNoError) return error;
  }
  return {};
}

size_t write_settings(const Settings& settings, uint8_t* out) noexcept {
  const Settings initial;
  uint8_t* const begin = out;
  const auto entry = [&out](SettingId id, uint32_t value, uint32_t initial_value) {
    if (value == initial_value) return;
    out = write_u16(out, static_cast<uint16_t>(id));
    out = write_u32(out, value);
  };
  entry(SettingId::kHeaderTableSize, settings.header_table_bytes, initial.header_table_bytes);
  entry(SettingId::kEnablePush, settings.enable_push, initial.enable_push);
  entry(SettingId::kMaxConcurrentStreams, settings.max_concurrent_streams, initial.max_concurrent_streams);
  entry(SettingId::kInitialWindowSize, settings.initial_window_bytes, initial.initial_window_bytes);
  entry(SettingId::kMaxFrameSize, settings.max_frame_bytes, initial.max_frame_bytes);
  entry(SettingId::kMaxHeaderListSize, settings.max_header_list_bytes, initial.max_header_list_bytes);
  return static_cast<size_t>(out - begin);
}

}  // namespace gaggle::http2
