// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <stdexcept>
#include <string>

#include "gaggle/rpc/client_testing.h"

namespace gaggle {

// For tests of users' code that throws.

[[noreturn]] inline void fail_loudly() { throw std::runtime_error("no idea"); }

// Makes a call; answers it if it gets anywhere.
inline std::string outcome_of_call(ClientWorld& world, CallOptions options = {}) {
  UnaryRun call(world, world.in(std::chrono::milliseconds{100}), "ask", options);
  world.settle();
  if (!world.network.servers.empty()) {
    for (auto& request : world.server().requests) {
      if (!request->answered && !request->reset) world.server().answer(*request, "reply");
    }
  }
  world.settle();
  return call.done() ? call.status().to_string() : "waits";
}

}  // namespace gaggle
