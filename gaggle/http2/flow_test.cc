// SPDX-License-Identifier: Apache-2.0
//
// Flow control, both ways.
#include <gtest/gtest.h>

#include "gaggle/http2/connection_testing.h"

namespace gaggle::http2::testing {
namespace {

const std::string kFrame(16'384, 'x');

Bytes bytes(size_t count) { return Bytes::take(std::string(count, 'c')); }

struct FlowTest : ::testing::Test {
  Script script{Role::kServer, {.max_window_bytes = 0}, Behaviour::kNothing};
  Connection& connection = script.connection();
  void SetUp() override {
    script.consume_data = false;
    script.shake_hands();
  }
  void open(uint32_t id, uint8_t flags = kEndHeaders) { script.send(headers(id, request_fields(), flags)).heard(); }
};

TEST_F(FlowTest, the_connection_gets_its_credit_when_bytes_arrive) {
  open(1);
  script.send(repeat(data(1, kFrame), 16));
  EXPECT_EQ(join(script.sent()), "") << "a quarter of the window: not worth a frame yet";
  for (uint32_t id : {3u, 5u}) {
    open(id);
    script.send(repeat(data(id, kFrame), 8));
  }
  EXPECT_EQ(join(script.sent()), "WINDOW_UPDATE 0 +524288") << "half of it, though nobody has read a byte";
  EXPECT_EQ(connection.receive_credit(), 1 << 20);
}

TEST_F(FlowTest, a_stream_gets_its_credit_when_the_application_takes_the_bytes) {
  open(1);
  script.send(repeat(data(1, kFrame), 16));
  Stream& stream = script.stream(1);
  connection.consume(stream, 128 * 1024);
  EXPECT_EQ(join(script.sent()), "") << "half a window isn't more than half";
  connection.consume(stream, 1);
  EXPECT_EQ(join(script.sent()), "WINDOW_UPDATE 1 +131073");
}

TEST_F(FlowTest, a_stream_that_sends_more_than_its_window_is_reset) {
  open(1);
  script.send(repeat(data(1, kFrame), 16) + data(1, "x"));
  EXPECT_EQ(join(script.sent()), "RST_STREAM 1 FLOW_CONTROL_ERROR") << "[54] §6.9.1";
  EXPECT_EQ(join(script.heard()), "data 1 262144; reset 1 FLOW_CONTROL_ERROR by protocol");
  EXPECT_EQ(connection.receive_credit(), 1 << 20) << "the connection goes on, with its whole window";
}

TEST(Flow, a_connection_that_sends_more_than_its_window_fails) {
  // Nobody reads, and what nobody reads is bounded: the credit stays away.
  Limits limits;
  limits.unconsumed_bytes = 1000;
  Script script(Role::kServer, {.limits = limits, .initial_window_bytes = 100'000, .connection_window_bytes = 65'535},
                Behaviour::kNothing);
  script.consume_data = false;
  script.shake_hands();
  script.send(headers(1, request_fields(), kEndHeaders) + repeat(data(1, kFrame), 3));
  EXPECT_EQ(join(script.sent()), "") << "withheld";
  EXPECT_GT(script.connection().counters().withheld_credits, 0u);
  script.send(data(1, kFrame));
  EXPECT_EQ(join(script.sent()), "GOAWAY 1 FLOW_CONTROL_ERROR") << "[55] 65,536 bytes into 65,535";
}

TEST(Flow, withheld_credit_comes_back_when_bytes_are_taken_or_wanted) {
  Limits limits;
  limits.unconsumed_bytes = 1000;
  for (const bool wanted : {false, true}) {
    Script script(Role::kServer, {.limits = limits, .connection_window_bytes = 65'535, .max_window_bytes = 0},
                  Behaviour::kNothing);
    script.consume_data = false;
    script.shake_hands();
    script.send(headers(1, request_fields(), kEndHeaders) + repeat(data(1, kFrame), 3));
    EXPECT_EQ(join(script.sent()), "");
    if (wanted) {
      script.connection().expect(script.stream(1), 10);
    } else {
      script.connection().consume(script.stream(1), kFrame.size() * 3);
    }
    EXPECT_EQ(join(script.sent()), "WINDOW_UPDATE 0 +49152");
  }
}

TEST_F(FlowTest, a_limited_connection_window_runs_down_and_is_filled_again) {
  connection.limit_connection_window(65'536);
  uint32_t id = 1;
  const auto upload = [&](int frames) {
    open(id);
    script.send(repeat(data(id, kFrame), frames));
    connection.consume(script.stream(id), static_cast<size_t>(frames) * kFrame.size());
    script.stream(id);
    id += 2;
  };
  for (int i = 0; i < 7; ++i) upload(8);
  script.sent();
  upload(5);
  EXPECT_EQ(join(script.sent()), "") << "48 KiB of the window are left, and that is enough";
  upload(1);
  EXPECT_EQ(join(script.sent()), "WINDOW_UPDATE 0 +32768") << "half of the limit";
  EXPECT_EQ(connection.receive_credit(), 1 << 20) << "nothing is lost, only kept back";
  connection.limit_connection_window(UINT32_MAX);
  EXPECT_EQ(join(script.sent()), "WINDOW_UPDATE 0 +983040") << "all that was kept back, at once";
}

TEST_F(FlowTest, streams_windows_shrink_when_the_peer_has_acknowledged_it) {
  connection.limit_stream_windows(16'384);
  EXPECT_EQ(join(script.sent()), "SETTINGS");
  open(1);
  script.send(repeat(data(1, kFrame), 16));
  EXPECT_FALSE(script.stream(1).was_reset()) << "it may not have read it yet";
  script.send(settings_ack());
  open(3);
  script.send(data(3, kFrame));
  EXPECT_FALSE(script.stream(3).was_reset());
  script.send(data(3, "x"));
  EXPECT_EQ(script.sent().back(), "RST_STREAM 3 FLOW_CONTROL_ERROR") << "from now on, a stream has 16 KiB";
  script.send(data(1, "x"));
  EXPECT_EQ(script.sent().back(), "RST_STREAM 1 FLOW_CONTROL_ERROR") << "and the first has lost 240 KiB";
}

TEST_F(FlowTest, streams_windows_grow_again_at_once) {
  connection.limit_stream_windows(16'384);
  script.send(settings_ack());
  open(1);
  script.send(data(1, kFrame)).sent();
  connection.limit_stream_windows(UINT32_MAX);
  EXPECT_EQ(join(script.sent()), "SETTINGS");
  script.send(repeat(data(1, kFrame), 15));
  EXPECT_FALSE(script.stream(1).was_reset()) << "the peer uses them before it acknowledges anything";
  script.send(data(1, "x"));
  EXPECT_EQ(script.sent().back(), "RST_STREAM 1 FLOW_CONTROL_ERROR");
}

TEST_F(FlowTest, one_change_of_streams_windows_is_under_way_at_a_time) {
  connection.limit_stream_windows(16'384);
  connection.limit_stream_windows(32'768);
  connection.limit_stream_windows(20'000);
  EXPECT_EQ(join(script.sent()), "SETTINGS");
  script.send(settings_ack());
  EXPECT_EQ(join(script.sent()), "SETTINGS") << "the latest wish, once";
  connection.limit_stream_windows(16'384);
  connection.limit_stream_windows(20'000);
  script.send(settings_ack());
  EXPECT_EQ(join(script.sent()), "") << "nothing has changed";
  script.send(settings_ack());
  EXPECT_EQ(join(script.sent()), "GOAWAY 0 PROTOCOL_ERROR") << "an acknowledgement too many";
}

TEST_F(FlowTest, a_stream_that_was_read_up_can_go_on_with_a_smaller_window) {
  open(1);
  script.send(repeat(data(1, kFrame), 6));
  connection.consume(script.stream(1), 6 * kFrame.size());
  connection.limit_stream_windows(16'384);
  EXPECT_EQ(join(script.sent()), "SETTINGS") << "96 KiB were too few to be worth a frame";
  script.send(settings_ack());
  EXPECT_EQ(join(script.sent()), "WINDOW_UPDATE 1 +98304") << "now they are all that it has";
  script.send(data(1, kFrame));
  EXPECT_FALSE(script.stream(1).was_reset());
}

TEST_F(FlowTest, a_smaller_window_leaves_room_for_what_somebody_waits_for) {
  open(1);
  connection.expect(script.stream(1), 100'000);
  script.send(data(1, kFrame));
  connection.limit_stream_windows(16'384);
  script.sent();
  script.send(settings_ack());
  EXPECT_EQ(join(script.sent()), "WINDOW_UPDATE 1 +83616") << "from 0 to what is missing of the 100,000";
}

TEST_F(FlowTest, no_settings_take_a_window_past_its_limit) {
  connection.limit_stream_windows(16'384);
  script.send(settings_ack());
  open(1);
  connection.expect(script.stream(1), kMaxWindowBytes);
  script.sent();
  connection.limit_stream_windows(UINT32_MAX);
  EXPECT_EQ(join(script.sent()), "") << "2^31-1 and 240 KiB would be an error of ours";
  script.send(rst_stream(1, ErrorCode::kCancel));
  connection.release(script.stream(1));
  connection.limit_stream_windows(UINT32_MAX);
  EXPECT_EQ(join(script.sent()), "SETTINGS");
}

TEST_F(FlowTest, a_message_larger_than_the_window_can_be_received) {
  open(1);
  script.send(repeat(data(1, kFrame), 16));
  Stream& stream = script.stream(1);
  connection.expect(stream, 1'000'000);
  EXPECT_EQ(join(script.sent()), "WINDOW_UPDATE 1 +1000000") << "all that the pending receive needs";
  for (int i = 0; i < 61; ++i) script.send(data(1, kFrame)).sent();
  script.send(data(1, std::string(1'000'000 - 61 * 16'384, 'x')));
  EXPECT_FALSE(stream.was_reset());
  script.send(data(1, "x"));
  EXPECT_EQ(script.sent().back(), "RST_STREAM 1 FLOW_CONTROL_ERROR") << "and not a byte more";
}

TEST_F(FlowTest, credit_given_in_advance_is_paid_off_by_consumption) {
  open(1);
  script.send(repeat(data(1, kFrame), 16));
  Stream& stream = script.stream(1);
  connection.expect(stream, 300'000);
  EXPECT_EQ(join(script.sent()), "WINDOW_UPDATE 1 +300000");
  connection.consume(stream, 262'144);
  EXPECT_EQ(join(script.sent()), "") << "as much was granted in advance";
  script.send(repeat(data(1, kFrame), 18));
  connection.consume(stream, 18 * 16'384);
  EXPECT_EQ(join(script.sent()), "WINDOW_UPDATE 0 +524288; WINDOW_UPDATE 1 +257056")
      << "294,912 taken now, less 37,856 of the advance that were not paid off yet";
}

TEST_F(FlowTest, no_credit_for_a_direction_that_has_ended) {
  open(1);
  script.send(repeat(data(1, kFrame), 15) + data(1, kFrame, kEndStream));
  connection.consume(script.stream(1), 1 << 18);
  connection.expect(script.stream(1), 1 << 20);
  EXPECT_EQ(join(script.sent()), "") << "nothing can come any more";
}

TEST_F(FlowTest, padding_comes_back_without_being_read) {
  open(1);
  for (int i = 0; i < 1200; ++i) script.send(padded_data(1, "", 255)).next_turn();
  EXPECT_TRUE(connection.failed()) << "[42] (empty frames are charged, padded or not)";
  Script other(Role::kServer, {.initial_window_bytes = 1000}, Behaviour::kNothing);
  other.shake_hands();
  other.send(headers(1, request_fields(), kEndHeaders));
  for (int i = 0; i < 90; ++i) other.send(padded_data(1, "", 255));
  EXPECT_FALSE(other.connection().failed()) << "23,040 bytes of padding into a window of 1,000";
  EXPECT_EQ(other.connection().receive_credit(), 1 << 20);
}

TEST(Flow, a_window_smaller_than_the_default_counts_from_its_acknowledgement) {
  Script script(Role::kServer, {.initial_window_bytes = 10}, Behaviour::kNothing);
  script.consume_data = false;
  script.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + settings());
  script.send(headers(1, request_fields(), kEndHeaders) + data(1, std::string(1000, 'x')));
  EXPECT_FALSE(script.stream(1).was_reset()) << "§6.9.2: the client didn't know yet";
  script.send(settings_ack());
  script.send(headers(3, request_fields(), kEndHeaders) + data(3, std::string(11, 'x')));
  EXPECT_EQ(script.sent().back(), "RST_STREAM 3 FLOW_CONTROL_ERROR") << "now it does";
  script.send(data(1, "x"));
  EXPECT_EQ(script.sent().back(), "RST_STREAM 1 FLOW_CONTROL_ERROR") << "its window went below zero";
}

// Sending.

TEST_F(FlowTest, content_waits_for_the_streams_window) {
  open(1, kEndHeaders | kEndStream);
  Stream& stream = script.stream(1);
  script.answer(stream, false);
  script.sent();
  EXPECT_EQ(connection.send_data(stream, bytes(70'000), false), SendResult::kOk);
  script.sent();
  EXPECT_EQ(stream.queued_bytes(), 70'000u - (65'535 - 2)) << "65,535 is the window";
  EXPECT_FALSE(connection.wants_write()) << "no spinning while it's shut";
  script.send(window_update(0, 1'000'000));
  EXPECT_FALSE(connection.wants_write()) << "the stream's is shut still";
  script.send(window_update(1, 1000));
  EXPECT_EQ(join(script.sent()), "DATA 1 1000");
  const HeaderOut trailer{.name = "a", .value = "b"};
  EXPECT_EQ(connection.send_trailers(stream, {&trailer, 1}), SendResult::kOk);
  EXPECT_EQ(join(script.sent()), "") << "trailers stay behind the content";
  script.send(window_update(1, 10'000));
  EXPECT_EQ(join(script.sent()), "DATA 1 3467; HEADERS 1 END_STREAM a=b");
}

TEST_F(FlowTest, lowered_initial_windows_stop_the_sender_until_they_are_positive) {
  open(1, kEndHeaders | kEndStream);
  Stream& stream = script.stream(1);
  script.answer(stream, false);
  EXPECT_EQ(connection.send_data(stream, bytes(10'000), false), SendResult::kOk);
  script.sent();
  script.send(settings({{SettingId::kInitialWindowSize, 2'000}}));
  script.sent();
  static_cast<void>(connection.send_data(stream, bytes(100), false));
  EXPECT_EQ(join(script.sent()), "") << "[57] the window is 2,000 - 10,002 = -8,002";
  script.send(window_update(1, 8'002));
  EXPECT_EQ(join(script.sent()), "") << "now zero";
  script.send(window_update(1, 60));
  EXPECT_EQ(join(script.sent()), "DATA 1 60");
  script.send(settings({{SettingId::kInitialWindowSize, 2'040}}));
  EXPECT_EQ(join(script.sent()), "SETTINGS ACK; DATA 1 40") << "§6.9.2: a raise opens it as well";
}

TEST_F(FlowTest, empty_data_ends_a_stream_without_any_window) {
  script.send(settings({{SettingId::kInitialWindowSize, 0}})).sent();
  open(1, kEndHeaders | kEndStream);
  Stream& stream = script.stream(1);
  const HeaderOut status{.name = ":status", .value = "200"};
  EXPECT_EQ(connection.send_headers(stream, {&status, 1}, false), SendResult::kOk);
  EXPECT_EQ(connection.send_data(stream, {}, true), SendResult::kOk);
  EXPECT_EQ(join(script.sent()), "HEADERS 1 :status=200; DATA 1 END_STREAM 0") << "§6.9.1";
}

TEST_F(FlowTest, the_connections_window_is_shared_in_turns) {
  script.send(settings({{SettingId::kInitialWindowSize, 1'000'000}})).sent();
  for (uint32_t id : {1u, 3u, 5u}) {
    open(id, kEndHeaders | kEndStream);
    const HeaderOut status{.name = ":status", .value = "200"};
    EXPECT_EQ(connection.send_headers(script.stream(id), {&status, 1}, false), SendResult::kOk);
  }
  script.sent();
  for (uint32_t id : {1u, 3u, 5u}) static_cast<void>(connection.send_data(script.stream(id), bytes(100'000), true));
  EXPECT_EQ(join(script.sent()), "DATA 1 16384; DATA 1 16384; DATA 3 16384; DATA 5 16383")
      << "65,535 bytes in turns of 16 KiB; the first was alone when it began";
  script.send(window_update(0, 40'000));
  EXPECT_EQ(join(script.sent()), "DATA 1 16384; DATA 3 16384; DATA 5 7232") << "and on where it stopped";
}

}  // namespace
}  // namespace gaggle::http2::testing
