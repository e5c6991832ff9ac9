// SPDX-License-Identifier: Apache-2.0
//
// The client's end: opening streams, what a server may refuse, and GOAWAY.
#include <gtest/gtest.h>

#include "gaggle/http2/connection_testing.h"

namespace gaggle::http2::testing {
namespace {

struct ClientTest : ::testing::Test {
  Script script{Role::kClient, {}, Behaviour::kNothing};
  Connection& connection = script.connection();
};

TEST_F(ClientTest, sends_a_request_and_hears_the_response) {
  script.shake_hands();
  Stream& stream = script.request(false);
  EXPECT_EQ(stream.id(), 1u);
  EXPECT_EQ(connection.send_data(stream, Bytes::unowned("hello"), true), SendResult::kOk);
  EXPECT_EQ(join(script.sent()), "HEADERS 1 :method=POST :scheme=http :path=/a; DATA 1 END_STREAM 5");
  script.send(headers(1, response_fields(), kEndHeaders) + data(1, "ok") + headers(1, {{"grpc-status", "0"}}));
  EXPECT_EQ(join(script.heard()), "headers 1 :status=200; data 1 2; trailers 1 grpc-status=0");
  EXPECT_TRUE(stream.is_over());
  script.release(stream);
  EXPECT_EQ(connection.counters().streams_completed, 1u);
}

TEST_F(ClientTest, gives_ids_in_the_order_of_the_headers) {
  script.shake_hands();
  Stream* const first = connection.open_stream();
  Stream& second = script.request();
  EXPECT_EQ(second.id(), 1u) << "§5.1.1: ids have to grow on the wire";
  EXPECT_EQ(first->id(), 0u);
  connection.release(*first);
  EXPECT_EQ(connection.open_streams(), 1u);
  EXPECT_EQ(join(script.sent()), "HEADERS 1 END_STREAM :method=POST :scheme=http :path=/a")
      << "what was never sent needs no reset";
}

TEST_F(ClientTest, assumes_a_hundred_streams_before_the_servers_settings) {
  for (int i = 0; i < 100; ++i) script.request();
  EXPECT_EQ(connection.open_stream(), nullptr);
  EXPECT_EQ(connection.can_open(), CanOpen::kStreamLimit);
  script.send(settings());
  EXPECT_EQ(join(script.heard()), "settings 65535; can open") << "§6.5.2: no limit unless one is set";
  EXPECT_EQ(script.request().id(), 201u);
}

TEST_F(ClientTest, keeps_the_servers_limit) {
  script.shake_hands(settings({{SettingId::kMaxConcurrentStreams, 1}}));
  Stream& stream = script.request();
  EXPECT_EQ(connection.open_stream(), nullptr) << "[186]";
  script.send(headers(1, response_fields()));
  EXPECT_EQ(join(script.heard()), "headers 1 :status=200 end; can open") << "the first has ended on both sides";
  script.release(stream);
  EXPECT_EQ(script.request().id(), 3u);
}

TEST_F(ClientTest, waits_at_a_limit_of_zero) {
  script.shake_hands(settings({{SettingId::kMaxConcurrentStreams, 0}}));
  EXPECT_EQ(connection.open_stream(), nullptr) << "[187]";
  script.send(settings({{SettingId::kMaxConcurrentStreams, 3}}));
  EXPECT_EQ(join(script.heard()), "settings 65535; can open");
}

TEST_F(ClientTest, a_released_stream_makes_room_as_well) {
  script.shake_hands(settings({{SettingId::kMaxConcurrentStreams, 1}}));
  Stream& stream = script.request();
  EXPECT_EQ(connection.open_stream(), nullptr);
  script.release(stream);
  EXPECT_EQ(script.sent().back(), "RST_STREAM 1 CANCEL");
  EXPECT_EQ(join(script.heard()), "can open");
}

TEST_F(ClientTest, knows_what_was_never_processed) {
  script.shake_hands();
  script.request();
  script.request();
  script.send(rst_stream(1, ErrorCode::kRefusedStream) + rst_stream(3, ErrorCode::kInternalError));
  EXPECT_EQ(join(script.heard()), "reset 1 REFUSED_STREAM by unprocessed; reset 3 INTERNAL_ERROR by peer") << "§8.7";
}

TEST_F(ClientTest, goaway_lets_the_streams_below_it_finish) {
  script.shake_hands();
  for (int i = 0; i < 3; ++i) script.request();
  Stream* const unsent = connection.open_stream();
  script.send(goaway(3, ErrorCode::kNoError, "max_age"));
  EXPECT_EQ(join(script.heard()),
            "goaway 3 NO_ERROR max_age; reset 5 REFUSED_STREAM by unprocessed; reset 0 REFUSED_STREAM by unprocessed")
      << "[77] §6.8: 5 may be sent again elsewhere, and so may what was never sent";
  EXPECT_EQ(connection.can_open(), CanOpen::kGoingAway);
  EXPECT_EQ(connection.open_stream(), nullptr);
  script.send(headers(1, response_fields()) + headers(3, response_fields()));
  EXPECT_EQ(join(script.heard()), "headers 1 :status=200 end; headers 3 :status=200 end");
  script.sent();
  EXPECT_TRUE(connection.drained()) << "nothing is open: close";
  connection.release(*unsent);
}

TEST_F(ClientTest, a_second_goaway_can_only_lower_the_id) {
  script.shake_hands();
  for (int i = 0; i < 3; ++i) script.request();
  script.send(goaway(0x7fff'ffff, ErrorCode::kNoError));
  EXPECT_EQ(join(script.heard()), "goaway 2147483647 NO_ERROR") << "the first of two steps ends nothing";
  script.send(goaway(3, ErrorCode::kNoError) + goaway(5, ErrorCode::kNoError));
  EXPECT_EQ(join(script.heard()), "goaway 3 NO_ERROR; reset 5 REFUSED_STREAM by unprocessed; goaway 3 NO_ERROR")
      << "[78] the smaller stays";
}

TEST_F(ClientTest, a_stream_opened_before_goaway_cannot_be_sent_after_it) {
  script.shake_hands();
  Stream* const stream = connection.open_stream();
  connection.begin_drain();
  const HeaderOut method{.name = ":method", .value = "GET"};
  EXPECT_EQ(connection.send_headers(*stream, {&method, 1}, true), SendResult::kEnded);
  EXPECT_EQ(stream->id(), 0u) << "never sent";
  connection.release(*stream);
  EXPECT_EQ(join(script.sent()), "GOAWAY 0 NO_ERROR");
}

TEST_F(ClientTest, respects_the_servers_header_list_limit) {
  script.shake_hands(settings({{SettingId::kMaxHeaderListSize, 100}}));
  Stream* const stream = connection.open_stream();
  const std::string value(60, 'x');
  const HeaderOut field{.name = "name", .value = value};
  EXPECT_EQ(connection.send_headers(*stream, {&field, 1}, true), SendResult::kOk) << "4 + 60 + 32 = 96";
  Stream* const other = connection.open_stream();
  const HeaderOut fields[] = {field, field};
  EXPECT_EQ(connection.send_headers(*other, fields, true), SendResult::kTooLarge) << "[163] told here, not on the wire";
  EXPECT_EQ(join(script.sent()).find("HEADERS 3"), std::string::npos);
  connection.release(*stream);
  connection.release(*other);
}

TEST_F(ClientTest, streams_that_were_never_sent_may_go_elsewhere_when_the_connection_fails) {
  script.shake_hands();
  script.request();
  Stream* const unsent = connection.open_stream();
  script.send(frame(FrameType::kPing, 0, 1, "01234567"));
  EXPECT_EQ(join(script.heard()),
            "failed PROTOCOL_ERROR: frame of the connection on a stream; reset 0 REFUSED_STREAM by unprocessed; "
            "reset 1 INTERNAL_ERROR by connection");
  connection.release(*unsent);
}

TEST_F(ClientTest, its_ids_run_out) {
  // 2^30 requests are too many for a test; what is checked is that the answer is an error.
  EXPECT_EQ(connection.can_open(), CanOpen::kYes);
  connection.connection_lost();
  EXPECT_EQ(connection.can_open(), CanOpen::kFailed);
  EXPECT_EQ(connection.open_stream(), nullptr);
}

// Drain, the server's end.

TEST(Drain, in_two_steps) {
  Script script(Role::kServer, {}, Behaviour::kNothing);
  script.shake_hands();
  script.send(headers(1, request_fields()));
  script.connection().begin_drain();
  EXPECT_EQ(script.sent()[0], "GOAWAY 2147483647 NO_ERROR") << "§6.8: announce it";
  script.send(headers(3, request_fields()));
  EXPECT_TRUE(script.has_stream(3)) << "it was on its way";
  script.send(ping(Connection::kDrainPing, kAck));
  EXPECT_EQ(join(script.sent()), "GOAWAY 3 NO_ERROR") << "a round trip later the client knows";
  script.send(headers(5, request_fields(), kEndHeaders) + data(5, "abc"));
  EXPECT_FALSE(script.has_stream(5));
  EXPECT_EQ(join(script.sent()), "") << "above the last id: ignored, its bytes are credited";
  EXPECT_EQ(script.connection().receive_credit(), 1 << 20);
  EXPECT_FALSE(script.connection().drained());
  for (uint32_t id : {1u, 3u}) {
    script.answer(script.stream(id));
    script.release(script.stream(id));
  }
  EXPECT_FALSE(script.connection().drained()) << "the answers have to leave first";
  script.sent();
  EXPECT_TRUE(script.connection().drained());
}

TEST(Drain, does_not_wait_for_a_client_that_never_answers) {
  Script script(Role::kServer);
  script.shake_hands();
  script.connection().begin_drain();
  script.connection().finish_drain();
  script.connection().begin_drain();
  script.connection().finish_drain();
  EXPECT_EQ(join(script.sent()),
            "GOAWAY 2147483647 NO_ERROR; PING " + std::to_string(Connection::kDrainPing) + "; GOAWAY 0 NO_ERROR")
      << "once each, whoever asks again";
  EXPECT_TRUE(script.connection().drained());
}

TEST(Pings, come_back) {
  Script script(Role::kServer);
  script.shake_hands();
  script.connection().ping(42);
  EXPECT_EQ(join(script.sent()), "PING 42");
  script.send(ping(42, kAck));
  EXPECT_EQ(join(script.heard()), "ping ack 42");
  script.send(ping(43, kAck));
  EXPECT_EQ(join(script.heard()), "") << "nobody asked";
}

}  // namespace
}  // namespace gaggle::http2::testing
