// SPDX-License-Identifier: Apache-2.0
//
// Where we and nghttp2 1.52 judge the same bytes differently, and why that is as it should be. Each
// line was looked at; a difference that isn't here fails the differential tests.
#include <string_view>

#include "gaggle/http2/nghttp2_oracle_testing.h"

namespace gaggle::http2::testing {

namespace {

struct Difference {
  std::string_view ours;    // beginning of to_string(verdict)
  std::string_view theirs;  // the same of nghttp2's
  std::string_view reason;
};

constexpr std::string_view kOurClosed = "stream error: RST_STREAM STREAM_CLOSED";
constexpr std::string_view kOurMalformed = "stream error: RST_STREAM PROTOCOL_ERROR";
constexpr std::string_view kTheirClosedData = "connection error: GOAWAY STREAM_CLOSED: DATA: stream";
constexpr std::string_view kTheirUnopenedData = "connection error: GOAWAY PROTOCOL_ERROR: DATA: stream not opened";
constexpr std::string_view kTheirMalformed = "stream error: RST_STREAM PROTOCOL_ERROR";

constexpr Difference kAllowed[] = {
    {kOurClosed, kTheirClosedData, "RFC 9113 §5.1 and §6.1 ask for a stream error; nghttp2 ends the connection"},
    {kOurClosed, "accepted", "§6.1 asks for a stream error; nghttp2 ignores DATA of streams it has forgotten"},
    {kOurClosed, "connection error: GOAWAY STREAM_CLOSED: HEADERS: stream closed",
     "the string had both: §5.1 asks for a stream error where the request alone has ended"},
    {kOurClosed, kTheirUnopenedData, "the string had both: DATA of a closed stream, and before a response"},
    {kOurMalformed, kTheirClosedData, "§5.4.2: we ignore what comes for a stream that we have just reset as malformed"},
    {kOurMalformed, "connection error: GOAWAY STREAM_CLOSED: HEADERS: stream closed", "the same for HEADERS"},
    {kOurMalformed, kTheirUnopenedData, "§8.1: DATA before the response makes the message malformed, and only that"},
    {kOurMalformed, "connection error: GOAWAY PROTOCOL_ERROR: WINDOW_UPDATE: window_size_increment == 0",
     "§6.9: of a stream's window, a stream error"},
    {kOurMalformed, "accepted", ":status below 100, and CONNECT: malformed for us (MessageRules)"},
    {"connection error: GOAWAY STREAM_CLOSED: HEADERS on a closed stream", "accepted",
     "§5.1: after END_STREAM a connection error; nghttp2 ignores them, on a client always"},
    {"connection error: GOAWAY STREAM_CLOSED: HEADERS on a closed stream", kTheirMalformed,
     "the same, in a string that has a malformed message, too"},
    {"connection error: GOAWAY PROTOCOL_ERROR: stream id lower than the last", "accepted",
     "§5.1.1 asks for a connection error; nghttp2 ignores them"},
    {"connection error: GOAWAY PROTOCOL_ERROR: stream id lower than the last", kTheirMalformed,
     "the same, in a string that has a malformed message, too"},
    {"accepted", kTheirMalformed,
     "nghttp2 checks the characters of :method, :path and :authority, and wants an authority (RFC 9110); for us those "
     "are strings that no registered method has"},
    {"accepted", "connection error: GOAWAY PROTOCOL_ERROR: depend on itself", "RFC 9113 gives dependencies no meaning"},
    {"stream error", "connection error: GOAWAY PROTOCOL_ERROR: depend on itself", "the same, and some stream error"},
    {"accepted", "connection error: GOAWAY STREAM_CLOSED: ",
     "of ids more than 1,024 streams ago we don't know any more if we reset them, and ignore what comes "
     "(StreamHistory)"},
    {"accepted", "connection error: GOAWAY PROTOCOL_ERROR: WINDOW_UPDATE: window_size_increment == 0",
     "on a stream that is closed, where WINDOW_UPDATE means nothing any more"},
    {"accepted", "connection error: GOAWAY PROTOCOL_ERROR: GOAWAY: invalid last_stream_id",
     "§6.8 sets no rule for an id that was never used, and it does no harm"},
    {"accepted", "connection error: GOAWAY PROTOCOL_ERROR: SETTINGS: invalid SETTINGS_ENABLE_CONNECT_PROTOCOL",
     "RFC 8441 isn't spoken here: an unknown setting"},
    {"stream error: RST_STREAM FRAME_SIZE_ERROR", "connection error: GOAWAY FRAME_SIZE_ERROR",
     "§6.3: PRIORITY of a wrong length is a stream error"},
    {"stream error", "connection error: GOAWAY FRAME_SIZE_ERROR", "the same, and another stream error before"},
    {"connection error: GOAWAY PROTOCOL_ERROR: more padding than DATA", "accepted",
     "§6.1: a connection error on any stream; nghttp2 doesn't look into DATA of closed ones"},
    {"connection error: GOAWAY PROTOCOL_ERROR: more padding than DATA", kTheirMalformed,
     "the same, and a malformed message"},
    {"connection error: GOAWAY FRAME_SIZE_ERROR: DATA too short", "accepted",
     "the same for padded DATA without a pad length"},
    {"connection error: GOAWAY COMPRESSION_ERROR: more than two table size updates", "",
     "RFC 7541 §4.2: two are enough for every change of the setting; nghttp2 takes any number"},
    {"connection error: GOAWAY FLOW_CONTROL_ERROR: SETTINGS_INITIAL_WINDOW_SIZE takes",
     "stream error: RST_STREAM FLOW_CONTROL_ERROR", "§6.9.2 asks for a connection error"},
    {"connection error: GOAWAY ENHANCE_YOUR_CALM: header block", "accepted",
     "we bound the bytes of a header block, nghttp2 only its decoded size"},
};

}  // namespace

std::string unexpected_difference(const Verdict& ours, const Verdict& theirs) {
  if (ours.worst == theirs.worst) return {};
  const std::string we = to_string(ours);
  const std::string they = to_string(theirs);
  for (const Difference& allowed : kAllowed) {
    if (we.starts_with(allowed.ours) && they.starts_with(allowed.theirs)) return {};
  }
  return "ours: " + we + " / nghttp2: " + they;
}

}  // namespace gaggle::http2::testing
