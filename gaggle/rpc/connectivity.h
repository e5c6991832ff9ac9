// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

namespace gaggle {

// Where a connection stands. gRPC connectivity-semantics-and-api.md.
enum class ConnectivityState : uint8_t {
  kIdle,              // no connection, none wanted
  kConnecting,        // being made
  kReady,             // calls go out
  kTransientFailure,  // couldn't be made; will be tried again
  kShutdown,          // closed for good
};

std::string_view connectivity_state_name(ConnectivityState state) noexcept;  // "READY"

}  // namespace gaggle
