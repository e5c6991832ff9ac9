// SPDX-License-Identifier: Apache-2.0
//
// How long a Connection may live: without a stream, and at all (gRFC A9).
#include <algorithm>

#include "gaggle/net/loop.h"
#include "gaggle/transport/connection.h"

namespace gaggle::transport {

void Connection::limit_age(TimePoint when) {
  waits().age = when;
  flush();
}

// At the end of each turn.
void Connection::watch_lifetime() {
  if (state_ != State::kOpen) return;
  if (aged_ && waits().age == kNever && engine_.final_goaway_sent()) {
    waits().age = deadline_after(loop().now(), options_.age_grace);
  }
  if (options_.max_idle == Duration::max()) return;
  // A stream may have come and gone within the turn.
  const uint32_t latest = engine_.latest_stream();
  const bool busy = engine_.open_streams() != 0 || engine_.used_slots() != 0;
  if (busy) {
    waits().idle_since = kNever;
  } else if (waits().idle_since == kNever || latest != latest_stream_) {
    waits().idle_since = loop().now();
  }
  latest_stream_ = latest;
}

TimePoint Connection::lifetime_deadline() const {
  if (state_ != State::kOpen || waits_ == nullptr) return kNever;
  if (draining_) return aged_ ? waits_->age : kNever;
  const TimePoint since = waits_->idle_since;
  return std::min(waits_->age, since == kNever ? kNever : deadline_after(since, options_.max_idle));
}

void Connection::check_lifetime(TimePoint now) {
  if (now < lifetime_deadline()) return;
  if (aged_) {
    ++counters_.age_grace_closes;
    return begin_close(Status::unavailable("the connection reached its maximum age, and the grace is over"));
  }
  if (waits().age <= now) {
    ++counters_.max_age_drains;
    drain("max_age");
    aged_ = true;
    waits().age = kNever;
    return;
  }
  ++counters_.max_idle_drains;
  drain("max_idle");
}

}  // namespace gaggle::transport
