// SPDX-License-Identifier: Apache-2.0
//
// Slots, turns and the ends of streams.
#include <gtest/gtest.h>

#include "gaggle/http2/connection_testing.h"

namespace gaggle::http2::testing {
namespace {

Options with(Limits limits) { return {.limits = limits}; }

std::string requests(uint32_t first, uint32_t count) {
  std::string bytes;
  for (uint32_t i = 0; i < count; ++i) bytes += headers(first + 2 * i, request_fields());
  return bytes;
}

TEST(Slots, streams_above_the_limit_are_refused) {
  Script script(Role::kServer, with({.max_concurrent_streams = 2}), Behaviour::kNothing);
  script.shake_hands();
  script.send(requests(1, 3));
  EXPECT_EQ(join(script.sent()), "RST_STREAM 5 REFUSED_STREAM") << "[69] §5.1.2";
  EXPECT_FALSE(script.has_stream(5)) << "the layer above hears nothing of it";
  script.answer(script.stream(1));
  script.release(script.stream(1));
  script.send(requests(7, 1));
  EXPECT_TRUE(script.has_stream(7)) << "one has ended, so one may begin";
  EXPECT_EQ(script.connection().counters().refused_streams, 1u);
}

TEST(Slots, a_stream_has_nothing_of_the_one_whose_memory_it_has) {
  Script script(Role::kServer, with({.max_concurrent_streams = 1}), Behaviour::kNothing);
  script.shake_hands();
  script.send(headers(1, request_fields({{"content-length", "9"}}), kEndHeaders) + data(1, "four"));
  script.send(rst_stream(1, ErrorCode::kCancel));
  script.release(script.stream(1));
  script.send(headers(3, request_fields(), kEndHeaders) + data(3, "any number of bytes", kEndStream));
  EXPECT_EQ(join(script.sent()), "") << "no content-length was declared for this one";
  EXPECT_EQ(script.connection().counters().malformed_messages, 0u);
}

TEST(Slots, a_slot_is_free_when_the_handler_has_ended_not_when_the_peer_resets) {
  Script script(Role::kServer, with({.max_concurrent_streams = 2}), Behaviour::kNothing);
  script.shake_hands();
  script.send(requests(1, 2) + rst_stream(1, ErrorCode::kCancel) + rst_stream(3, ErrorCode::kCancel));
  script.heard();
  script.send(headers(5, request_fields(), kEndHeaders) + data(5, "abc") + headers(5, {{"t", "1"}}) + requests(7, 1));
  EXPECT_EQ(join(script.heard()), "") << "both handlers run still";
  EXPECT_EQ(script.connection().queued_streams(), 2u) << "for the peer the slots are free, so these wait";
  script.send(rst_stream(7, ErrorCode::kCancel) + requests(9, 2));
  EXPECT_EQ(join(script.sent()), "RST_STREAM 11 REFUSED_STREAM") << "no more than one limit's worth wait";

  EXPECT_FALSE(script.connection().has_pending_input());
  script.release(script.stream(1));
  EXPECT_TRUE(script.connection().has_pending_input()) << "a handler has ended";
  script.next_turn();
  EXPECT_EQ(join(script.heard()), "headers 5 :method=POST :scheme=http :path=/a :authority=x; data 5 3; trailers 5 t=1")
      << "the first in the queue, with all that came meanwhile";
  script.release(script.stream(3));
  script.next_turn();
  EXPECT_EQ(join(script.heard()), "headers 9 :method=POST :scheme=http :path=/a :authority=x end")
      << "7 was reset in the queue and never started";
}

TEST(Slots, later_requests_do_not_overtake_those_that_wait) {
  Script script(Role::kServer, with({.max_concurrent_streams = 1}), Behaviour::kNothing);
  script.shake_hands();
  script.send(requests(1, 1) + rst_stream(1, ErrorCode::kCancel) + requests(3, 1) + rst_stream(3, ErrorCode::kCancel));
  script.send(requests(5, 1));
  script.release(script.stream(1));
  script.connection().receive({}, script.now());
  EXPECT_TRUE(script.has_stream(5));
  EXPECT_FALSE(script.has_stream(3));
}

TEST(Slots, a_queued_stream_may_not_break_the_rules_either) {
  Script script(Role::kServer, with({.max_concurrent_streams = 1}), Behaviour::kNothing);
  script.shake_hands();
  script.send(requests(1, 1) + rst_stream(1, ErrorCode::kCancel));
  script.send(headers(3, request_fields(), kEndHeaders) + data(3, std::string(100, 'x')) + window_update(3, 0));
  EXPECT_EQ(join(script.sent()), "RST_STREAM 3 PROTOCOL_ERROR");
  EXPECT_EQ(script.connection().queued_streams(), 0u);
  EXPECT_EQ(script.connection().open_streams(), 0u);
  script.release(script.stream(1));
  script.next_turn();
  EXPECT_EQ(script.held_streams(), 0u) << "it never started";
}

TEST(Turns, only_so_many_requests_begin_in_one) {
  Script script(Role::kServer, with({.new_requests_per_turn = 32}), Behaviour::kNothing);
  script.shake_hands();
  script.next_turn();
  script.send(requests(1, 100) + ping(5));
  EXPECT_EQ(script.held_streams(), 32u);
  EXPECT_TRUE(script.connection().has_pending_input());
  EXPECT_EQ(join(script.sent()), "") << "what stands behind them waits as well";
  script.next_turn();
  EXPECT_EQ(script.held_streams(), 64u);
  script.send(ping(6));
  script.next_turn().next_turn();
  EXPECT_EQ(script.held_streams(), 100u);
  EXPECT_FALSE(script.connection().has_pending_input());
  EXPECT_EQ(join(script.sent()), "PING ACK 5; PING ACK 6") << "in their order";
  EXPECT_EQ(script.connection().counters().deferred_turns, 3u + 1u) << "the read in between was put off at once";
}

TEST(Turns, input_that_is_put_off_can_be_cut_anywhere) {
  const std::string bytes = requests(1, 5);
  for (size_t cut = 1; cut < bytes.size(); ++cut) {
    Script script(Role::kServer, with({.new_requests_per_turn = 2}), Behaviour::kNothing);
    script.shake_hands().next_turn();
    script.send(bytes.substr(0, cut)).send(bytes.substr(cut));
    EXPECT_EQ(script.held_streams(), 2u) << "cut at " << cut;
    script.next_turn().next_turn();
    EXPECT_EQ(script.held_streams(), 5u) << "cut at " << cut;
  }
}

TEST(Turns, other_frames_are_not_counted) {
  Script script(Role::kServer, with({.new_requests_per_turn = 1}), Behaviour::kNothing);
  script.shake_hands().next_turn();
  script.send(headers(1, request_fields(), kEndHeaders) + ping(1) + data(1, "x") + headers(1, {{"a", "b"}}));
  EXPECT_FALSE(script.connection().has_pending_input()) << "trailers are no new request";
}

TEST(Release, what_is_queued_still_leaves) {
  Script script(Role::kServer, {}, Behaviour::kNothing);
  script.shake_hands(settings({{SettingId::kInitialWindowSize, 10}}));
  script.send(headers(1, request_fields()));
  Stream& stream = script.stream(1);
  const HeaderOut status{.name = ":status", .value = "200"};
  const HeaderOut trailer{.name = "t", .value = "1"};
  EXPECT_EQ(script.connection().send_headers(stream, {&status, 1}, false), SendResult::kOk);
  EXPECT_EQ(script.connection().send_data(stream, Bytes::take(std::string(25, 'x')), false), SendResult::kOk);
  EXPECT_EQ(script.connection().send_trailers(stream, {&trailer, 1}), SendResult::kOk);
  script.release(stream);
  EXPECT_EQ(script.connection().used_slots(), 0u) << "the handler has ended";
  EXPECT_EQ(script.connection().open_streams(), 1u) << "the stream hasn't";
  EXPECT_EQ(join(script.sent()), "HEADERS 1 :status=200; DATA 1 10");
  script.send(window_update(1, 100));
  EXPECT_EQ(join(script.sent()), "DATA 1 15; HEADERS 1 END_STREAM t=1");
  EXPECT_EQ(script.connection().open_streams(), 0u);
  EXPECT_EQ(join(script.heard()).find("reset"), std::string::npos) << "nobody is told anything";
}

TEST(Release, what_is_queued_ends_with_a_reset) {
  Script script(Role::kServer, {}, Behaviour::kNothing);
  script.shake_hands(settings({{SettingId::kInitialWindowSize, 1}}));
  script.send(headers(1, request_fields()));
  script.answer(script.stream(1));
  script.release(script.stream(1));
  script.heard();
  script.send(rst_stream(1, ErrorCode::kCancel));
  EXPECT_EQ(join(script.heard()), "");
  EXPECT_EQ(script.connection().open_streams(), 0u);
  EXPECT_EQ(join(script.sent()), "HEADERS 1 :status=200; DATA 1 1") << "that much was on its way, the rest is dropped";
}

TEST(Release, a_request_that_nobody_reads_to_its_end_is_stopped) {
  Script script(Role::kServer, {}, Behaviour::kNothing);
  script.shake_hands();
  script.send(headers(1, request_fields(), kEndHeaders));
  script.answer(script.stream(1));
  script.release(script.stream(1));
  EXPECT_EQ(script.sent().back(), "RST_STREAM 1 NO_ERROR") << "§8.1: a complete response, and no interest in the rest";
  script.send(data(1, "still on its way") + headers(1, {{"a", "b"}}));
  EXPECT_EQ(join(script.sent()), "") << "§5.4.2: ignored";
  EXPECT_EQ(script.connection().counters().late_frames, 2u);
}

TEST(Release, an_answer_without_an_end_is_an_error) {
  Script script(Role::kServer, {}, Behaviour::kNothing);
  script.shake_hands();
  script.send(headers(1, request_fields()));
  script.answer(script.stream(1), false);
  script.release(script.stream(1));
  EXPECT_EQ(script.sent().back(), "RST_STREAM 1 INTERNAL_ERROR") << "the client must not take it for the whole";
}

TEST(Reset, ends_a_stream_at_once_and_without_an_event) {
  Script script(Role::kServer, {}, Behaviour::kNothing);
  script.shake_hands();
  script.send(headers(1, request_fields(), kEndHeaders)).heard();
  Stream& stream = script.stream(1);
  script.connection().reset(stream, ErrorCode::kCancel);
  script.connection().reset(stream, ErrorCode::kInternalError);
  EXPECT_EQ(join(script.sent()), "RST_STREAM 1 CANCEL") << "the second changes nothing";
  EXPECT_EQ(join(script.heard()), "");
  EXPECT_TRUE(stream.is_over());
  EXPECT_EQ(script.connection().send_data(stream, Bytes::unowned("x"), false), SendResult::kEnded);
  EXPECT_EQ(script.connection().reserve_data(stream, 1, false), nullptr);
  script.connection().consume(stream, 100);
  script.connection().expect(stream, 100);
  EXPECT_EQ(join(script.sent()), "") << "an ended stream takes everything and does nothing";
  script.release(stream);
}

TEST(Reset, in_the_middle_of_a_frame_drops_the_rest) {
  Script script(Role::kServer, {}, Behaviour::kNothing);
  script.shake_hands();
  const std::string frame_of_100 = data(1, std::string(100, 'x'), kEndStream);
  script.send(headers(1, request_fields(), kEndHeaders) + frame_of_100.substr(0, 50));
  script.heard();
  script.connection().reset(script.stream(1), ErrorCode::kCancel);
  script.release(script.stream(1));
  script.send(frame_of_100.substr(50) + headers(3, request_fields()));
  EXPECT_EQ(join(script.heard()), "headers 3 :method=POST :scheme=http :path=/a :authority=x end");
}

TEST(ConnectionEnd, every_stream_hears_of_it_once) {
  Script script(Role::kServer, {}, Behaviour::kAnswer);
  script.shake_hands();
  script.send(headers(1, request_fields(), kEndHeaders) + headers(3, request_fields(), kEndHeaders)).heard();
  script.connection().connection_lost();
  EXPECT_EQ(join(script.heard()), "reset 1 INTERNAL_ERROR by connection; reset 3 INTERNAL_ERROR by connection");
  EXPECT_EQ(script.connection().used_slots(), 0u);
  script.connection().connection_lost();
  EXPECT_EQ(join(script.heard()), "");
}

TEST(StreamIds, run_out) {
  Script script(Role::kServer);
  script.shake_hands();
  script.send(headers(0x7fff'ffff, request_fields()));
  EXPECT_EQ(script.sent()[0], "GOAWAY 2147483647 NO_ERROR") << "[68] the client needs another connection";
}

}  // namespace
}  // namespace gaggle::http2::testing
