// SPDX-License-Identifier: Apache-2.0
//
// How long a Connection may live: without a stream, and at all (gRFC A9).
#include <algorithm>

#include "gaggle/net/loop.h"
#include "gaggle/transport/connection.h"

namespace gaggle::transport {

void Connection::limit_age(TimePoint when) {
  age_deadline_ = when;
  flush();
}

// At the end of each turn.
void Connection::watch_lifetime() {
  if (state_ != State::kOpen) return;
  if (aged_ && age_deadline_ == kNever && engine_.final_goaway_sent()) {
    age_deadline_ = deadline_after(loop().now(), options_.age_grace);
  }
  if (options_.max_idle == Duration::max()) return;
  // A stream may have come and gone within the turn.
  const uint32_t latest = engine_.latest_stream();
  const bool busy = engine_.open_streams() != 0 || engine_.used_slots() != 0;
  if (busy) {
    idle_since_ = kNever;
  } else if (idle_since_ == kNever || latest != latest_stream_) {
    idle_since_ = loop().now();
  }
  latest_stream_ = latest;
}

TimePoint Connection::lifetime_deadline() const {
  if (state_ != State::kOpen) return kNever;
  if (draining_) return aged_ ? age_deadline_ : kNever;
  const TimePoint idle = idle_since_ == kNever ? kNever : deadline_after(idle_since_, options_.max_idle);
  return std::min(age_deadline_, idle);
}

void Connection::check_lifetime(TimePoint now) {
  if (now < lifetime_deadline()) return;
  if (aged_) {
    ++counters_.age_grace_closes;
    return begin_close(Status::unavailable("the connection reached its maximum age, and the grace is over"));
  }
  if (age_deadline_ <= now) {
    ++counters_.max_age_drains;
    drain("max_age");
    aged_ = true;
    age_deadline_ = kNever;
    return;
  }
  ++counters_.max_idle_drains;
  drain("max_idle");
}

}  // namespace gaggle::transport
