// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/connectivity.h"

namespace gaggle {

std::string_view connectivity_state_name(ConnectivityState state) noexcept {
  switch (state) {
    case ConnectivityState::kIdle: return "IDLE";
    case ConnectivityState::kConnecting: return "CONNECTING";
    case ConnectivityState::kReady: return "READY";
    case ConnectivityState::kTransientFailure: return "TRANSIENT_FAILURE";
    case ConnectivityState::kShutdown: return "SHUTDOWN";
  }
  return "UNKNOWN";
}

}  // namespace gaggle
