// SPDX-License-Identifier: Apache-2.0
//
// The socket's side of a connection, on pipes in memory and virtual time. Bytes of the peer are written
// by hand; what frames mean is the engine's business.
#include "gaggle/transport/connection.h"

#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gaggle/http2/frame.h"
#include "gaggle/net/byte_stream_testing.h"
#include "gaggle/net/loop_testing.h"

namespace gaggle::transport {
namespace {

using namespace std::chrono_literals;
using http2::ErrorCode;

constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

std::string frame(http2::FrameType type, uint8_t flags, uint32_t stream, std::string_view payload) {
  std::string bytes(http2::kFrameHeaderBytes, '\0');
  http2::write_frame_header(
      reinterpret_cast<uint8_t*>(bytes.data()),
      {.length = static_cast<uint32_t>(payload.size()), .type = type, .flags = flags, .stream_id = stream});
  return bytes.append(payload);
}

std::string settings() { return frame(http2::FrameType::kSettings, 0, 0, ""); }
std::string settings_ack() { return frame(http2::FrameType::kSettings, http2::FrameFlag::kAck, 0, ""); }
// :method GET, :scheme http, :path / of the static table, and END_STREAM.
std::string get(uint32_t stream) { return frame(http2::FrameType::kHeaders, 0x5, stream, "\x82\x86\x84"); }

// Answers every request with `answer_bytes` of content.
class Answering final : public Handler {
 public:
  std::unique_ptr<Connection> connection;
  size_t answer_bytes = 10;
  bool answer = true;
  int requests = 0;
  int resets = 0;
  int closes = 0;
  int idle = 0;
  std::vector<int> requests_per_round;  // of each on_events_done that followed requests
  Status why;

  void on_headers(http2::Stream& stream, http2::HeaderBlockRef, bool) override {
    ++requests;
    ++fresh_;
    if (!answer) return;
    http2::Connection& engine = connection->http2();
    const http2::HeaderOut status[] = {{":status", "200", http2::HeaderName::kStatus}};
    static_cast<void>(engine.send_headers(stream, status, false));
    static_cast<void>(engine.send_data(stream, Bytes::copy_of(std::string(answer_bytes, 'a')), true));
    engine.release(stream);
  }
  void on_trailers(http2::Stream&, http2::HeaderBlockRef) override {}
  void on_data(http2::Stream&, std::span<const uint8_t>, bool) override {}
  void on_reset(http2::Stream& stream, ErrorCode, http2::ResetOrigin) override {
    ++resets;
    connection->http2().release(stream);
  }
  void on_writable(http2::Stream&) override {}
  void on_events_done() override {
    if (fresh_ != 0) requests_per_round.push_back(fresh_);
    fresh_ = 0;
  }
  void on_closed(const Status& reason) override {
    ++closes;
    why = reason;
  }
  void on_idle() override { ++idle; }

 private:
  int fresh_ = 0;
};

// A server's connection, and the other end of its pipe.
struct World {
  explicit World(Options wanted = {}, const PipeOptions& in = {}, const PipeOptions& out = {},
                 http2::Role role = http2::Role::kServer)
      : options(wanted) {
    const Loop::Enter enter(virtual_loop.loop);
    StreamPair pair = make_stream_pair(virtual_loop.loop, in, out);
    peer = std::move(pair.client);
    ours = pair.server.get();
    handler.connection = std::make_unique<Connection>(std::move(pair.server), role, options, handler, tallies);
    handler.connection->start();
    virtual_loop.settle();
  }

  void send(std::string_view bytes) {
    const Loop::Enter enter(virtual_loop.loop);
    while (!bytes.empty()) {
      const iovec piece{const_cast<char*>(bytes.data()), bytes.size()};
      const IoResult result = peer->write({&piece, 1});
      if (!result.is_done()) break;
      bytes.remove_prefix(result.bytes);
      virtual_loop.settle();
    }
    virtual_loop.settle();
  }
  void greet() { send(std::string(kPreface) + settings() + settings_ack()); }

