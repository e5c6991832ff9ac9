// SPDX-License-Identifier: Apache-2.0
//
// SETTINGS in both directions (RFC 9113 §6.5): ours are sent once, and again when streams' windows change;
// the peer's take effect when they arrive, and what ours change for the peer takes effect with its
// acknowledgement.
#include <algorithm>
#include <utility>

#include "gaggle/http2/connection.h"

namespace gaggle::http2 {

void Connection::write_our_settings() {
  Settings ours{.header_table_bytes = options_.header_table_bytes,
                .enable_push = role_ == Role::kServer,  // its initial value: servers don't send it
                .initial_window_bytes = wanted_window_bytes_,
                .max_frame_bytes = options_.largest_frame(),
                .max_header_list_bytes = options_.limits.header_list_soft_bytes};
  if (role_ == Role::kServer) ours.max_concurrent_streams = options_.limits.max_concurrent_streams;
  announced_window_bytes_ = wanted_window_bytes_;
  uint8_t payload[kMaxSettingsPayload];
  const size_t length = write_settings(ours, payload);
  uint8_t* const place = begin_control_frame(FrameType::kSettings, 0, 0, static_cast<uint32_t>(length));
  std::copy(payload, payload + length, place);
}

void Connection::handle_settings(const FrameHeader& frame, const uint8_t* payload) {
  if (frame.has(FrameFlag::kAck)) return handle_settings_ack();
  const Limits& limits = options_.limits;
  if (frame.length / 6 > limits.settings_entries) {
    ++tallies_.settings_floods;
    return fail(ErrorCode::kEnhanceYourCalm, "too many entries in SETTINGS");
  }
  // The first is part of the preface, all others are charged.
  if (peer_settings_received_) charge(AbuseBucket::kToken);
  if (failed_) return;

  const Settings before = peer_;
  // §6.5.2: "A server MUST NOT explicitly set this value to 1"; whoever may not is taken from false.
  if (role_ == Role::kClient) peer_.enable_push = false;
  const SettingsError error = apply_settings({payload, frame.length}, peer_);
  if (error.code != ErrorCode::kNoError) return fail(error.code, error.reason);
  if (role_ == Role::kClient && peer_.enable_push) {
    return fail(ErrorCode::kProtocolError, "a server enables push");
  }
  if (peer_.header_table_bytes != before.header_table_bytes) encoder_.set_peer_table_size(peer_.header_table_bytes);
  const int64_t wider = int64_t{peer_.initial_window_bytes} - before.initial_window_bytes;
  if (wider != 0 && !shift_send_windows(wider)) return;

  peer_settings_received_ = true;
  preface_deadline_ = kNever;
  begin_control_frame(FrameType::kSettings, FrameFlag::kAck, 0, 0);
  count_control_frame();
  if (failed_) return;
  events_.on_settings(peer_);
}

void Connection::handle_settings_ack() {
  if (settings_acked_) return fail(ErrorCode::kProtocolError, "acknowledgement of SETTINGS that were not sent");
  settings_acked_ = true;
  settings_deadline_ = kNever;
  if (!std::exchange(first_settings_acked_, true) && options_.header_table_bytes != kDefaultHeaderTableSize) {
    decoder_.set_table_size_limit(options_.header_table_bytes);
  }
  adopt_stream_windows();
  announce_stream_windows();
  events_.on_settings_acked();
}

// --- Streams' windows, once more ---

void Connection::limit_stream_windows(uint32_t bytes) {
  wanted_window_bytes_ = std::min(std::max(bytes, 1u), options_.stream_window());
  announce_stream_windows();
}

// There is no deadline for the acknowledgement: a peer that is slow in this, too, has the connection's
// window to stop it.
void Connection::announce_stream_windows() {
  const int64_t wider = int64_t{wanted_window_bytes_} - announced_window_bytes_;
  if (failed_ || !settings_acked_ || wider == 0 || !can_widen_streams(wider)) return;
  announced_window_bytes_ = wanted_window_bytes_;
  settings_acked_ = false;
  uint8_t* const entry = begin_control_frame(FrameType::kSettings, 0, 0, 6);
  entry[0] = 0;
  entry[1] = static_cast<uint8_t>(SettingId::kInitialWindowSize);
  write_u32(entry + 2, wanted_window_bytes_);
  // What is more, the peer may use as soon as it has read the frame; what is less, until it says so.
  if (wider > 0) adopt_stream_windows();
}

}  // namespace gaggle::http2
