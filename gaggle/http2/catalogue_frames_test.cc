// SPDX-License-Identifier: Apache-2.0
//
// The catalogue's bad inputs at the level of frames, [19] to [78]; floods are in abuse_test.cc.
#include <gtest/gtest.h>

#include "gaggle/http2/catalogue_testing.h"

namespace gaggle::http2::testing {
namespace {

constexpr Role kServer = Role::kServer;
constexpr Role kClient = Role::kClient;
constexpr uint32_t kMax = 0x7fff'ffff;

std::string open_stream(uint32_t id) { return headers(id, request_fields(), kEndHeaders); }
std::string whole_request(uint32_t id) { return headers(id, request_fields()); }
std::string served(uint32_t id) {
  const std::string n = std::to_string(id);
  return "HEADERS " + n + " :status=200; DATA " + n + " 2; HEADERS " + n + " END_STREAM grpc-status=0";
}
std::string fails(ErrorCode code, uint32_t last_id = 0) {
  return "GOAWAY " + std::to_string(last_id) + " " + std::string(error_code_name(code));
}
std::string resets(uint32_t id, ErrorCode code) {
  return "RST_STREAM " + std::to_string(id) + " " + std::string(error_code_name(code));
}

void all(const std::vector<BadInput>& inputs) {
  for (const BadInput& input : inputs) {
    SCOPED_TRACE(input.name);
    expect_answer(input);
  }
}

TEST(Catalogue, frames_and_bits_that_are_to_be_ignored) {
  all({
      {"[19] unknown frame type", kServer, frame(0xee, 0xff, 0, "anything") + frame(0xee, 0, 77, ""), "",
       "§5.5: frames of unknown types are discarded, on any stream"},
      {"[21] undefined flags", kServer, frame(FrameType::kPing, 0xfe, 0, "01234567"), "PING ACK 3472611983179986487",
       "§4.1: flags without a meaning for the type are ignored"},
      {"[22] reserved bit of the stream id", kServer,
       frame(FrameType::kHeaders, 5, 0x8000'0001, block(request_fields())), served(1),
       "§4.1: the bit is ignored when receiving"},
      {"[49] PRIORITY on itself", kServer, open_stream(1) + priority(1, 1), "",
       "RFC 9113 gives dependencies no meaning"},
      {"[61] unknown setting", kServer, settings({{static_cast<SettingId>(0x99), 7}}), "SETTINGS ACK",
       "§6.5.2: unknown settings are ignored"},
      {"[62] the same setting twice", kServer,
       settings({{SettingId::kMaxFrameSize, 16'384}, {SettingId::kMaxFrameSize, 20'000}}), "SETTINGS ACK",
       "§6.5.3: values are processed in their order"},
  });
}

TEST(Catalogue, frames_on_the_wrong_stream) {
  const auto protocol = fails(ErrorCode::kProtocolError);
  all({
      {"[26] DATA on stream 0", kServer, data(0, "x"), protocol, "§6.1"},
      {"[27] HEADERS on stream 0", kServer, headers(0, request_fields()), protocol, "§6.2"},
      {"[28] RST_STREAM on stream 0", kServer, rst_stream(0, ErrorCode::kCancel), protocol, "§6.4"},
      {"[29] CONTINUATION on stream 0", kServer, continuation(0, "", kEndHeaders), protocol, "§6.10"},
      {"[30] PRIORITY on stream 0", kServer, priority(0, 1), protocol, "§6.3"},
      {"[31] SETTINGS on stream 1", kServer, frame(FrameType::kSettings, 0, 1, ""), protocol, "§6.5"},
      {"[32] PING on stream 1", kServer, frame(FrameType::kPing, 0, 1, "01234567"), protocol, "§6.7"},
      {"[33] GOAWAY on stream 1", kServer, frame(FrameType::kGoaway, 0, 1, "01234567"), protocol, "§6.8"},
      {"[34] DATA on an idle stream", kServer, data(1, "x"), protocol, "§5.1: only HEADERS begin a stream"},
      {"[35] RST_STREAM on an idle stream", kServer, rst_stream(1, ErrorCode::kCancel), protocol, "§6.4"},
      {"[36] WINDOW_UPDATE on an idle stream", kServer, window_update(1, 1), protocol, "§5.1"},
      {"[66] even stream id", kServer, headers(2, request_fields()), protocol, "§5.1.1: clients use odd ids"},
      {"[67] id lower than the last", kServer, whole_request(5) + whole_request(3),
       served(5) + "; " + fails(ErrorCode::kProtocolError, 5), "§5.1.1: ids only grow"},
      {"[34] DATA on a stream we never opened", kClient, data(5, "x"), protocol, "idle for the client too"},
      {"[66] a server begins a stream", kClient, headers(2, response_fields()), protocol, "push is off"},
  });
}

TEST(Catalogue, frames_of_the_wrong_size) {
  const auto size = fails(ErrorCode::kFrameSizeError);
  all({
      {"[23] DATA of 16385 bytes", kServer, open_stream(1) + data(1, std::string(16'385, 'x')),
       fails(ErrorCode::kFrameSizeError, 1), "§4.2: larger than our SETTINGS_MAX_FRAME_SIZE"},
      {"[24] HEADERS of 16385 bytes", kServer, frame(FrameType::kHeaders, 4, 1, std::string(16'385, 'x')), size,
       "§4.2"},
      {"[25] a header that announces 2^24-1 bytes", kServer, std::string("\xff\xff\xff\x01\x04\0\0\0\x01", 9), size,
       "refused before a byte of it is stored"},
      {"[25] the same of an unknown type", kServer, std::string("\xff\xff\xff\xee\0\0\0\0\0", 9), size, "§4.2"},
      {"[43] RST_STREAM of 3", kServer, open_stream(1) + frame(FrameType::kRstStream, 0, 1, "abc"),
       fails(ErrorCode::kFrameSizeError, 1), "§6.4"},
      {"[43] RST_STREAM of 5", kServer, open_stream(1) + frame(FrameType::kRstStream, 0, 1, "abcde"),
       fails(ErrorCode::kFrameSizeError, 1), "§6.4"},
      {"[44] PING of 7", kServer, frame(FrameType::kPing, 0, 0, "1234567"), size, "§6.7"},
      {"[44] PING of 9", kServer, frame(FrameType::kPing, 0, 0, "123456789"), size, "§6.7"},
      {"[45] WINDOW_UPDATE of 3", kServer, frame(FrameType::kWindowUpdate, 0, 0, "123"), size, "§6.9"},
      {"[46] SETTINGS of 5", kServer, frame(FrameType::kSettings, 0, 0, "12345"), size, "§6.5"},
      {"[47] SETTINGS ACK with a payload", kServer, frame(FrameType::kSettings, kAck, 0, "123456"), size, "§6.5"},
      {"GOAWAY of 7", kServer, frame(FrameType::kGoaway, 0, 0, "1234567"), size, "§6.8: eight octets at least"},
      {"[48] PRIORITY of 4", kServer, open_stream(1) + frame(FrameType::kPriority, 0, 1, "1234"),
       resets(1, ErrorCode::kFrameSizeError), "§6.3: a stream error"},
      {"[48] PRIORITY of 4 on an idle stream", kServer, frame(FrameType::kPriority, 0, 1, "1234"), size,
       "an idle stream can't be reset"},
      {"HEADERS shorter than its flags say", kServer, frame(FrameType::kHeaders, 4 | kPriorityFlag, 1, "1234"), size,
       "§6.2"},
      {"padded HEADERS without a pad length", kServer, frame(FrameType::kHeaders, 4 | kPadded, 1, ""), size, "§6.2"},
      {"padded DATA without a pad length", kServer, open_stream(1) + frame(FrameType::kData, kPadded, 1, ""),
       fails(ErrorCode::kFrameSizeError, 1), "§6.1"},
  });
}

TEST(Catalogue, padding) {
  const std::string headers_with_padding =
      frame(FrameType::kHeaders, 5 | kPadded, 1, '\x07' + block(request_fields()) + std::string(7, '\0'));
  all({
      {"padded HEADERS", kServer, headers_with_padding, served(1), "§6.2: padding is cut off"},
      {"HEADERS with priority", kServer,
       frame(FrameType::kHeaders, 5 | kPriorityFlag, 1, std::string("\x80\0\0\3\x10", 5) + block(request_fields())),
       served(1), "§5.3.2: the priority is read and ignored"},
      {"[41] DATA all padding and more", kServer,
       open_stream(1) + frame(FrameType::kData, kPadded, 1,
                              "\x03"
                              "ab"),
       fails(ErrorCode::kProtocolError, 1), "§6.1: as long as the payload, or longer"},
      {"[41] HEADERS all padding and more", kServer,
       frame(FrameType::kHeaders, 4 | kPadded, 1,
             "\x05"
             "abcd"),
       fails(ErrorCode::kProtocolError), "§6.2"},
      {"[42] 255 bytes of padding around nothing", kServer, open_stream(1) + padded_data(1, "", 255, kEndStream),
       served(1), "flow control counts all 256 and gives them back"},
      {"padding around content", kServer, open_stream(1) + padded_data(1, "hello", 100, kEndStream), served(1), "§6.1"},
  });
}

TEST(Catalogue, streams_that_are_closed_or_half_closed) {
  const std::string part = open_stream(1);
  all({
      {"[37] DATA after END_STREAM", kClient,
       headers(1, response_fields(), kEndHeaders) + data(1, "", kEndStream) + data(1, "x"),
       resets(1, ErrorCode::kStreamClosed), "§6.1: STREAM_CLOSED"},
      {"[38] HEADERS on a closed stream", kServer, whole_request(1) + whole_request(1),
       served(1) + "; " + fails(ErrorCode::kStreamClosed, 1), "§5.1, closed: a connection error"},
      {"[39] DATA on a closed stream", kServer, whole_request(1) + data(1, "late"),
       served(1) + "; " + resets(1, ErrorCode::kStreamClosed), "§5.1: its bytes are given back to the connection"},
      {"[39] DATA after the peer's own RST_STREAM", kServer, part + rst_stream(1, ErrorCode::kCancel) + data(1, "late"),
       resets(1, ErrorCode::kStreamClosed), "§5.1"},
      {"[40] DATA after our RST_STREAM", kServer,
       part + window_update(1, 0) + data(1, "late") + data(1, "later", kEndStream),
       resets(1, ErrorCode::kProtocolError), "§5.4.2: ignored, the peer couldn't know yet"},
      {"[40] trailers after our RST_STREAM", kServer, part + window_update(1, 0) + headers(1, {{"a", "b"}}),
       resets(1, ErrorCode::kProtocolError), "ignored, and the header compression stays in step"},
      {"WINDOW_UPDATE on a closed stream", kServer, whole_request(1) + window_update(1, 5), served(1),
       "§6.9: it may come for a while after the end"},
      {"RST_STREAM on a closed stream", kServer, whole_request(1) + rst_stream(1, ErrorCode::kCancel), served(1),
       "the peer's cancel has crossed our answer"},
      {"PRIORITY on a closed stream", kServer, whole_request(1) + priority(1, 3), served(1),
       "§6.3: allowed in any state"},
      {"DATA on a stream id that was skipped", kServer, whole_request(3) + data(1, "x"),
       served(3) + "; " + resets(1, ErrorCode::kStreamClosed), "§5.1.1: a skipped stream counts as closed"},
  });
}

TEST(Catalogue, windows) {
  all({
      {"[50] WINDOW_UPDATE by 0 on the connection", kServer, window_update(0, 0), fails(ErrorCode::kProtocolError),
       "§6.9"},
      {"[51] WINDOW_UPDATE by 0 on a stream", kServer, open_stream(1) + window_update(1, 0),
       resets(1, ErrorCode::kProtocolError), "§6.9"},
      {"[52] stream window above 2^31-1", kServer, open_stream(1) + window_update(1, kMax),
       resets(1, ErrorCode::kFlowControlError), "§6.9.1"},
      {"[53] connection window above 2^31-1", kServer, window_update(0, kMax), fails(ErrorCode::kFlowControlError),
       "§6.9.1"},
      {"[56] INITIAL_WINDOW_SIZE of 2^31", kServer, settings({{SettingId::kInitialWindowSize, 0x8000'0000}}),
       fails(ErrorCode::kFlowControlError), "§6.5.2"},
      {"[58] INITIAL_WINDOW_SIZE takes an open stream past 2^31-1", kServer,
       open_stream(1) + window_update(1, 100) + settings({{SettingId::kInitialWindowSize, kMax}}),
       fails(ErrorCode::kFlowControlError, 1), "§6.9.2"},
  });
}

TEST(Catalogue, settings) {
  const auto protocol = fails(ErrorCode::kProtocolError);
  all({
      {"[8] acknowledgement of nothing", kServer, settings_ack(), protocol, "ours was acknowledged already"},
      {"[59] MAX_FRAME_SIZE 16383", kServer, settings({{SettingId::kMaxFrameSize, 16'383}}), protocol, "§6.5.2"},
      {"[59] MAX_FRAME_SIZE 2^24", kServer, settings({{SettingId::kMaxFrameSize, 1 << 24}}), protocol, "§6.5.2"},
      {"[60] ENABLE_PUSH 2", kServer, settings({{SettingId::kEnablePush, 2}}), protocol, "§6.5.2"},
      {"[60] a server enables push", kClient, settings({{SettingId::kEnablePush, 1}}), protocol, "§6.5.2"},
      {"[63] 33 entries", kServer, frame(FrameType::kSettings, 0, 0, repeat(u16(0x99) + u32(1), 33)),
       fails(ErrorCode::kEnhanceYourCalm), "more than anybody needs"},
      {"32 entries", kServer, frame(FrameType::kSettings, 0, 0, repeat(u16(0x99) + u32(1), 32)), "SETTINGS ACK",
       "the last that is allowed"},
  });
}

TEST(Catalogue, push) {
  all({
      {"[64] PUSH_PROMISE from a client", kServer, open_stream(1) + frame(FrameType::kPushPromise, 4, 1, u32(2)),
       fails(ErrorCode::kProtocolError, 1), "§8.4: clients cannot push"},
      {"[65] PUSH_PROMISE from a server", kClient, frame(FrameType::kPushPromise, 4, 1, u32(2)),
       fails(ErrorCode::kProtocolError), "§8.4: push is off"},
  });
}

TEST(Catalogue, header_blocks_in_pieces) {
  const std::string whole = block(request_fields());
  const std::string begin = frame(FrameType::kHeaders, kEndStream, 1, whole.substr(0, 5));
  const auto protocol = fails(ErrorCode::kProtocolError);
  const std::string empty = continuation(1, "", 0);
  all({
      {"a block in nine frames", kServer, begin + repeat(empty, 7) + continuation(1, whole.substr(5), kEndHeaders),
       served(1), "as many as are allowed"},
      {"[20] unknown frame inside a block", kServer, begin + frame(0xee, 0, 1, ""), protocol,
       "§6.10: no other frame at all"},
      {"[70] CONTINUATION without HEADERS", kServer, continuation(1, whole, kEndHeaders), protocol, "§6.10"},
      {"[71] PING inside a block", kServer, begin + ping(1), protocol, "§6.10"},
      {"[71] HEADERS inside a block", kServer, begin + headers(3, request_fields()), protocol, "§6.10"},
      {"[72] CONTINUATION of another stream", kServer, begin + continuation(3, whole.substr(5), kEndHeaders), protocol,
       "§6.10"},
      {"[73] nine CONTINUATIONs", kServer, begin + repeat(empty, 8) + continuation(1, whole.substr(5), kEndHeaders),
       fails(ErrorCode::kEnhanceYourCalm), "a block has eight at most"},
      {"[74] 128 empty CONTINUATIONs", kServer, begin + repeat(empty, 128), fails(ErrorCode::kEnhanceYourCalm),
       "the same"},
      {"[93] a block of more bytes than we keep", kServer,
       frame(FrameType::kHeaders, 0, 1, std::string(16'384, 'a')) +
           repeat(continuation(1, std::string(16'384, 'a'), 0), 4),
       fails(ErrorCode::kEnhanceYourCalm), "refused before it is stored"},
      {"[106] a block that ends inside a field", kServer, frame(FrameType::kHeaders, 5, 1, whole.substr(0, 9)),
       fails(ErrorCode::kCompressionError), "§4.3: the tables may differ from now on"},
      {"[87] index 0", kServer, frame(FrameType::kHeaders, 5, 1, "\x80"), fails(ErrorCode::kCompressionError),
       "RFC 7541 §6.1"},
      {"[105] a stream error leaves the compression in step", kServer,
       // The malformed request enters a field into the table (0x40), the next one uses it (0xbe).
       frame(FrameType::kHeaders, 5, 1, std::string("\x40\1a\1b", 5)) +
           frame(FrameType::kHeaders, 5, 3, block(request_fields()) + "\xbe"),
       resets(1, ErrorCode::kProtocolError) + "; " + served(3), "the block of a refused message counts too"},
  });
}

TEST(Catalogue, unknown_error_codes_pass_through) {
  Script script(kClient);
  script.shake_hands();
  script.request();
  script.request();
  script.send(rst_stream(1, static_cast<ErrorCode>(0xabcd)));
  EXPECT_EQ(join(script.heard()), "reset 1 UNKNOWN_ERROR by peer") << "[76] ends the call and nothing else";
  script.send(goaway(3, static_cast<ErrorCode>(0xffff'ffff)));
  EXPECT_EQ(join(script.heard()), "goaway 3 UNKNOWN_ERROR") << "[75] no stream above 3, none ends";
  EXPECT_FALSE(script.connection().failed());
}

}  // namespace
}  // namespace gaggle::http2::testing
