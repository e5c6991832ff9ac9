// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "gaggle/base/status.h"
#include "gaggle/rpc/call_options.h"
#include "gaggle/rpc/metadata.h"

namespace gaggle {

// How a call ended, and what its last attempt met: for CallOption::after.
//
// Of a call that interceptors made several times, the latest that ended; of one that they answered
// themselves there is only the status.
struct CallAttempt {
  Status status;          // what the caller gets, whatever interceptors made of the server's
  uint32_t attempts = 0;  // first one, retries, hedges; transparent retries don't count. 0: none was begun
  // Where it went. The address is empty if it never was on a connection, or if a stream was destroyed
  // before the server's headers had come.
  Peer peer;
  bool has_header = false;  // the server's headers came; not so when it answered with trailers only
  Metadata header;
  Metadata trailer;
};

}  // namespace gaggle
