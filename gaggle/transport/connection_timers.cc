// SPDX-License-Identifier: Apache-2.0
//
// All timeouts of a Connection, on one timer of its loop.
//
// The timer is never moved to a later moment: it fires at the earliest deadline it was ever planned
// for, and is then planned anew. So a busy connection doesn't touch it.
#include <algorithm>

#include "gaggle/base/block_pool.h"
#include "gaggle/net/loop.h"
#include "gaggle/transport/connection.h"

namespace gaggle::transport {
namespace {

constexpr uint64_t kKeepalivePing = 0x6b65'6570'616c'6976;

}  // namespace

void Connection::plan_timer() {
  const TimePoint next = next_deadline();
  if (next == kNever || (timer_.armed() && timer_.deadline() <= next)) return;
  timer_.arm_at(next);
}

TimePoint Connection::next_deadline() const {
  TimePoint next = std::min(engine_.next_deadline(), keepalive_deadline());
  if (waits_ != nullptr) {
    next = std::min({next, waits_->drain, waits_->linger, lifetime_deadline(), writing_deadline()});
  }
  if (!released_) next = std::min(next, deadline_after(last_active_, options_.idle_release));
  return next;
}

void Connection::on_timer() {
  const TimePoint now = loop().now();
  if (waits_ != nullptr && waits_->linger <= now) {
    begin_close(Status::unavailable("the peer didn't read the end of the connection"));
  }
  check_writing(now);
  if (state_ == State::kOpen) {
    if (waits_ != nullptr && waits_->drain <= now) {
      waits_->drain = kNever;
      engine_.finish_drain();
    }
    check_keepalive(now);
    check_lifetime(now);
    if (engine_.next_deadline() <= now) engine_.on_time(now);
    handler_.on_events_done();
  }
  check_idle(now);
  flush();
}

TimePoint Connection::writing_deadline() const {
  return stalled_ ? deadline_after(waits_->write_progress, options_.http2.limits.write_progress_timeout) : kNever;
}

void Connection::check_writing(TimePoint now) {
  if (now < writing_deadline()) return;
  ++counters_.write_timeouts;
  begin_close(Status::unavailable("the peer reads nothing: no byte could be written for too long"));
}

bool Connection::keepalive_wanted() const {
  const Keepalive& keepalive = options_.keepalive;
  return keepalive.time != Duration::max() && (keepalive.permit_without_stream || engine_.open_streams() != 0);
}

TimePoint Connection::keepalive_deadline() const {
  if (state_ != State::kOpen) return kNever;
  if (ping_out_) return waits_->ping;
  return keepalive_wanted() ? deadline_after(last_read_, options_.keepalive.time) : kNever;
}

void Connection::check_keepalive(TimePoint now) {
  if (now < keepalive_deadline()) return;
  if (ping_out_) {
    ++counters_.keepalive_timeouts;
    return begin_close(Status::unavailable("keepalive: the peer gave no sign of life"));
  }
  ++counters_.keepalive_pings;
  ping_out_ = true;
  waits().ping = deadline_after(now, options_.keepalive.timeout);
  engine_.ping(kKeepalivePing);
}

void Connection::check_idle(TimePoint now) {
  if (released_ || now < deadline_after(last_active_, options_.idle_release)) return;
  ++counters_.idle_releases;
  released_ = true;
  engine_.release_idle_memory();
  BlockPool::release_large();
  handler_.on_idle();
}

}  // namespace gaggle::transport
