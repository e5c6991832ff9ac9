// SPDX-License-Identifier: Apache-2.0
//
// Windows that grow where they would hold the peer back, and only there.
#include "gaggle/http2/growing_window.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "gaggle/http2/connection_testing.h"

namespace gaggle::http2::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr uint32_t kWindow = 256 * 1024;
const std::string kFrame(16'384, 'x');
const std::string kPing = "PING " + std::to_string(Connection::kRoundTripPing);

class GrowingWindowTest : public ::testing::Test {
 public:
  explicit GrowingWindowTest(const Options& options = {}) : script(Role::kServer, options, Behaviour::kNothing) {
    script.shake_hands();
    open(1);
  }
  void open(uint32_t id) { script.send(headers(id, request_fields(), kEndHeaders)).heard(); }
  // Content arrives, and is taken at once.
  Lines receive(uint32_t id, size_t bytes) {
    script.send(repeat(data(id, kFrame), bytes / kFrame.size()));
    return script.sent();
  }
  // The peer is so far away, and we know it.
  void learn_distance(Duration round_trip) {
    EXPECT_THAT(receive(1, kWindow - kFrame.size()), ::testing::Contains(kPing));
    script.wait(round_trip);
    script.send(ping(Connection::kRoundTripPing, kAck));
    EXPECT_EQ(join(script.heard()).find("ping"), std::string::npos) << "nobody else's business";
    script.sent();
  }
  // A round trip's worth of content, a window at most, and what is granted to the stream for it.
  int64_t grant_for(uint32_t id, size_t bytes, Duration time) {
    script.wait(time);
    return granted(receive(id, bytes), id);
  }
  static int64_t granted(const Lines& lines, uint32_t id) {
    const std::string begin = "WINDOW_UPDATE " + std::to_string(id) + " +";
    int64_t sum = 0;
    for (const std::string& line : lines) {
      if (line.starts_with(begin)) sum += std::stoll(line.substr(begin.size()));
    }
    return sum;
  }

  Script script;
  Connection& connection = script.connection();
};

TEST_F(GrowingWindowTest, a_stream_that_uses_its_window_in_one_round_trip_gets_a_larger_one) {
  learn_distance(milliseconds(50));
  // What is given back comes in steps of half a window.
  const double step = kWindow / 2 + kFrame.size();
  int64_t beyond = 0;
  for (int i = 0; i < 8; ++i) beyond += grant_for(1, kWindow, milliseconds(50)) - kWindow;
  EXPECT_NEAR(static_cast<double>(beyond), 3 * kWindow, step) << "doubled twice: not all of it is used in two trips";
  beyond = 0;
  for (int i = 0; i < 8; ++i) beyond += grant_for(1, size_t{2} * kWindow, milliseconds(50)) - 2 * int64_t{kWindow};
  EXPECT_NEAR(static_cast<double>(beyond), 4 * kWindow, step) << "the peer sends twice as fast, and it doubles again";
}

TEST_F(GrowingWindowTest, a_stream_that_takes_its_time_keeps_its_window) {
  learn_distance(milliseconds(50));
  int64_t sum = 0;
  for (int i = 0; i < 40; ++i) sum += grant_for(1, kWindow, milliseconds(200));
  EXPECT_LE(sum, 40 * int64_t{kWindow} + kWindow / 2) << "the window is not what it waits for";
}

TEST_F(GrowingWindowTest, no_window_grows_before_the_distance_is_known) {
  int64_t sum = 0;
  for (int i = 0; i < 40; ++i) sum += grant_for(1, kWindow, {});
  EXPECT_LE(sum, 40 * int64_t{kWindow});
}

TEST_F(GrowingWindowTest, the_distance_is_asked_for_once_a_second_at_most) {
  learn_distance(milliseconds(50));
  int pings = 0;
  for (int i = 0; i < 100; ++i) {
    script.wait(milliseconds(50));
    for (const std::string& line : receive(1, kWindow)) pings += line == kPing;
    script.send(ping(Connection::kRoundTripPing, kAck));
  }
  EXPECT_GE(pings, 4);
  EXPECT_LE(pings, 5);
}

TEST_F(GrowingWindowTest, the_next_stream_begins_with_the_usual_window) {
  learn_distance(milliseconds(50));
  for (int i = 0; i < 8; ++i) grant_for(1, kWindow, milliseconds(50));
  Stream& first = script.stream(1);
  connection.reset(first, ErrorCode::kCancel);
  connection.release(first);
  script.sent();
  open(3);
  script.consume_data = false;
  receive(3, kWindow);
  EXPECT_FALSE(script.stream(3).was_reset());
  EXPECT_THAT(receive(3, kFrame.size()), ::testing::Contains("RST_STREAM 3 FLOW_CONTROL_ERROR"));
}

TEST_F(GrowingWindowTest, a_limit_takes_back_what_a_stream_has_grown_by) {
  learn_distance(milliseconds(50));
  for (int i = 0; i < 8; ++i) grant_for(1, kWindow, milliseconds(50));
  connection.limit_stream_windows(65'536);
  script.send(settings_ack()).sent();
  int64_t granted = 0;
  int64_t used = 0;
  for (int i = 0; i < 200; ++i) {
    granted += grant_for(1, kFrame.size(), milliseconds(1));
    used += kFrame.size();
    if (granted != 0) break;
  }
  EXPECT_GT(used, int64_t{kWindow} / 2) << "what it had been given beyond the usual is used up first";
  script.consume_data = false;
  script.sent();
  receive(1, 65'536 + kFrame.size());
  EXPECT_TRUE(script.stream(1).was_reset()) << "then it has what the limit says";
}

TEST_F(GrowingWindowTest, the_connections_window_grows_too_and_a_limit_takes_it_back) {
  learn_distance(milliseconds(50));
  for (uint32_t id : {3u, 5u, 7u}) open(id);
  int64_t granted = 0;
  for (int i = 0; i < 12; ++i) {
    script.wait(milliseconds(50));
    for (uint32_t id : {1u, 3u, 5u, 7u}) granted += this->granted(receive(id, kWindow), 0);
  }
  EXPECT_GE(granted, (12 * 4 + 2) * int64_t{kWindow}) << "a megabyte more, of which half may be due still";
  EXPECT_EQ(connection.receive_credit(), 1 << 20);
  connection.limit_connection_window(65'536);
  int64_t used = 0;
  for (granted = 0; granted == 0 && used < int64_t{64} << 20; used += kWindow) {
    script.wait(milliseconds(500));
    granted = this->granted(receive(1, kWindow), 0);
  }
  EXPECT_GT(used, int64_t{1} << 20);
  EXPECT_LT(used, int64_t{4} << 20) << "the peer isn't stopped for good";
  EXPECT_EQ(connection.receive_credit(), 1 << 20) << "nothing is lost";
  connection.limit_connection_window(UINT32_MAX);
  EXPECT_EQ(connection.receive_credit(), 1 << 20);
}

struct BoundedWindowTest : GrowingWindowTest {
  BoundedWindowTest() : GrowingWindowTest({.max_window_bytes = 2 * kWindow}) {}
};

TEST_F(BoundedWindowTest, grows_to_its_bound) {
  learn_distance(milliseconds(50));
  int64_t extra = 0;
  for (int i = 0; i < 40; ++i) extra += grant_for(1, kWindow, milliseconds(10)) - kWindow;
  EXPECT_GE(extra, int64_t{kWindow} / 2);
  EXPECT_LE(extra, int64_t{kWindow} + kWindow / 2);
}

}  // namespace
}  // namespace gaggle::http2::testing