  // What has arrived at the peer since it last looked; sets ended when the stream has.
  std::string read() {
    const Loop::Enter enter(virtual_loop.loop);
    std::string all;
    for (;;) {
      std::vector<uint8_t> buffer(65536);
      const IoResult result = peer->read(buffer);
      if (!result.is_done()) {
        ended |= result.kind == IoResult::Kind::kEof || result.kind == IoResult::Kind::kError;
        break;
      }
      all.append(buffer.begin(), buffer.begin() + static_cast<ptrdiff_t>(result.bytes));
      virtual_loop.settle();
    }
    return all;
  }
  // The error code of the GOAWAY in `bytes`, if there is one.
  static std::optional<ErrorCode> goaway_in(std::string_view bytes) {
    for (size_t at = 0; at + http2::kFrameHeaderBytes <= bytes.size();) {
      const auto* header = reinterpret_cast<const uint8_t*>(bytes.data()) + at;
      const http2::FrameHeader read = http2::read_frame_header(header);
      if (read.type == http2::FrameType::kGoaway) {
        return static_cast<ErrorCode>(http2::read_u32(header + http2::kFrameHeaderBytes + 4));
      }
      at += http2::kFrameHeaderBytes + read.length;
    }
    return std::nullopt;
  }

  VirtualLoop virtual_loop;
  Options options;
  http2::Tallies tallies;
  Answering handler;
  std::unique_ptr<PipeStream> peer;
  PipeStream* ours = nullptr;
  bool ended = false;
};

TEST(TransportConnection, answers_what_it_reads) {
  World world;
  world.greet();
  world.send(get(1));
  EXPECT_EQ(world.handler.requests, 1);
  EXPECT_NE(world.read().find(std::string(10, 'a')), std::string::npos);
}

TEST(TransportConnection, one_write_for_all_that_a_turn_has_produced) {
  World world;
  world.greet();
  world.read();
  const uint64_t before = world.ours->write_calls();
  world.send(get(1) + get(3) + get(5) + get(7));
  EXPECT_EQ(world.handler.requests, 4);
  EXPECT_EQ(world.ours->write_calls() - before, 1u);
}

TEST(TransportConnection, handlers_run_when_parsing_is_over) {
  Options options;
  options.http2.limits.new_requests_per_turn = 3;
  World world(options);
  world.greet();
  std::string burst;
  for (uint32_t id = 1; id < 16; id += 2) burst += get(id);
  world.send(burst);
  EXPECT_EQ(world.handler.requests_per_round, (std::vector<int>{3, 3, 2})) << "a turn takes its share, then others'";
}

TEST(TransportConnection, bytes_one_by_one_and_cut_everywhere) {  // [9] [10]
  const std::string all = std::string(kPreface) + settings() + settings_ack() + get(1) + get(3);
  for (size_t cut = 0; cut <= all.size(); ++cut) {
    World world;
    world.send(all.substr(0, cut));
    world.send(all.substr(cut));
    ASSERT_EQ(world.handler.requests, 2) << "cut at " << cut;
  }
  World dripping({}, {.max_read_bytes = 1});
  dripping.send(all);
  EXPECT_EQ(dripping.handler.requests, 2);
}

TEST(TransportConnection, partial_writes_are_resumed) {  // [15]
  for (const size_t at_once : {1u, 2u, 9u, 100u, 5000u}) {
    World world({}, {}, {.max_write_bytes = at_once, .capacity_bytes = 10'000});
    world.handler.answer_bytes = 50'000;
    world.greet();
    world.send(get(1));
    std::string all;
    for (int i = 0; i < 100; ++i) all += world.read();
    EXPECT_EQ(std::ranges::count(all, 'a'), 50'000) << "in pieces of " << at_once;
  }
}

TEST(TransportConnection, something_else_than_http2_is_told_goodbye_and_closed) {  // [1] [2] [202]
  for (const std::string_view garbage : {std::string_view("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
                                         std::string_view("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11),
                                         std::string_view("PRI * HTTP/2.0\r\n\r\nSMART\r\n")}) {
    World world;
    world.send(garbage);
    EXPECT_EQ(World::goaway_in(world.read()), ErrorCode::kProtocolError);
    EXPECT_TRUE(world.ended) << "our direction is closed, so the peer sees the end";
    EXPECT_EQ(world.handler.closes, 0) << "for a moment the peer may still read";
    world.virtual_loop.advance(2s);
    EXPECT_EQ(world.handler.closes, 1);
    EXPECT_EQ(world.handler.requests, 0);
  }
}

TEST(TransportConnection, a_truncated_preface_and_the_end_of_the_stream) {  // [3]
  World world;
  world.send(kPreface.substr(0, 10));
  {
    const Loop::Enter enter(world.virtual_loop.loop);
    world.peer->shutdown_write();
  }
  world.virtual_loop.settle();
  EXPECT_EQ(world.handler.closes, 1);
  EXPECT_EQ(world.handler.why.code(), StatusCode::kUnavailable);
}

TEST(TransportConnection, a_peer_that_never_greets_is_closed_after_ten_seconds) {  // [4]
  World world;
  world.virtual_loop.advance(9s);
  EXPECT_EQ(world.handler.closes, 0);
  EXPECT_FALSE(World::goaway_in(world.read()));
  world.virtual_loop.advance(3s);
  EXPECT_EQ(World::goaway_in(world.read()), ErrorCode::kProtocolError);
  EXPECT_EQ(world.handler.closes, 1);
}

TEST(TransportConnection, settings_that_are_never_acknowledged_end_it) {  // [7]
  World world;
  world.send(std::string(kPreface) + settings());
  world.virtual_loop.advance(59s);
  EXPECT_FALSE(World::goaway_in(world.read()));
  world.virtual_loop.advance(3s);
  EXPECT_EQ(World::goaway_in(world.read()), ErrorCode::kSettingsTimeout);
  EXPECT_EQ(world.handler.closes, 1);
}

TEST(TransportConnection, the_end_of_the_stream_resets_what_is_open) {  // [11]
  World world;
  world.handler.answer = false;
  world.greet();
  world.send(get(1) + get(3));
  {
    const Loop::Enter enter(world.virtual_loop.loop);
    world.peer->close();
  }
  world.virtual_loop.settle();
  EXPECT_EQ(world.handler.resets, 2);
  EXPECT_EQ(world.handler.closes, 1);
}

TEST(TransportConnection, a_broken_stream_closes_once) {  // [12]
  World world;
  world.handler.answer = false;
  world.greet();
  world.send(get(1));
  world.peer->break_connection();
  world.virtual_loop.advance(10s);
  EXPECT_EQ(world.handler.resets, 1);
  EXPECT_EQ(world.handler.closes, 1);
}

TEST(TransportConnection, a_peer_that_reads_nothing_is_closed_after_a_minute) {  // [13]
  World world({}, {}, {.capacity_bytes = 1000});
  world.handler.answer_bytes = 50'000;
  world.greet();
  world.send(get(1));
  world.virtual_loop.advance(59s);
  EXPECT_EQ(world.handler.closes, 0);
  {
    const Loop::Enter enter(world.virtual_loop.loop);
    std::vector<uint8_t> few(100);
    ASSERT_TRUE(world.peer->read(few).is_done()) << "a little progress, and the minute begins anew";
  }
  world.virtual_loop.settle();
  world.virtual_loop.advance(30s);
  EXPECT_EQ(world.handler.closes, 0);
  world.virtual_loop.advance(31s);
  EXPECT_EQ(world.handler.closes, 1);
  EXPECT_EQ(world.handler.connection->counters().write_timeouts, 1u);
}

TEST(TransportConnection, a_peer_that_makes_us_answer_and_never_reads_is_not_read_either) {  // [79]
  World world({}, {}, {.capacity_bytes = 500});
  world.greet();
  std::string pings;
  for (int i = 0; i < 20'000; ++i) pings += frame(http2::FrameType::kPing, 0, 0, "12345678");
  world.send(pings);
  EXPECT_LT(world.handler.connection->http2().unsent_bytes(), size_t{100'000}) << "bounded, whatever it sends";
}

TEST(TransportConnection, a_drain_ends_when_the_peer_answers_the_ping_and_streams_are_done) {
  World world;
  world.handler.answer = false;
  world.greet();
  world.send(get(1));
  world.read();
  {
    const Loop::Enter enter(world.virtual_loop.loop);
    world.handler.connection->drain();
  }
  world.virtual_loop.settle();
  EXPECT_EQ(World::goaway_in(world.read()), ErrorCode::kNoError);
  world.virtual_loop.advance(6s);
  EXPECT_EQ(World::goaway_in(world.read()), ErrorCode::kNoError) << "the second one doesn't wait for ever";
  EXPECT_EQ(world.handler.closes, 0) << "a stream is open";
  world.send(frame(http2::FrameType::kRstStream, 0, 1, std::string_view("\0\0\0\x8", 4)));
  world.virtual_loop.advance(2s);
  EXPECT_EQ(world.handler.closes, 1);
}

TEST(TransportConnection, close_tells_streams_and_owner_once) {
  World world;
  world.handler.answer = false;
  world.greet();
  world.send(get(1));
  {
    const Loop::Enter enter(world.virtual_loop.loop);
    world.handler.connection->close(Status::cancelled("enough"));
    world.handler.connection->close(Status::cancelled("again"));
  }
  EXPECT_EQ(world.handler.closes, 0) << "at the end of the turn, never inside close()";
  world.virtual_loop.settle();
  EXPECT_EQ(world.handler.closes, 1);
  EXPECT_EQ(world.handler.resets, 1);
  EXPECT_EQ(world.handler.why.message(), "enough");
}

TEST(TransportConnection, quiet_gives_memory_back) {
  World world;
  world.greet();
  for (uint32_t id = 1; id < 100; id += 2) world.send(get(id));
  world.read();
  world.virtual_loop.settle();
  const size_t busy = world.handler.connection->http2().memory_bytes();
  world.virtual_loop.advance(1s);
  EXPECT_EQ(world.handler.idle, 1);
  EXPECT_LT(world.handler.connection->http2().memory_bytes(), busy);
  world.send(get(101));
  EXPECT_EQ(world.handler.requests, 51) << "and it works again when asked";
}

TEST(TransportConnection, its_own_size_is_small) { EXPECT_LE(sizeof(Connection) - sizeof(http2::Connection), 224u); }

// --- Keepalive ---

Options with_keepalive(bool without_stream) {
  Options options;
  options.keepalive = {.time = 30s, .timeout = 10s, .permit_without_stream = without_stream};
  return options;
}

TEST(TransportKeepalive, a_silent_peer_is_asked_and_then_closed) {
  World world(with_keepalive(true));
  world.greet();
  world.read();
  world.virtual_loop.advance(29s);
  EXPECT_EQ(world.handler.connection->counters().keepalive_pings, 0u);
  world.virtual_loop.advance(2s);
  EXPECT_EQ(world.handler.connection->counters().keepalive_pings, 1u);
  world.virtual_loop.advance(8s);
  EXPECT_EQ(world.handler.closes, 0);
  world.virtual_loop.advance(2s);
  EXPECT_EQ(world.handler.closes, 1);
  EXPECT_EQ(world.handler.connection->counters().keepalive_timeouts, 1u);
}

TEST(TransportKeepalive, any_sign_of_life_will_do) {
  World world(with_keepalive(true));
  world.greet();
  for (int i = 0; i < 10; ++i) {
    world.virtual_loop.advance(35s);
    world.send(frame(http2::FrameType::kWindowUpdate, 0, 0, std::string_view("\0\0\0\1", 4)));
  }
  EXPECT_EQ(world.handler.closes, 0);
}

TEST(TransportKeepalive, without_streams_it_keeps_quiet_unless_told) {
  World world(with_keepalive(false));
  world.handler.answer = false;
  world.greet();
  world.virtual_loop.advance(10min);
  EXPECT_EQ(world.handler.connection->counters().keepalive_pings, 0u);
  world.send(get(1));
  world.virtual_loop.advance(31s);
  EXPECT_EQ(world.handler.connection->counters().keepalive_pings, 1u) << "now a stream is open";
}

}  // namespace
}  // namespace gaggle::transport
