// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gaggle/base/result.h"

namespace gaggle::cli {

// --listen, --self and --peer as they were written.
struct NodeAddresses {
  std::string listen;
  std::string self;
  std::vector<std::string> peers;
};

// Who is in the cluster: this node by the name that the others know, and everybody, itself included.
// A node without peers is no cluster: both are empty.
struct Members {
  std::string self;
  std::vector<std::string> all;
};

// INVALID_ARGUMENT when an address can't be read, or the node's own isn't known: --listen says it
// only when others could connect to it as it stands, and that needs a host and a port.
Result<Members> members_of(const NodeAddresses& addresses);

// What was listened on, with the port that the system chose: "127.0.0.1:0" becomes "127.0.0.1:40123".
std::string with_port(const std::string& listen, uint16_t port);

}  // namespace gaggle::cli
