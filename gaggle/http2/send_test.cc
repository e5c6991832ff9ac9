// SPDX-License-Identifier: Apache-2.0
//
// From the layer above to the wire: templates, shared slices, turns, bounds, and no allocation.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "gaggle/http2/connection_testing.h"

namespace gaggle::http2::testing {
namespace {

const PreparedHeaders& response_template() {
  static const PreparedHeaders prepared(
      0, {{.name = ":status", .value = "200", .id = HeaderName::kStatus},
          {.name = "content-type", .value = "application/grpc", .id = HeaderName::kContentType}});
  return prepared;
}
const PreparedHeaders& trailers_template() {
  static const PreparedHeaders prepared(1, {{.name = "grpc-status", .value = "0", .id = HeaderName::kGrpcStatus}});
  return prepared;
}

struct SendTest : ::testing::Test {
  Script script{Role::kServer, {}, Behaviour::kNothing};
  Connection& connection = script.connection();
  Stream& open(uint32_t id) {
    script.send(headers(id, request_fields())).heard();
    return script.stream(id);
  }
  Stream& answering(uint32_t id) {
    Stream& stream = open(id);
    EXPECT_EQ(connection.send_headers(stream, response_template(), {}, false), SendResult::kOk);
    return stream;
  }
};

TEST_F(SendTest, an_answer_is_three_frames_in_one_buffer) {
  script.shake_hands();
  for (uint32_t id : {1u, 3u, 5u}) {
    Stream& stream = answering(id);
    uint8_t* const place = connection.reserve_data(stream, 5, false);
    ASSERT_NE(place, nullptr);
    std::memcpy(place, "hello", 5);
    EXPECT_EQ(connection.send_trailers(stream, trailers_template(), {}), SendResult::kOk);
    iovec parts[8];
    EXPECT_EQ(connection.gather(parts), 1u) << "contiguous";
    EXPECT_EQ(join(script.sent()), "HEADERS " + std::to_string(id) +
                                       " :status=200 content-type=application/grpc; DATA " + std::to_string(id) +
                                       " 5; HEADERS " + std::to_string(id) + " END_STREAM grpc-status=0");
    script.release(stream);
  }
  EXPECT_EQ(script.transcript().content(), "hellohellohello");
}

TEST_F(SendTest, large_content_is_shared_not_copied) {
  script.shake_hands();
  Stream& stream = answering(1);
  const Bytes content = Bytes::take(std::string(10'000, 'x'));
  EXPECT_EQ(connection.send_data(stream, content, false), SendResult::kOk);
  EXPECT_EQ(connection.send_trailers(stream, trailers_template(), {}), SendResult::kOk);
  iovec parts[8];
  ASSERT_EQ(connection.gather(parts), 3u) << "headers and frame header, the content itself, trailers";
  EXPECT_EQ(parts[1].iov_base, content.data()) << "the caller's own bytes";
  EXPECT_EQ(join(script.sent(7)),
            "HEADERS 1 :status=200 content-type=application/grpc; DATA 1 10000; HEADERS 1 END_STREAM grpc-status=0")
      << "[15] and seven bytes a write give the same";
  EXPECT_EQ(script.transcript().content(), std::string(10'000, 'x'));
}

TEST_F(SendTest, small_pieces_that_wait_share_frames) {
  script.shake_hands(settings({{SettingId::kInitialWindowSize, 0}}));
  Stream& stream = answering(1);
  for (int i = 0; i < 100; ++i)
    EXPECT_EQ(connection.send_data(stream, Bytes::unowned("0123456789"), i == 99), SendResult::kOk);
  script.sent();
  script.send(window_update(1, 10'000));
  EXPECT_EQ(join(script.sent()), "DATA 1 END_STREAM 1000") << "one header for all of them";
}

TEST_F(SendTest, one_write_is_bounded_and_streams_take_turns_in_it) {
  script.shake_hands(settings({{SettingId::kInitialWindowSize, 1 << 20}}) + window_update(0, 1 << 24));
  for (uint32_t id : {1u, 3u}) {
    static_cast<void>(connection.send_data(answering(id), Bytes::take(std::string(500'000, 'x')), true));
  }
  iovec parts[64];
  connection.gather(parts);
  EXPECT_GE(connection.unsent_bytes(), 256u * 1024);
  EXPECT_LE(connection.unsent_bytes(), 256u * 1024 + 17'000) << "about 256 KiB, however much waits";
  const Lines lines = script.sent();
  std::vector<std::string> order;
  for (const std::string& line : lines) order.push_back(line.substr(0, 6));
  EXPECT_EQ(std::count(order.begin(), order.end(), "DATA 1"), std::count(order.begin(), order.end(), "DATA 3"));
  EXPECT_EQ(order[3], "DATA 1");
  EXPECT_EQ(order[4], "DATA 3") << "16 KiB each";
  EXPECT_EQ(order[5], "DATA 1");
  EXPECT_EQ(script.transcript().content().size(), 1'000'000u);
}

TEST_F(SendTest, a_sender_is_stopped_and_woken) {
  script.shake_hands();
  Stream& stream = answering(1);
  const auto piece = [] { return Bytes::take(std::string(50'000, 'x')); };
  EXPECT_EQ(connection.send_data(stream, piece(), false), SendResult::kOk);
  EXPECT_EQ(connection.send_data(stream, piece(), false), SendResult::kFull) << "accepted, but no more please";
  script.sent();
  EXPECT_EQ(stream.queued_bytes(), 34'465u);
  EXPECT_EQ(join(script.heard()), "") << "more than half of 64 KiB wait still";
  script.send(window_update(1, 2'000) + window_update(0, 1 << 20));
  script.sent();
  EXPECT_EQ(join(script.heard()), "writable 1");
  EXPECT_EQ(connection.counters().blocked_sends, 1u);
  script.send(window_update(1, 1 << 20)).sent();
  EXPECT_EQ(join(script.heard()), "") << "once";
}

TEST_F(SendTest, a_socket_that_is_slow_stops_senders_too) {
  script.shake_hands(settings({{SettingId::kInitialWindowSize, 1 << 30}}) + window_update(0, 1 << 30));
  Stream& stream = answering(1);
  int accepted = 0;
  while (connection.send_data(stream, Bytes::take(std::string(10'000, 'x')), false) == SendResult::kOk &&
         accepted < 100) {
    ++accepted;
    iovec parts[64];
    connection.gather(parts);  // and nothing is written
  }
  EXPECT_LT(accepted, 38) << "256 KiB framed and 64 KiB queued, whatever the windows are";
}

TEST_F(SendTest, unread_answers_stop_reading) {
  Limits limits;
  limits.unsent_pause_bytes = 2000;
  Script slow(Role::kServer, {.limits = limits}, Behaviour::kNothing);
  slow.shake_hands();
  for (uint32_t id = 1; id < 5; id += 2) {
    slow.send(headers(id, request_fields()));
    EXPECT_FALSE(slow.connection().read_paused()) << id;
    slow.answer(slow.stream(id), false);
    static_cast<void>(slow.connection().send_data(slow.stream(id), Bytes::take(std::string(1000, 'x')), true));
  }
  slow.send(ping(1));
  EXPECT_TRUE(slow.connection().read_paused()) << "[13] the peer doesn't read: neither do we";
  slow.sent();
  EXPECT_FALSE(slow.connection().read_paused());
}

TEST_F(SendTest, small_answers_do_not_starve_a_large_one) {
  script.shake_hands(settings({{SettingId::kInitialWindowSize, 1 << 20}}));
  static_cast<void>(connection.send_data(answering(1), Bytes::take(std::string(200'000, 'x')), true));
  script.take_bytes();
  Stream& small = answering(3);
  script.send(window_update(0, 10'000));
  EXPECT_EQ(connection.reserve_data(small, 5, false), nullptr) << "the window is short, and 1 was first";
  EXPECT_EQ(connection.send_data(small, Bytes::unowned("hello"), true), SendResult::kOk);
  EXPECT_EQ(script.sent().back(), "DATA 1 10000");
  script.send(window_update(0, 100'000));
  EXPECT_EQ(script.sent().at(0), "DATA 3 END_STREAM 5") << "then it's the next one's turn";
}

TEST_F(SendTest, header_blocks_larger_than_a_frame_are_split) {
  script.shake_hands();
  Stream& stream = open(1);
  const std::string value(40'000, 'v');
  const HeaderOut fields[] = {{.name = ":status", .value = "200"},
                              {.name = "big", .value = value, .indexing = Indexing::kNoIndex}};
  EXPECT_EQ(connection.send_headers(stream, fields, true), SendResult::kOk);
  const Lines lines = script.sent();
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[0], "HEADERS 1 END_STREAM ...");
  EXPECT_EQ(lines[1], "CONTINUATION 1 ...");
  EXPECT_TRUE(lines[2].ends_with(value)) << "§6.10, and nothing between them";
}

TEST_F(SendTest, fast_path_says_no_instead_of_breaking_a_rule) {
  script.shake_hands(settings({{SettingId::kInitialWindowSize, 100}}));
  Stream& stream = open(1);
  EXPECT_EQ(connection.reserve_data(stream, 1, false), nullptr) << "headers first";
  EXPECT_EQ(connection.send_headers(stream, response_template(), {}, false), SendResult::kOk);
  EXPECT_EQ(connection.send_headers(stream, response_template(), {}, false), SendResult::kEnded) << "and once";
  EXPECT_EQ(connection.reserve_data(stream, 101, false), nullptr) << "the stream's window";
  EXPECT_EQ(connection.reserve_data(stream, 16'385, false), nullptr) << "the peer's frame size";
  ASSERT_NE(connection.reserve_data(stream, 100, true), nullptr);
  EXPECT_EQ(connection.reserve_data(stream, 0, true), nullptr) << "the direction has ended";
  EXPECT_EQ(connection.send_data(stream, Bytes::unowned("x"), true), SendResult::kEnded);
  EXPECT_EQ(connection.send_trailers(stream, trailers_template(), {}), SendResult::kEnded);
}

TEST_F(SendTest, a_larger_frame_size_of_the_peer_is_used) {
  script.shake_hands(settings({{SettingId::kMaxFrameSize, 65'536}}));
  Stream& stream = answering(1);
  script.sent();
  EXPECT_NE(connection.reserve_data(stream, 20'000, true), nullptr) << "§4.2: as large as the peer takes";
}

TEST_F(SendTest, nothing_is_sent_after_the_end_of_the_connection) {
  script.shake_hands();
  Stream& stream = answering(1);
  connection.fail(ErrorCode::kInternalError, "test");
  script.sent();
  EXPECT_EQ(connection.send_data(stream, Bytes::unowned("x"), false), SendResult::kEnded);
  connection.ping(1);
  connection.begin_drain();
  connection.goaway(ErrorCode::kNoError, {});
  EXPECT_FALSE(connection.wants_write());
  script.release(stream);
}

TEST_F(SendTest, a_large_turn_leaves_no_large_buffer_behind) {
  script.shake_hands(settings() + window_update(0, 1 << 24));
  const size_t before = connection.memory_bytes();
  Stream& stream = answering(1);
  for (int i = 0; i < 50; ++i)
    EXPECT_EQ(connection.send_data(stream, Bytes::unowned("0123456789"), false), SendResult::kOk);
  EXPECT_GT(connection.memory_bytes(), before + 50 * 10) << "all that waits for the end of the turn";
  script.take_bytes();
  script.release(stream);
  connection.release_idle_memory();
  EXPECT_LE(connection.memory_bytes(), before) << "nor a pooled stream, once it is quiet";
}

TEST_F(SendTest, an_idle_connection_gives_its_memory_back) {
  script.shake_hands(settings() + window_update(0, 1 << 24));
  for (uint32_t id = 1; id < 200; id += 2) {
    script.next_turn();
    Stream& stream = answering(id);
    static_cast<void>(connection.send_data(stream, Bytes::take(std::string(1000, 'x')), false));
    EXPECT_EQ(connection.send_trailers(stream, trailers_template(), {}), SendResult::kOk);
    script.release(stream);
  }
  script.take_bytes();
  connection.release_idle_memory();
  RecordProperty("connection_bytes", static_cast<int>(connection.memory_bytes()));
  EXPECT_LE(connection.memory_bytes(), 1024u) << "an idle connection costs less than 1 KiB here";
}

}  // namespace
}  // namespace gaggle::http2::testing
