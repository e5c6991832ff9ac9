// SPDX-License-Identifier: Apache-2.0
#include "gaggle/transport/connection.h"

#include <utility>

#include "gaggle/net/loop.h"

namespace gaggle::transport {

Connection::Connection(std::unique_ptr<ByteStream> stream, http2::Role role, const Options& options, Handler& handler,
                       http2::Tallies& tallies)
    : stream_(std::move(stream)),
      handler_(handler),
      options_(options),
      timer_(stream_->loop(), *this),
      engine_(role, options.http2, handler, tallies) {}

Connection::~Connection() = default;

void Connection::start() {
  touch();
  last_read_ = last_active_;
  engine_.start(last_active_);
  flush();
}

void Connection::drain(std::string_view debug) {
  if (draining_ || state_ != State::kOpen) return;
  draining_ = true;
  engine_.begin_drain(debug);
  waits().drain = deadline_after(loop().now(), options_.drain_ping_timeout);
  flush();
}

void Connection::close(const Status& why) { begin_close(why); }

void Connection::abort(const Status& why) {
  if (state_ == State::kClosed) return;
  begin_close(why);
  finish_close();
}

void Connection::schedule() noexcept {
  if (state_ != State::kClosed) loop().defer(hook_);
}

void Connection::touch() {
  last_active_ = loop().now();
  released_ = false;
}

void Connection::on_turn_end() {
  if (std::exchange(continue_input_, false)) continue_input();
  write_some();
  settle();
}

// What follows from the state that this turn has left behind. Nothing of `this` may be used after it,
// since finish_close() may have destroyed it.
void Connection::settle() {
  if (state_ == State::kOpen && !engine_.wants_write()) {
    if (engine_.failed()) {
      close_reason_ = Status::unavailable("the connection ended after a protocol error");
      begin_linger();
    } else if (engine_.drained()) {
      close_reason_ = Status::unavailable("the connection was drained");
      begin_linger();
    }
  }
  if (state_ == State::kClosing) return finish_close();
  if (state_ == State::kOpen) {
    if (engine_.failed()) await_linger();
    if (engine_.has_pending_input()) continue_input_ = true;
    if (continue_input_ || (engine_.wants_write() && !writing_)) schedule();
  }
  watch_lifetime();
  if (wants_input()) wait_readable();
  plan_timer();
}

void Connection::begin_close(const Status& why) {
  if (state_ >= State::kClosing) return;
  if (close_reason_.is_ok()) close_reason_ = why;
  state_ = State::kClosing;
  flush();
}

void Connection::finish_close() {
  state_ = State::kClosed;
  hook_.cancel();
  timer_.disarm();
  stream_->close();
  engine_.connection_lost();
  handler_.on_events_done();
  const Status why = std::move(close_reason_);
  handler_.on_closed(why);
}

}  // namespace gaggle::transport
