// SPDX-License-Identifier: Apache-2.0
//
// Floods: what ends them, and what honest peers may do for ever. Catalogue [79] to [86].
#include <gtest/gtest.h>

#include <functional>

#include "gaggle/http2/connection_testing.h"

namespace gaggle::http2::testing {
namespace {

using namespace std::chrono_literals;

// Sends what `next` makes until the connection has had enough; returns how often.
int until_closed(Script& script, int at_most, const std::function<std::string(int)>& next) {
  for (int i = 0; i < at_most; ++i) {
    script.next_turn();
    script.send(next(i));
    if (script.connection().failed()) return i + 1;
    script.take_bytes();
  }
  return at_most + 1;
}

void expect_calm(Script& script) {
  EXPECT_EQ(script.connection().counters().abuse_closes, 1u);
  EXPECT_NE(join(script.heard()).find("failed ENHANCE_YOUR_CALM"), std::string::npos);
}

std::string reset_at_once(int i) {
  const auto id = static_cast<uint32_t>(2 * i + 1);
  return headers(id, request_fields()) + rst_stream(id, ErrorCode::kCancel);
}

// The same with a turn between the two.
std::string reset_in_the_next_turn(int i, bool complete) {
  const auto id = static_cast<uint32_t>(i / 2 * 2 + 1);
  if (i % 2 != 0) return rst_stream(id, ErrorCode::kCancel);
  return complete ? headers(id, request_fields()) + window_update(0, 2) : headers(id, request_fields(), kEndHeaders);
}

TEST(Abuse, rapid_reset) {
  Script script(Role::kServer, {}, Behaviour::kNothing);
  script.shake_hands();
  size_t most = 0;
  const int rounds = until_closed(script, 100'000, [&](int i) {
    most = std::max(most, script.connection().used_slots());
    return reset_at_once(i);
  });
  EXPECT_LE(rounds, 1100) << "[85] the bucket is empty";
  EXPECT_LE(most, 128u) << "[85] no more handlers than slots, however many streams were reset";
  EXPECT_EQ(script.connection().queued_streams(), 0u) << "those that wait and are reset are forgotten";
}

TEST(Abuse, rapid_reset_with_handlers_that_end_at_once) {
  Script script(Role::kServer);
  script.shake_hands();
  EXPECT_LE(until_closed(script, 100'000,
                         [](int i) {
                           const auto id = static_cast<uint32_t>(2 * i + 1);
                           return headers(id, request_fields(), kEndHeaders) + rst_stream(id, ErrorCode::kCancel);
                         }),
            1100)
      << "[85]";
  expect_calm(script);
}

TEST(Abuse, made_you_reset) {
  const std::function<std::string(uint32_t)> triggers[] = {
      [](uint32_t id) { return window_update(id, 0); },
      [](uint32_t id) { return window_update(id, 0x7fff'ffff); },
      [](uint32_t id) { return frame(FrameType::kPriority, 0, id, "1234"); },
      [](uint32_t id) { return headers(id, {{"a", "b"}}, kEndHeaders); },
      [](uint32_t id) { return headers(id, {{"A", "b"}}); },
      [](uint32_t id) { return data(id, "", kEndStream) + data(id, "x"); },
  };
  for (const auto& trigger : triggers) {
    Script script(Role::kServer, {}, Behaviour::kNothing);
    script.shake_hands();
    size_t most = 0;
    const int rounds = until_closed(script, 100'000, [&](int i) {
      const auto id = static_cast<uint32_t>(2 * i + 1);
      most = std::max(most, script.connection().used_slots());
      return headers(id, request_fields(), kEndHeaders) + trigger(id);
    });
    EXPECT_LE(rounds, 1300) << "[86] resets that we are made to send are charged like the peer's";
    EXPECT_LE(most, 128u) << "[86] and bounded by the slots";
  }
}

TEST(Abuse, pings_without_traffic) {
  Script script(Role::kServer);
  script.shake_hands();
  EXPECT_EQ(until_closed(script, 5000, [](int) { return ping(1); }), 1002) << "one is free, a thousand are charged";
  expect_calm(script);
}

TEST(Abuse, settings) {
  Script script(Role::kServer);
  script.shake_hands();
  EXPECT_EQ(until_closed(script, 5000, [](int) { return settings(); }), 1001);
  expect_calm(script);
}

TEST(Abuse, window_updates_that_nothing_calls_for) {
  Script script(Role::kServer);
  script.shake_hands();
  EXPECT_LE(until_closed(script, 5000, [](int) { return window_update(0, 1); }), 1010) << "[81]";
  expect_calm(script);
}

TEST(Abuse, priorities_and_unknown_frames) {
  for (const std::string& bytes : {priority(5, 3), frame(0xee, 0, 0, "")}) {
    Script script(Role::kServer);
    script.shake_hands();
    EXPECT_EQ(until_closed(script, 50'000, [&](int) { return bytes; }), 10'001) << "[82] a tenth each";
  }
}

TEST(Abuse, empty_data) {
  Script script(Role::kServer);
  script.shake_hands();
  script.send(headers(1, request_fields(), kEndHeaders));
  EXPECT_EQ(until_closed(script, 1000, [](int) { return data(1, ""); }), 101) << "[83]";
  expect_calm(script);
}

TEST(Abuse, one_byte_at_a_time) {
  Script script(Role::kServer);
  script.shake_hands();
  script.send(headers(1, request_fields(), kEndHeaders));
  EXPECT_EQ(until_closed(script, 100'000, [](int) { return data(1, "x"); }), 1001) << "[84]";
  expect_calm(script);
}

TEST(Abuse, data_for_dead_streams_beyond_what_was_on_its_way) {
  Script script(Role::kServer);
  script.shake_hands();
  script.send(headers(1, request_fields(), kEndHeaders) + window_update(1, 0));
  const std::string lots = data(1, std::string(16'000, 'x'));
  EXPECT_LE(until_closed(script, 10'000, [&](int) { return lots; }), 1100)
      << "a window is free, then each frame is charged";
  expect_calm(script);
}

TEST(Abuse, answers_that_are_never_read) {
  for (const std::string& flood : {ping(7), settings()}) {
    Limits limits;
    limits.abuse_burst = 1'000'000;
    Script script(Role::kServer, {.limits = limits});
    script.shake_hands();
    script.send(repeat(flood, 99));
    EXPECT_FALSE(script.connection().read_paused());
    script.send(flood);
    EXPECT_TRUE(script.connection().read_paused()) << "[79] [80] a hundred answers are waiting: stop reading";
    EXPECT_EQ(script.connection().counters().read_pauses, 1u);
    script.sent();
    EXPECT_FALSE(script.connection().read_paused()) << "they have been written";
    script.send(repeat(flood, 5000));
    EXPECT_TRUE(script.connection().failed()) << "[79] [80] whoever reads on regardless is cut off";
    EXPECT_EQ(script.connection().counters().control_floods, 1u);
  }
}

TEST(Abuse, the_bucket_fills_again) {
  Script script(Role::kServer);
  script.shake_hands();
  script.send(repeat(ping(1), 990)).take_bytes();
  script.wait(10s);
  script.send(repeat(ping(1), 330)).take_bytes();
  EXPECT_FALSE(script.connection().failed()) << "33 a second flow in";
  script.send(repeat(ping(1), 20));
  EXPECT_TRUE(script.connection().failed());
}

// Honest peers.

TEST(HonestPeer, cancels_a_tenth_of_its_calls_at_any_speed) {
  Script script(Role::kServer);
  script.shake_hands();
  EXPECT_GT(until_closed(script, 50'000,
                         [](int i) {
                           const auto id = static_cast<uint32_t>(2 * i + 1);
                           if (i % 10 != 0) return headers(id, request_fields()) + window_update(0, 2);
                           return headers(id, request_fields(), kEndHeaders) + rst_stream(id, ErrorCode::kCancel);
                         }),
            50'000)
      << "completed calls pay for the cancelled ones; time stands still here";
}

TEST(HonestPeer, gives_up_every_call_that_has_begun) {
  Script script(Role::kServer);
  script.shake_hands();
  EXPECT_GT(until_closed(script, 50'000, [](int i) { return reset_in_the_next_turn(i, false); }), 50'000)
      << "hedges that lost, deadlines: each has had its turn";
}

TEST(HonestPeer, refuses_every_answer) {
  Script script(Role::kServer);
  script.shake_hands();
  EXPECT_GT(until_closed(script, 50'000, [](int i) { return reset_in_the_next_turn(i, true); }), 50'000)
      << "they are larger than it takes, and the resets cross their ends";
}

TEST(Abuse, resets_of_what_is_over) {
  Script script(Role::kServer);
  script.shake_hands();
  script.send(headers(1, request_fields()));
  EXPECT_LE(until_closed(script, 50'000, [](int) { return rst_stream(1, ErrorCode::kCancel); }), 10'012);
  expect_calm(script);
}

TEST(Abuse, resets_of_what_waits_for_a_slot) {
  Script script(Role::kServer, {}, Behaviour::kNothing);
  script.shake_hands();
  const int rounds = until_closed(script, 50'000, [](int i) { return reset_in_the_next_turn(i, false); });
  EXPECT_EQ(script.connection().used_slots(), 128u) << "handlers that never end";
  EXPECT_LE(rounds, 2 * (128 + 1001)) << "the others no handler has seen";
  expect_calm(script);
}

TEST(HonestPeer, sends_a_million_small_messages) {
  Script script(Role::kServer, {}, Behaviour::kNothing);
  script.shake_hands();
  script.send(headers(1, request_fields(), kEndHeaders));
  const std::string message = data(1, "0123456789");
  for (int i = 0; i < 1'000'000 && !script.connection().failed(); ++i) {
    script.connection().receive({reinterpret_cast<const uint8_t*>(message.data()), message.size()}, script.now());
    script.connection().message_completed(script.stream(1));
    if (i % 1000 == 0) script.take_bytes();
  }
  EXPECT_FALSE(script.connection().failed());
  EXPECT_EQ(script.connection().receive_credit(), script.connection().options().connection_window_bytes);
}

TEST(HonestPeer, sends_prefix_and_message_in_frames_of_their_own) {
  Script script(Role::kServer, {}, Behaviour::kNothing);
  script.shake_hands();
  script.send(headers(1, request_fields(), kEndHeaders));
  EXPECT_GT(until_closed(script, 20'000,
                         [&](int i) {
                           if (i % 2 == 0) script.connection().message_completed(script.stream(1));
                           return i % 2 == 0 ? data(1, std::string("\0\0\0\0\5", 5)) : data(1, "hello");
                         }),
            20'000);
}

TEST(HonestPeer, cuts_the_messages_of_many_streams_where_the_window_ends) {
  constexpr int kStreams = 100;
  Script script(Role::kServer, {}, Behaviour::kNothing);
  script.shake_hands();
  for (uint32_t i = 0; i < kStreams; ++i) script.send(headers(2 * i + 1, request_fields(), kEndHeaders));
  const std::string large(1024, 'x'), rest(106, 'x');
  EXPECT_GT(until_closed(script, 2 * 30 * kStreams,
                         [&](int i) {
                           const auto id = static_cast<uint32_t>(2 * (i / 2 % kStreams) + 1);
                           return data(id, i % 2 == 0 ? large : rest);
                         }),
            2 * 30 * kStreams)
      << "as Netty does: no message ends meanwhile, but each small frame comes with a large one";
}

TEST(Abuse, one_large_frame_pays_for_few_small_ones) {
  Script script(Role::kServer, {}, Behaviour::kNothing);
  script.shake_hands();
  script.send(headers(1, request_fields(), kEndHeaders));
  const std::string large(1024, 'x');
  EXPECT_LE(until_closed(script, 100'000, [&](int i) { return data(1, i % 50 == 0 ? large : "x"); }), 1100);
}

TEST(HonestPeer, a_server_may_send_its_answer_in_tiny_frames) {
  Script script(Role::kClient, {}, Behaviour::kNothing);
  script.shake_hands();
  script.request();
  script.take_bytes();
  script.send(headers(1, response_fields(), kEndHeaders));
  EXPECT_GT(until_closed(script, 20'000, [](int) { return data(1, "hello"); }), 20'000)
      << "gRPC's negative case no_df_padding_sanity_test";
}

TEST(HonestPeer, measures_the_bandwidth_with_a_ping_for_each_answer) {
  Script script(Role::kServer);
  script.shake_hands();
  EXPECT_GT(until_closed(script, 10'000,
                         [](int i) {
                           return headers(static_cast<uint32_t>(2 * i + 1), request_fields()) + ping(7) +
                                  window_update(0, 100);
                         }),
            10'000)
      << "as grpc-go does";
}

TEST(HonestPeer, goes_on_sending_until_it_hears_of_our_reset) {
  Script script(Role::kServer, {}, Behaviour::kNothing);
  script.shake_hands();
  script.send(headers(1, request_fields(), kEndHeaders));
  script.connection().reset(script.stream(1), ErrorCode::kCancel);
  script.release(script.stream(1));
  for (int i = 0; i < 17'000; ++i) script.send(data(1, "fifteen bytes!!"));
  EXPECT_FALSE(script.connection().failed()) << "a whole window of tiny frames was on its way";
  EXPECT_EQ(join(script.sent()).substr(0, 19), "RST_STREAM 1 CANCEL");
}

}  // namespace
}  // namespace gaggle::http2::testing
