// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "gaggle/http2/header_block.h"

namespace gaggle::http2 {

// Whether a header block is a well-formed part of an HTTP message (RFC 9113 §8). Pure functions.
//
// Two matters are left to the layer above: whether `host` agrees with `:authority`, and white space
// around the values of regular fields, which gRPC says to strip (HeaderProblem::kPaddedValue).
// CONNECT, plain or extended, counts as malformed: nothing here serves it.
struct MessageRules {
  // Why it's malformed, in static storage; empty when it's well-formed.
  std::string_view problem;
  // The declared length of the content; -1 when there is none.
  int64_t content_length = -1;
  // Of a response; 0 in a request.
  int status = 0;

  bool well_formed() const { return problem.empty(); }
  bool informational() const { return status >= 100 && status < 200; }
};

MessageRules check_request(const HeaderBlock& block);
MessageRules check_response(const HeaderBlock& block);
MessageRules check_trailers(const HeaderBlock& block);

}  // namespace gaggle::http2
