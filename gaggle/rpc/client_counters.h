// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "gaggle/base/tally.h"

namespace gaggle {

// ClientConnCounters, as its loop keeps them.
struct ClientTallies {
  Tally calls_started;
  Tally calls_succeeded;
  Tally calls_failed;
  Tally calls_now;
  Tally transparent_retries;
  Tally attempts;
  Tally retries;
  Tally hedges;
  Tally retries_throttled;
  Tally retry_buffer_full;
  Tally retry_buffer_bytes;
  Tally connect_attempts;
  Tally connects_failed;
  Tally connections_lost;
  Tally keepalive_timeouts;
  Tally idle_entries;
  Tally idle_exits;
};

}  // namespace gaggle
