// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "gaggle/http2/connection_testing.h"

namespace gaggle::http2::testing {

// A bad input of the catalogue: what the peer sends after the handshake, and the frames it gets
// back. Numbers in brackets are those of the catalogue.
struct BadInput {
  std::string name;
  Role role = Role::kServer;
  std::string bytes;
  std::string answer;  // the frames, joined by "; "
  std::string reason;  // why this answer
  // Client: requests opened before, with END_STREAM.
  int requests = 1;
};

std::ostream& operator<<(std::ostream& out, const BadInput& input);

// Sends the input whole, cut once at every byte, and byte by byte: the answer is always the same.
// Afterwards, unless the connection has failed, no window and no slot is lost, and the next request
// is served as if nothing had been.
void expect_answer(const BadInput& input);

}  // namespace gaggle::http2::testing
