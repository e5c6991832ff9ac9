// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "gaggle/http2/connection.h"

// libnghttp2's session as an oracle for our connection: the same bytes, the same verdict.
namespace gaggle::http2::testing {

enum class VerdictClass : uint8_t { kAccepted, kStreamError, kConnectionError };

// What an implementation thinks of a string of bytes: its worst answer. `detail` says which, for
// the table of differences: "GOAWAY PROTOCOL_ERROR: reason" or "RST_STREAM STREAM_CLOSED".
struct Verdict {
  VerdictClass worst = VerdictClass::kAccepted;
  std::string detail;
};

std::string to_string(const Verdict& verdict);

// Both as a client or server that has done its handshake with a peer which then sends `bytes`. A
// server answers complete requests with a 200; a client has sent `requests` without content.
Verdict our_verdict(Role role, std::string_view bytes, int requests);
Verdict nghttp2_verdict(Role role, std::string_view bytes, int requests);

// Empty if both are of the same class or their difference is in the table of those allowed;
// otherwise what differs. The table, with a reason for each line, is in nghttp2_differences_testing.cc.
std::string unexpected_difference(const Verdict& ours, const Verdict& theirs);

}  // namespace gaggle::http2::testing
