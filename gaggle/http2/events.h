// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "gaggle/http2/error.h"
#include "gaggle/http2/header_block.h"
#include "gaggle/http2/settings.h"

namespace gaggle::http2 {

class Stream;

// What a Connection tells the layer above, which implements this.
//
// Called from within receive(), on_time(), gather(), written(), release(), fail() and
// connection_lost(), on the connection's thread. A callback may call everything of the Connection that sends, consumes,
// resets, opens or releases, the stream it was called for included; it must not call receive(),
// gather(), written() or on_time(), and must not destroy the Connection. User code doesn't belong
// in here: note what happened, and act when receive() has returned.
//
// After on_reset, or after the end of both directions, no more events come for a stream; it stays
// valid until release(). A local reset() is followed by no event at all.
class Events {
 public:
  // Server: a request; the first that is heard of `stream`. Client: the response's header section;
  // informational (1xx) ones are left out. The message is well-formed (RFC 9113 §8), unless the
  // block is_truncated(), when only what was kept has been checked.
  virtual void on_headers(Stream& stream, HeaderBlockRef headers, bool end_stream) = 0;
  // The peer's trailer section; ends its direction.
  virtual void on_trailers(Stream& stream, HeaderBlockRef trailers) = 0;
  // Part of the content, in order, cut where the wire happened to cut it; never empty unless
  // `end_stream`. The view is valid during the call only. Give the bytes back with consume().
  virtual void on_data(Stream& stream, std::span<const uint8_t> content, bool end_stream) = 0;
  // The stream is over in both directions, with what was still queued on it dropped.
  virtual void on_reset(Stream& stream, ErrorCode code, ResetOrigin origin) = 0;
  // A send said kFull; the queue has come down to half the bound since.
  virtual void on_writable(Stream& stream) = 0;

  // Client: open_stream() said no for the peer's limit, and there is room again. Comes from within
  // receive(), written() and release() only.
  virtual void on_can_open() {}
  // The peer will take no new streams. Streams above `last_stream_id` get on_reset with
  // kUnprocessed right after this; the others go on.
  virtual void on_goaway(uint32_t last_stream_id, ErrorCode code, std::string_view debug) {
    static_cast<void>(last_stream_id), static_cast<void>(code), static_cast<void>(debug);
  }
  // Each SETTINGS frame of the peer, already applied. The first makes a client's connection ready.
  virtual void on_settings(const Settings& peer) { static_cast<void>(peer); }
  virtual void on_settings_acked() {}
  // The peer has sent a PING, which is answered already. May call fail(): for those who count them.
  virtual void on_ping() {}
  // The answer to ping(payload).
  virtual void on_ping_ack(uint64_t payload) { static_cast<void>(payload); }
  // The connection has failed: a GOAWAY is queued, no input is read any more. Every stream that
  // isn't over gets on_reset with kConnection after this. Write what is left, then close.
  virtual void on_connection_error(ErrorCode code, std::string_view reason) {
    static_cast<void>(code), static_cast<void>(reason);
  }

 protected:
  ~Events() = default;
};

}  // namespace gaggle::http2
