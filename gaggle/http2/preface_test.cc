// SPDX-License-Identifier: Apache-2.0
//
// How connections begin: catalogue [1] to [10], and the timeouts.
#include <gtest/gtest.h>

#include "gaggle/http2/connection_testing.h"
#include "gaggle/http2/preface.h"

namespace gaggle::http2::testing {
namespace {

using namespace std::chrono_literals;

const std::string kPreface(kClientPreface);

TEST(Preface, a_server_speaks_first) {
  Script script(Role::kServer);
  EXPECT_EQ(join(script.sent()), "SETTINGS; WINDOW_UPDATE 0 +983041") << "§3.4: without waiting for the client";
  script.send(kPreface + settings());
  EXPECT_EQ(join(script.sent()), "SETTINGS ACK") << "§6.5.3: at once";
  EXPECT_EQ(join(script.heard()), "settings 65535");
}

TEST(Preface, a_client_sends_the_magic_and_its_settings) {
  Script script(Role::kClient);
  const std::string bytes = script.take_bytes();
  EXPECT_TRUE(bytes.starts_with(kPreface)) << "§3.4";
  Transcript transcript;
  EXPECT_EQ(join(transcript.read(bytes.substr(kPreface.size()))), "SETTINGS; WINDOW_UPDATE 0 +983041");
  script.send(settings({{SettingId::kInitialWindowSize, 100}}));
  EXPECT_EQ(join(script.heard()), "settings 100") << "the connection is ready with the server's SETTINGS";
}

TEST(Preface, anything_else_is_refused) {
  for (std::string input : {"[1] wrong", "[2] GET / HTTP/1.1\r\nHost: x\r\n\r\n"}) {
    input = input.substr(4);
    Script script(Role::kServer);
    script.send(input, 1);
    EXPECT_EQ(join(script.heard()), "failed PROTOCOL_ERROR: not an HTTP/2 connection preface") << "§3.4";
    EXPECT_EQ(script.sent().back(), "GOAWAY 0 PROTOCOL_ERROR");
    EXPECT_TRUE(script.connection().failed()) << "the transport closes once this is written";
  }
  for (size_t at = 0; at < kPreface.size(); ++at) {
    std::string wrong = kPreface;
    wrong[at] ^= 0x20;
    Script script(Role::kServer);
    script.send(wrong, 1 + at % 3);
    EXPECT_TRUE(script.connection().failed()) << "[1] wrong at byte " << at;
  }
}

TEST(Preface, every_cut_of_it_is_fine) {
  const std::string bytes = kPreface + settings() + headers(1, request_fields());
  for (size_t cut = 1; cut < bytes.size(); ++cut) {
    Script script(Role::kServer);
    script.send(bytes.substr(0, cut)).send(bytes.substr(cut));
    EXPECT_EQ(script.held_streams(), 0u);
    EXPECT_EQ(script.sent().back(), "HEADERS 1 END_STREAM grpc-status=0") << "[10] cut at " << cut;
  }
}

TEST(Preface, the_first_frame_is_settings) {
  for (const std::string& first : {ping(1), headers(1, request_fields()), settings_ack(), frame(0xee, 0, 0, "")}) {
    Script server(Role::kServer);
    server.send(kPreface + first);
    EXPECT_EQ(server.sent().back(), "GOAWAY 0 PROTOCOL_ERROR") << "[5] [6] §3.4, for clients";
    Script client(Role::kClient);
    client.send(first);
    EXPECT_EQ(client.sent().back(), "GOAWAY 0 PROTOCOL_ERROR") << "[5] [6] §3.4, and for servers";
  }
}

TEST(Preface, a_truncated_one_holds_nothing) {
  Script script(Role::kServer);
  script.send(kPreface.substr(0, 10));
  script.connection().connection_lost();
  EXPECT_TRUE(script.connection().failed()) << "[3] the peer closed; there is nothing to clean up";
  EXPECT_FALSE(script.connection().wants_write()) << "nobody is there to read it";
}

TEST(Timeouts, silence_instead_of_a_preface) {
  for (const std::string& first : {std::string(), kPreface}) {
    Script script(Role::kServer);
    script.send(first);
    script.wait(9999ms);
    EXPECT_FALSE(script.connection().failed()) << "ten seconds are not over";
    script.wait(1ms);
    EXPECT_EQ(join(script.heard()), "failed PROTOCOL_ERROR: no connection preface in time") << "[4]";
    EXPECT_EQ(script.connection().counters().timeouts, 1u);
    EXPECT_EQ(script.connection().next_deadline(), kNever) << "a failed connection waits for nothing";
  }
}

TEST(Timeouts, settings_that_are_never_acknowledged) {
  Script script(Role::kServer);
  script.send(kPreface + settings());
  script.sent();
  EXPECT_EQ(script.connection().next_deadline(), script.now() + 60s) << "the preface is complete, the ACK is missing";
  script.wait(60s);
  EXPECT_EQ(join(script.sent()), "GOAWAY 0 SETTINGS_TIMEOUT") << "[7] §6.5.3";
}

TEST(Timeouts, none_is_left_after_the_handshake) {
  Script script(Role::kServer);
  script.shake_hands();
  EXPECT_EQ(script.connection().next_deadline(), kNever) << "an idle connection needs no timer";
  script.wait(1h);
  EXPECT_FALSE(script.connection().failed());
}

TEST(Timeouts, a_header_block_that_is_not_ended) {
  Script script(Role::kServer);
  script.shake_hands();
  script.send(frame(FrameType::kHeaders, 0, 1, block(request_fields())));
  script.wait(5s);
  script.send(continuation(1, "", 0));
  EXPECT_EQ(script.connection().next_deadline(), script.now() + 5s) << "another piece doesn't buy more time";
  script.wait(5s);
  EXPECT_EQ(join(script.sent()), "GOAWAY 0 PROTOCOL_ERROR") << "slow headers";
}

TEST(Timeouts, a_frame_that_dribbles) {
  Script script(Role::kServer);
  script.shake_hands();
  const std::string bytes = headers(1, request_fields());
  for (size_t i = 0; i < 9; ++i) script.send(bytes.substr(i, 1)).wait(1s);
  EXPECT_FALSE(script.connection().failed());
  script.send(bytes.substr(9, 1)).wait(1s);
  EXPECT_TRUE(script.connection().failed()) << "ten seconds for one frame";
}

TEST(Timeouts, a_busy_connection_always_has_half_a_frame) {
  Script script(Role::kServer);
  script.shake_hands();
  const std::string bytes = ping(1);
  script.send(bytes.substr(0, 5));
  for (int i = 0; i < 100; ++i) {
    script.wait(1s);
    script.send(bytes.substr(5) + bytes.substr(0, 5));
    script.sent();
  }
  EXPECT_FALSE(script.connection().failed()) << "each of them was complete in time";
}

TEST(Bytes, one_at_a_time_for_a_whole_conversation) {
  Script script(Role::kServer);
  script.shake_hands();
  for (uint32_t id = 1; id < 20; id += 2) {
    script.send(headers(id, request_fields(), kEndHeaders) + padded_data(id, "some content", 3) + ping(id) +
                    headers(id, {{"a", "b"}}),
                1);
    const std::string n = std::to_string(id);
    EXPECT_EQ(join(script.heard()), "headers " + n + " :method=POST :scheme=http :path=/a :authority=x; data " + n +
                                        " 12; trailers " + n + " a=b")
        << "[9]";
    EXPECT_EQ(join(script.sent(1)), "PING ACK " + n + "; HEADERS " + n + " :status=200; DATA " + n + " 2; HEADERS " +
                                        n + " END_STREAM grpc-status=0")
        << "[15] written byte by byte as well";
  }
}

}  // namespace
}  // namespace gaggle::http2::testing
