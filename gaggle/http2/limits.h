// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "gaggle/base/clock.h"
#include "gaggle/base/tally.h"

namespace gaggle::http2 {

// Every bound of one HTTP/2 connection, in one place. A value, trivially copied; the defaults let an
// honest peer run at full speed. Beside each: what happens at the bound, and the counter of
// Counters that then advances.
struct Limits {
  // Streams that the peer may have open, and handlers that may run for it at once. A slot is free
  // again when the handler has ended, not when the peer has reset the stream. Announced as
  // SETTINGS_MAX_CONCURRENT_STREAMS. More open streams: REFUSED_STREAM, `refused_streams`.
  uint32_t max_concurrent_streams = 128;
  // Streams that wait unstarted for a slot, `queued_streams`; more: REFUSED_STREAM,
  // `refused_streams`. Never more than max_concurrent_streams, whatever it says here.
  uint32_t max_queued_streams = UINT32_MAX;
  // New requests handed to the layer above between two begin_turn(); the rest of the input waits,
  // `deferred_turns`. As many as there are slots by default: a client that fills all of them sends
  // every HEADERS before the first DATA, and each put-off costs a turn and a copy of what is left.
  uint32_t new_requests_per_turn = 128;

  // Header lists, in the sense of SETTINGS_MAX_HEADER_LIST_SIZE (name + value + 32 for each field).
  // The soft limit is announced; past it, or past the hard one, or with more fields, the block says
  // so (HeaderBlock::over_soft_limit, is_truncated) and the layer above answers; `large_headers`,
  // `truncated_headers`.
  uint32_t header_list_soft_bytes = 8 * 1024;
  uint32_t header_list_hard_bytes = 16 * 1024;
  uint32_t header_fields = 128;
  // Encoded header block, HEADERS and CONTINUATIONs together, and the number of the latter. More:
  // GOAWAY(ENHANCE_YOUR_CALM), `continuation_floods`.
  uint32_t header_block_bytes = 64 * 1024;
  uint32_t continuations = 8;

  // Entries of one SETTINGS frame. More: GOAWAY(ENHANCE_YOUR_CALM), `settings_floods`.
  uint32_t settings_entries = 32;

  // The bucket that wasted work is charged to (see AbuseBucket): what it holds, and what flows in
  // per second. Empty: GOAWAY(ENHANCE_YOUR_CALM), `abuse_closes`.
  uint32_t abuse_burst = 1000;
  uint32_t abuse_refill_per_second = 33;

  // Frames that the peer made us send (acknowledgements, RST_STREAM) and hasn't read. From the
  // first number on, or with so many bytes unsent, read_paused() asks the transport to stop
  // reading, `read_pauses`; at the last: GOAWAY(ENHANCE_YOUR_CALM), `control_floods`.
  uint32_t control_frames_pause = 100;
  size_t unsent_pause_bytes = 512 * 1024;
  uint32_t control_frames_close = 5000;

  // What the engine prepares for one write, and what one stream may put in before it's the next
  // one's turn.
  size_t write_batch_bytes = 256 * 1024;
  size_t stream_turn_bytes = 16 * 1024;
  // Bytes queued on one stream from which on its sender is asked to wait for on_writable, which
  // comes at half of it; `blocked_sends`. The send that crosses it is still accepted whole.
  size_t stream_queue_bytes = 64 * 1024;

  // Complete answers that the peer hasn't let out, in bytes over all streams. From here on the layer
  // above starts no call, `held_calls`; those that have arrived wait in their slots. The answer that
  // crosses it is still accepted whole, and so are those of handlers that run already, of which there
  // are at most max_concurrent_streams.
  size_t unread_answer_bytes = 16 * 1024 * 1024;

  // Bytes received, over all streams, that nobody has asked for yet (see Connection::consume). From
  // here on credit of the connection is withheld until some are taken, `withheld_credits`.
  size_t unconsumed_bytes = 32 * 1024 * 1024;

  // What the peer is let send beyond the streams' windows, over all of them, because messages that somebody waits for
  // are larger (Connection::expect): so much, or the connection's window if that is more, so that large messages come
  // one after the other, and not a bit of each at once. The rest wait, `delayed_messages`; but when a quarter of that
  // hasn't come within the delay, whoever has waited so long waits no more: those whose turn it is are slow.
  uint32_t expected_bytes = 4 * 1024 * 1024;
  Duration expected_delay = std::chrono::milliseconds(100);

  // Streams a client opens before the server's first SETTINGS tell the real number.
  uint32_t assumed_peer_streams = 100;

  // From start() to the end of the peer's preface, its SETTINGS included; from a HEADERS frame to
  // its END_HEADERS: GOAWAY(PROTOCOL_ERROR). From our SETTINGS to their acknowledgement:
  // GOAWAY(SETTINGS_TIMEOUT). All `timeouts`.
  Duration preface_timeout = std::chrono::seconds(10);
  Duration header_block_timeout = std::chrono::seconds(10);
  Duration settings_ack_timeout = std::chrono::seconds(60);
  // With bytes unsent and none accepted by the socket for so long, the transport closes.
  Duration write_progress_timeout = std::chrono::seconds(60);
};

// What happened on connections, counted.
template <class Count>
struct CountersOf {
  // Traffic.
  Count bytes_received{};
  Count bytes_sent{};  // accepted by the transport
  Count frames_received{};
  Count data_frames_sent{};
  Count header_blocks_sent{};
  Count data_bytes_received{};  // payload, without padding
  Count data_bytes_sent{};
  Count streams_opened{};     // by either side, those refused not counted
  Count streams_completed{};  // END_STREAM in both directions
  Count resets_received{};
  Count resets_sent{};
  Count pings_received{};
  Count informational_responses{};  // 1xx, dropped
  Count late_frames{};              // for streams we had reset; ignored

  // Limits that bit, in the order of Limits.
  Count refused_streams{};
  Count queued_streams{};
  Count deferred_turns{};
  Count large_headers{};
  Count truncated_headers{};
  Count continuation_floods{};
  Count settings_floods{};
  Count abuse_charges{};  // whole tokens charged, refunded ones included
  Count abuse_closes{};
  Count read_pauses{};
  Count control_floods{};
  Count blocked_sends{};
  Count held_calls{};
  Count withheld_credits{};
  Count delayed_messages{};
  Count timeouts{};

  // The peer's mistakes.
  Count stream_errors{};       // RST_STREAM that we were forced to send
  Count malformed_messages{};  // of these, RFC 9113 §8.1.1
  Count connection_errors{};
};

// A value: add them up with +=.
using Counters = CountersOf<uint64_t>;
Counters& operator+=(Counters& sum, const Counters& more) noexcept;

// Where connections count, on one loop's thread: one of these for all that are counted together, so
// that an idle connection has none of its own. read() from any thread.
using Tallies = CountersOf<Tally>;
Counters read(const Tallies& tallies) noexcept;

}  // namespace gaggle::http2
