// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "bench.gaggle.h"
#include "bench/load/measurement.h"
#include "bench/load/options.h"
#include "gaggle/net/loop.h"
#include "gaggle/net/task.h"
#include "gaggle/rpc/client_conn.h"

namespace bench {

// What all calls of one run share. One thread.
struct Load {
  Load(const LoadOptions& asked, gaggle::Loop& on)
      : options(asked), loop(on), measurement(asked), schedule(asked.rate) {}

  const LoadOptions& options;
  gaggle::Loop& loop;
  Measurement measurement;
  Schedule schedule;
  std::uint64_t calls = 0;  // begun
};

// The first call of a connection, which opens it; every byte of its answer is compared. It isn't measured, but if it
// fails, the measurement has failed.
gaggle::Task<void> greet(Load& load, gaggle::ClientConn& conn);

// One place for a call in flight: makes call after call, of the kind that the options ask for, until the measurement
// is over.
gaggle::Task<void> keep_calling(Load& load, gaggle::ClientConn& conn);

// An open stream on which one message has gone there and back.
struct HeldChat {
  std::optional<gaggle::BidiStreamingClient<benchpb::Request, benchpb::Response>> stream;
};
gaggle::Task<void> open_and_hold(Load& load, gaggle::ClientConn& conn, HeldChat& held);

}  // namespace bench
