// SPDX-License-Identifier: Apache-2.0
//
// The socket's side of a Connection: reading, writing, and lingering over the last bytes.
#include <sys/uio.h>

#include <array>
#include <utility>

#include "gaggle/net/loop.h"
#include "gaggle/transport/connection.h"

namespace gaggle::transport {

// --- Reading ---

// A peer that doesn't read what it makes us send isn't listened to either.
bool Connection::wants_input() const {
  if (reading_) return false;
  if (state_ == State::kLingering) return true;
  return state_ == State::kOpen && !continue_input_ && !engine_.failed() && !engine_.read_paused();
}

void Connection::wait_readable() {
  reading_ = true;
  stream_->wait_readable(readable_);
}

void Connection::on_readable() {
  reading_ = false;
  if (state_ == State::kLingering) return discard_input();
  if (state_ != State::kOpen) return;
  engine_.begin_turn();
  read_some();
  flush();
}

void Connection::read_some() {
  const std::span<uint8_t> buffer = loop().read_buffer();
  for (int i = 0; i < kReadsPerTurn; ++i) {
    ++counters_.reads;
    IoResult result = stream_->read(buffer);
    const bool filled = result.bytes == buffer.size();
    // A short read emptied the socket: asking once more would only cost a system call.
    if (!take_input(std::move(result), buffer) || !filled) return;
  }
}

// False when nothing more is to be read in this turn.
bool Connection::take_input(IoResult result, std::span<const uint8_t> buffer) {
  switch (result.kind) {
    case IoResult::Kind::kWouldBlock: return false;
    case IoResult::Kind::kEof: begin_close(Status::unavailable("the peer closed the connection")); return false;
    case IoResult::Kind::kError: begin_close(result.error); return false;
    case IoResult::Kind::kDone: break;
  }
  touch();
  last_read_ = last_active_;
  ping_out_ = false;
  engine_.receive(buffer.first(result.bytes), last_read_);
  handler_.on_events_done();
  return state_ == State::kOpen && !engine_.failed() && !engine_.read_paused() && !engine_.has_pending_input();
}

// The engine has handed out as many new requests as one turn may bring; this is the next turn.
void Connection::continue_input() {
  if (state_ != State::kOpen) return;
  engine_.begin_turn();
  engine_.receive({}, loop().now());
  handler_.on_events_done();
}

// --- Writing ---

void Connection::write_some() {
  bool wrote = false;
  for (int i = 0; i < kWritesPerTurn && !writing_ && state_ != State::kLingering && engine_.wants_write(); ++i) {
    std::array<iovec, 64> parts;
    const size_t count = engine_.gather(parts);
    if (count == 0) break;
    size_t offered = 0;
    for (size_t part = 0; part < count; ++part) offered += parts[part].iov_len;
    ++counters_.writes;
    IoResult result = stream_->write({parts.data(), count});
    if (result.kind == IoResult::Kind::kDone && result.bytes != 0) {
      stalled_ = false;
      wrote = true;
      touch();
      engine_.written(result.bytes);
      if (result.bytes < offered) wait_writable();
    } else if (result.kind == IoResult::Kind::kWouldBlock) {
      wait_writable();
    } else {
      // A write that takes nothing without saying why would spin; it's an end like any other error.
      begin_close(result.kind == IoResult::Kind::kError ? result.error
                                                        : Status::unavailable("the socket takes no more bytes"));
      break;
    }
  }
  if (wrote) handler_.on_events_done();
}

void Connection::wait_writable() {
  if (!stalled_) {
    stalled_ = true;
    waits().write_progress = loop().now();
  }
  if (state_ != State::kOpen) return;
  writing_ = true;
  stream_->wait_writable(writable_);
}

void Connection::on_writable() {
  writing_ = false;
  flush();
}

// --- The end ---

// Closing a socket that has unread input makes TCP discard what we sent last, the GOAWAY included. So
// we end our direction, and read on until the peer has ended its own, for a while.
void Connection::begin_linger() {
  state_ = State::kLingering;
  await_linger();
  stream_->shutdown_write();
}

// From the first moment on.
void Connection::await_linger() {
  if (waits().linger == kNever) waits().linger = deadline_after(loop().now(), options_.linger);
}

void Connection::discard_input() {
  const std::span<uint8_t> buffer = loop().read_buffer();
  const IoResult result = stream_->read(buffer);
  if (result.kind == IoResult::Kind::kEof || result.kind == IoResult::Kind::kError) {
    return begin_close(close_reason_);
  }
  wait_readable();
}

}  // namespace gaggle::transport
