// SPDX-License-Identifier: Apache-2.0
//
// A connection's beginning, its end, and its timeouts.
#include "gaggle/http2/connection.h"

#include <algorithm>
#include <string_view>

#include "gaggle/http2/preface.h"

namespace gaggle::http2 {

namespace {

HpackDecoderOptions decoder_options(const Limits& limits) {
  return {.max_fields = limits.header_fields,
          .soft_limit_bytes = limits.header_list_soft_bytes,
          .hard_limit_bytes = limits.header_list_hard_bytes};
}

}  // namespace

Connection::Connection(Role role, const Options& options, Events& events, Tallies& tallies)
    : role_(role),
      preface_left_(role == Role::kServer ? kClientPreface.size() : 0),
      events_(events),
      options_(options),
      tallies_(tallies),
      connection_target_(options_.connection_window()),
      connection_step_(connection_target_ / 2),
      // Until it has acknowledged our SETTINGS, the peer may go by the default or by them.
      local_window_bytes_(std::max(kDefaultWindowBytes, options_.stream_window())),
      wanted_window_bytes_(options_.stream_window()),
      announced_window_bytes_(options_.stream_window()),
      decoder_(decoder_options(options_.limits)),
      encoder_({.max_table_size_bytes = options_.encoder_table_bytes, .huffman = options_.huffman}),
      free_window_updates_(kFirstWindowUpdates),
      abuse_(options_.limits.abuse_burst, options_.limits.abuse_refill_per_second) {}

Connection::~Connection() = default;

void Connection::start(TimePoint now) {
  now_ = now;
  preface_deadline_ = deadline_after(now, options_.limits.preface_timeout);
  settings_deadline_ = deadline_after(now, options_.limits.settings_ack_timeout);
  // RFC 9113 §3.4: the client's preface begins with a fixed text; both are followed, or begun, by
  // a SETTINGS frame.
  if (role_ == Role::kClient) output_.buffer().append(kClientPreface.data(), kClientPreface.size());
  write_our_settings();
  // Less than the default can't be said before the peer has it.
  const uint32_t window = std::max(connection_target_, kDefaultWindowBytes);
  if (window > kDefaultWindowBytes) write_window_update(0, window - kDefaultWindowBytes);
  receive_window_ = window;
  connection_returnable_ = options_.connection_window() - window;
}

void Connection::ping(uint64_t payload) {
  if (failed_) return;
  ++pings_outstanding_;
  write_u64(begin_control_frame(FrameType::kPing, 0, 0, kPingBytes), payload);
}

void Connection::begin_drain(std::string_view debug) {
  if (failed_ || goaway_sent_) return;
  drain_debug_ = debug;
  if (role_ == Role::kClient) {
    goaway(ErrorCode::kNoError, debug);
    return;
  }
  // RFC 9113 §6.8: a GOAWAY with the highest id announces the end; requests that are on their way
  // meanwhile are served still.
  goaway_sent_ = true;
  draining_ = true;
  write_goaway(kMaxStreamId, ErrorCode::kNoError, debug);
  ping(kDrainPing);
}

void Connection::finish_drain() {
  if (failed_ || !draining_) return;
  goaway(ErrorCode::kNoError, drain_debug_);
}

void Connection::goaway(ErrorCode code, std::string_view debug) {
  if (failed_ || last_goaway_sent_) return;
  goaway_sent_ = true;
  draining_ = false;
  last_goaway_sent_ = true;
  accepted_id_ = last_peer_id_;
  write_goaway(last_peer_id_, code, debug);
}

bool Connection::drained() const {
  const bool final = last_goaway_sent_ || (role_ == Role::kClient && goaway_received_);
  return final && open_streams_ == 0 && output_.empty();
}

void Connection::fail(ErrorCode code, std::string_view reason) {
  if (failed_) return;
  failed_ = true;
  ++tallies_.connection_errors;
  goaway_sent_ = last_goaway_sent_ = true;
  write_goaway(last_peer_id_, code, reason);
  events_.on_connection_error(code, reason);
  abandon_streams();
}

void Connection::connection_lost() {
  failed_ = true;
  output_.clear();
  abandon_streams();
}

TimePoint Connection::next_deadline() const {
  if (failed_) return kNever;
  const TimePoint line = has_line() ? line_->period_end : kNever;
  return std::min({preface_deadline_, block_deadline_, settings_deadline_, line});
}

void Connection::on_time(TimePoint now) {
  now_ = now;
  if (failed_ || now < next_deadline()) return;
  if (has_line() && now >= line_->period_end) end_line_period();
  if (now < std::min({preface_deadline_, block_deadline_, settings_deadline_})) return;
  ++tallies_.timeouts;
  if (now >= preface_deadline_) {
    fail(ErrorCode::kProtocolError, "no connection preface in time");
  } else if (now >= block_deadline_) {
    fail(ErrorCode::kProtocolError, "a frame or header block was begun and not ended in time");
  } else {
    // RFC 9113 §6.5.3: "If the sender of a SETTINGS frame does not receive an acknowledgment
    // within a reasonable amount of time, it MAY issue a connection error of type SETTINGS_TIMEOUT."
    fail(ErrorCode::kSettingsTimeout, "our SETTINGS were not acknowledged in time");
  }
}

void Connection::release_idle_memory() {
  decoder_.release_idle_memory();
  encoder_.release_idle_memory();
  streams_.release_idle_memory();
  output_.release_memory();
  if (input_.empty()) input_.release();
}

size_t Connection::buffered_bytes() const {
  size_t bytes = output_.unsent_bytes() + input_.size() + (block_ != nullptr ? block_->bytes.size() : 0);
  for (const Stream* stream = streams_.first(); stream != nullptr; stream = StreamTable::next(*stream)) {
    bytes += stream->queue_.bytes();
    if (const Stream::EarlyInput* const early = stream->early()) bytes += early->content.size();
  }
  return bytes;
}

size_t Connection::memory_bytes() const {
  // The decoder's and the encoder's own size is part of this object already.
  return sizeof *this + decoder_.memory_bytes() + encoder_.memory_bytes() + streams_.memory_bytes() +
         output_.memory_bytes() + input_.capacity() + (block_ != nullptr ? block_->bytes.capacity() : 0);
}

}  // namespace gaggle::http2
