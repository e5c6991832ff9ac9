// SPDX-License-Identifier: Apache-2.0
#include "gaggle/http2/catalogue_testing.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "gaggle/http2/nghttp2_oracle_testing.h"

namespace gaggle::http2::testing {

namespace {

constexpr uint32_t kLaterStream = 0x7001;

struct Cut {
  size_t first;  // bytes of the first piece
  size_t piece;  // and of the others
};

std::vector<Cut> cuts_of(size_t bytes) {
  std::vector<Cut> cuts{{bytes, SIZE_MAX}, {0, 1}};
  // All of them for short inputs; a long one repeats itself.
  const size_t step = std::max<size_t>(1, bytes / 300);
  for (size_t at = 1; at < bytes; at += step) cuts.push_back({at, SIZE_MAX});
  return cuts;
}

void expect_untouched_server(Script& script) {
  const std::string where = "the connection must go on as if nothing had been";
  script.next_turn();
  script.sent();
  script.heard();
  script.send(headers(kLaterStream, request_fields()));
  EXPECT_EQ(join(script.sent()), "HEADERS 28673 :status=200; DATA 28673 2; HEADERS 28673 END_STREAM grpc-status=0")
      << where;
  // What the input left open ends here.
  for (uint32_t id : {1u, 3u}) {
    if (script.has_stream(id)) script.send(rst_stream(id, ErrorCode::kCancel));
  }
  EXPECT_EQ(script.held_streams(), 0u) << where;
  EXPECT_EQ(script.connection().open_streams(), 0u) << where;
  EXPECT_EQ(script.connection().used_slots(), 0u) << where;
}

void expect_untouched_client(Script& script) {
  script.sent();
  script.heard();
  if (script.connection().can_open() != CanOpen::kYes) return;  // after GOAWAY
  Stream& stream = script.request();
  const uint32_t id = stream.id();
  script.heard();
  script.send(headers(id, response_fields()));
  EXPECT_EQ(join(script.heard()), "headers " + std::to_string(id) + " :status=200 end") << "the next call must work";
}

void run(const BadInput& input, const Cut& cut) {
  SCOPED_TRACE(cut.piece == 1 ? "byte by byte" : "cut at " + std::to_string(cut.first));
  Script script(input.role);
  script.shake_hands();
  if (input.role == Role::kClient) {
    for (int i = 0; i < input.requests; ++i) script.request();
    script.sent();
  }
  const std::string_view bytes = input.bytes;
  script.send(bytes.substr(0, cut.first));
  script.send(bytes.substr(cut.first), cut.piece);
  EXPECT_EQ(join(script.sent()), input.answer) << input.reason;
  Connection& connection = script.connection();
  if (connection.failed()) {
    EXPECT_EQ(connection.counters().connection_errors, 1u);
    EXPECT_EQ(connection.open_streams(), 0u) << "a failed connection ends its streams";
    script.send(headers(kLaterStream, request_fields()));
    EXPECT_EQ(join(script.sent()), "") << "after a fatal error nothing is read any more";
    return;
  }
  EXPECT_EQ(connection.receive_credit(), connection.options().connection_window_bytes)
      << "the connection's window never leaks";
  input.role == Role::kServer ? expect_untouched_server(script) : expect_untouched_client(script);
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const BadInput& input) { return out << input.name; }

void expect_answer(const BadInput& input) {
  EXPECT_EQ(unexpected_difference(our_verdict(input.role, input.bytes, input.requests),
                                  nghttp2_verdict(input.role, input.bytes, input.requests)),
            "")
      << input.name;
  for (const Cut& cut : cuts_of(input.bytes.size())) {
    run(input, cut);
    if (::testing::Test::HasFailure()) {
      ADD_FAILURE() << input.name;
      return;
    }
  }
}

}  // namespace gaggle::http2::testing
