// SPDX-License-Identifier: Apache-2.0
//
// Messages larger than their streams' windows: one after the other (Limits::expected_bytes).
#include <gtest/gtest.h>

#include "gaggle/http2/connection_testing.h"

namespace gaggle::http2::testing {
namespace {

using std::chrono::milliseconds;

const std::string kFrame(16'384, 'x');

// A stream has 16 KiB, and beyond that there are 64 KiB for all: two messages of 40,000 bytes, or one larger one.
struct ExpectTest : ::testing::Test {
  static Options options() {
    Options options{.initial_window_bytes = 16'384, .connection_window_bytes = 65'535, .max_window_bytes = 0};
    options.limits.expected_bytes = 65'536;
    return options;
  }
  Script script{Role::kServer, options(), Behaviour::kNothing};
  Connection& connection = script.connection();

  void SetUp() override {
    script.consume_data = false;
    script.shake_hands();
  }
  Stream& open(uint32_t id) {
    script.send(headers(id, request_fields(), kEndHeaders)).heard();
    return script.stream(id);
  }
  // What is left of a message of 56,384 bytes, of which a window has come.
  Stream& begin(uint32_t id, size_t missing = 40'000) {
    Stream& stream = open(id);
    script.send(data(id, kFrame));
    connection.expect(stream, missing);
    return stream;
  }
  void arrive(uint32_t id, size_t bytes) {
    while (bytes > 0) {
      const size_t part = std::min(bytes, kFrame.size());
      script.send(data(id, std::string_view(kFrame).substr(0, part)));
      bytes -= part;
    }
  }
  // What was let come, without the connection's own credit.
  std::string granted() {
    Lines lines = script.sent();
    std::erase_if(lines, [](const std::string& line) { return line.starts_with("WINDOW_UPDATE 0 "); });
    return join(lines);
  }
};

TEST_F(ExpectTest, large_messages_come_one_after_the_other) {
  begin(1);
  EXPECT_EQ(granted(), "WINDOW_UPDATE 1 +40000");
  begin(3);
  begin(5);
  EXPECT_EQ(granted(), "") << "40,000 and 40,000 are more than 65,536";
  EXPECT_EQ(connection.counters().delayed_messages, 2u);
  arrive(1, 14'463);
  EXPECT_EQ(granted(), "");
  arrive(1, 1);
  EXPECT_EQ(granted(), "WINDOW_UPDATE 3 +40000") << "25,536 are missing of the first";
  arrive(1, 25'536);
  EXPECT_EQ(granted(), "");
  arrive(3, 40'000);
  EXPECT_EQ(granted(), "WINDOW_UPDATE 5 +40000");
  arrive(5, 40'000);
  EXPECT_FALSE(script.stream(5).was_reset());
}

TEST_F(ExpectTest, as_many_at_once_as_the_bound_has_room_for) {
  begin(1, 20'000);
  begin(3, 20'000);
  begin(5, 20'000);
  EXPECT_EQ(granted(), "WINDOW_UPDATE 1 +20000; WINDOW_UPDATE 3 +20000; WINDOW_UPDATE 5 +20000");
  begin(7, 20'000);
  EXPECT_EQ(granted(), "");
  begin(9, 1'000);
  EXPECT_EQ(granted(), "") << "nobody overtakes, or large ones might wait for good";
}

TEST_F(ExpectTest, one_that_is_larger_than_the_bound_comes_alone) {
  begin(1);
  granted();
  begin(3, 1'000'000);
  EXPECT_EQ(granted(), "");
  arrive(1, 40'000);
  EXPECT_EQ(granted(), "WINDOW_UPDATE 3 +1000000");
}

TEST_F(ExpectTest, what_fits_into_the_window_waits_for_nobody) {
  begin(1);
  granted();
  Stream& small = open(3);
  connection.expect(small, 16'384);
  script.send(data(3, kFrame));
  connection.consume(small, 16'384);
  EXPECT_EQ(granted(), "WINDOW_UPDATE 3 +16384");
  EXPECT_EQ(connection.counters().delayed_messages, 0u);
}

TEST_F(ExpectTest, whoever_ends_makes_room) {
  begin(1);
  begin(3);
  EXPECT_EQ(granted(), "WINDOW_UPDATE 1 +40000");
  script.send(rst_stream(1, ErrorCode::kCancel));
  EXPECT_EQ(granted(), "WINDOW_UPDATE 3 +40000") << "reset by the peer";
  begin(5);
  connection.reset(script.stream(3), ErrorCode::kCancel);
  EXPECT_EQ(granted(), "RST_STREAM 3 CANCEL; WINDOW_UPDATE 5 +40000") << "by us";
  begin(7);
  script.send(data(5, "", kEndStream));
  EXPECT_EQ(granted(), "WINDOW_UPDATE 7 +40000") << "half closed in the midst of a message";
}

TEST_F(ExpectTest, whoever_ends_while_it_waits_is_passed_over) {
  begin(1);
  begin(3);
  begin(5);
  granted();
  script.send(rst_stream(3, ErrorCode::kCancel));
  connection.release(script.stream(3));
  script.send(data(1, "", kEndStream));
  EXPECT_EQ(granted(), "WINDOW_UPDATE 5 +40000");
}

TEST_F(ExpectTest, nobody_waits_for_those_who_dont_go_on) {
  begin(1);
  begin(3);
  EXPECT_EQ(granted(), "WINDOW_UPDATE 1 +40000");
  script.wait(milliseconds{60});
  begin(5);
  script.wait(milliseconds{39});
  EXPECT_EQ(granted(), "");
  script.wait(milliseconds{1});
  EXPECT_EQ(granted(), "WINDOW_UPDATE 3 +40000") << "100 ms; the other has waited for 40";
  script.wait(milliseconds{100});
  EXPECT_EQ(granted(), "WINDOW_UPDATE 5 +40000");
  EXPECT_FALSE(connection.failed()) << "it isn't a timeout";
  EXPECT_EQ(connection.counters().timeouts, 0u);
}

TEST_F(ExpectTest, everybody_waits_for_those_who_come_fast) {
  begin(1, 200'000);
  begin(3);
  EXPECT_EQ(granted(), "WINDOW_UPDATE 1 +200000");
  for (int period = 0; period < 10; ++period) {
    arrive(1, 16'384);
    script.wait(milliseconds{100});
    EXPECT_EQ(granted(), "") << "a quarter of the bound in each period, that's not slow";
  }
  arrive(1, 16'383);
  script.wait(milliseconds{100});
  EXPECT_EQ(granted(), "WINDOW_UPDATE 3 +40000") << "one byte less is";
}

TEST_F(ExpectTest, a_peer_that_reads_no_answers_has_to_wait) {
  Stream& answered = open(1);
  script.send(data(1, "", kEndStream));
  script.answer(answered, false);
  static_cast<void>(connection.send_data(answered, Bytes::take(std::string(200'000, 'a')), true));
  script.release(answered);
  script.sent();
  EXPECT_GT(connection.unread_answer_bytes(), 65'536u) << "its window is full";
  begin(3);
  EXPECT_EQ(granted(), "") << "first, what is ready for it";
  script.send(window_update(1, 1'000'000) + window_update(0, 1'000'000));
  EXPECT_NE(granted().find("WINDOW_UPDATE 3 +40000"), std::string::npos) << "it has read them";
}

TEST_F(ExpectTest, a_failed_connection_lets_nobody_in) {
  begin(1);
  begin(3);
  granted();
  script.send(data(9, "x"));
  EXPECT_EQ(granted(), "GOAWAY 3 PROTOCOL_ERROR");
}

}  // namespace
}  // namespace gaggle::http2::testing
