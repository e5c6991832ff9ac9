// SPDX-License-Identifier: Apache-2.0
//
// What goes through a TLS connection, how it ends and what it costs; in memory, on virtual time.
#include "gaggle/net/tls_stream.h"

#include <gtest/gtest.h>
#include <malloc.h>

#include <string>
#include <vector>

#include "gaggle/net/tls_world_testing.h"

namespace gaggle {
namespace {

using namespace std::chrono_literals;
using World = TlsWorld;

// --- Bytes ---

TEST(TlsStreamTest, bytes_arrive_whole_however_they_are_cut) {  // [198]
  std::string sent;
  for (int i = 0; i < 300'000; ++i) sent.push_back(static_cast<char>(i * 7 + i / 256));
  for (const size_t cut : {size_t{1}, size_t{1000}, size_t{17'000}, SIZE_MAX}) {
    World world;
    world.down.max_read_bytes = cut;
    world.down.max_write_bytes = cut == 1 ? 5000 : cut;
    world.connect();
    ASSERT_TRUE(world.client_status) << world.client_status.to_string();
    std::string got;
    std::string_view left = std::string_view(sent).substr(0, cut == 1 ? 40'000 : sent.size());
    const size_t whole = left.size();
    while (got.size() < whole) {
      const IoResult result = put(*world.server, left);
      if (result.is_done()) left.remove_prefix(result.bytes);
      const size_t before = got.size();
      got += world.read_all(*world.client, cut == 1000 ? 100 : 64 * 1024);
      ASSERT_TRUE(result.is_done() || got.size() > before) << "neither end moves";
    }
    EXPECT_TRUE(got == sent.substr(0, whole)) << "cut at " << cut;
  }
}

TEST(TlsStreamTest, small_pieces_share_records_and_leave_in_one_write) {
  World world;
  world.connect();
  std::vector<std::string> texts(60, std::string(1000, 'x'));
  std::vector<iovec> pieces;
  for (std::string& text : texts) pieces.push_back({text.data(), text.size()});
  const uint64_t writes = world.client_pipe->write_calls();
  const uint64_t bytes = world.client_pipe->bytes_written();
  EXPECT_EQ(world.client->write(pieces).bytes, 60'000u);
  EXPECT_EQ(world.client_pipe->write_calls() - writes, 1u);
  EXPECT_LT(world.client_pipe->bytes_written() - bytes, 60'000u + 4 * 64) << "four records, not sixty";
  EXPECT_EQ(world.read_all(*world.server).size(), 60'000u);
}

TEST(TlsStreamTest, what_a_full_peer_did_not_take_leaves_later_and_the_writer_hears_of_it) {
  World world;
  world.down.capacity_bytes = 20'000;
  world.connect();
  EXPECT_EQ(put(*world.server, std::string(100'000, 'y')).bytes, 100'000u) << "one write is taken";
  EXPECT_EQ(put(*world.server, "z").kind, IoResult::Kind::kWouldBlock) << "but not a second";
  Told writable;
  world.server->wait_writable(writable);
  world.time.settle();
  EXPECT_EQ(writable.times, 0);
  EXPECT_EQ(world.read_all(*world.client).size(), 100'000u);
  EXPECT_EQ(writable.times, 1);
  EXPECT_EQ(put(*world.server, "z").bytes, 1u);
  EXPECT_EQ(world.read_all(*world.client), "z");
}

TEST(TlsStreamTest, a_reader_hears_of_bytes_that_are_decrypted_already) {
  World world;
  world.connect();
  put(*world.server, std::string(5000, 'a'));
  world.time.settle();
  std::string small(10, '\0');
  Told readable;
  world.client->wait_readable(readable);
  EXPECT_EQ(readable.times, 0) << "never from within the call";
  world.time.settle();
  EXPECT_EQ(readable.times, 1);
  EXPECT_EQ(world.client->read(bytes_of(small)).bytes, 10u);
  world.client->wait_readable(readable);
  world.time.settle();
  EXPECT_EQ(readable.times, 2) << "the pipe is empty, but the record isn't";
  EXPECT_EQ(world.read_all(*world.client).size(), 4990u);
  world.client->wait_readable(readable);
  world.time.settle();
  EXPECT_EQ(readable.times, 2);
}

TEST(TlsStreamTest, a_reader_of_half_a_record_waits_and_does_not_spin) {
  World world;
  world.connect();
  EXPECT_EQ(world.read_all(*world.client), "");
  world.server_pipe->hold_writes(true);
  put(*world.server, std::string(5000, 'a'));
  world.server_pipe->hold_writes(false);
  // Only the first bytes of the record are there.
  world.client_pipe->hold_writes(false);
  std::string piece(64, '\0');
  EXPECT_EQ(world.client_pipe->read(bytes_of(piece)).kind, IoResult::Kind::kDone);
  // What was taken away breaks the record: the reader sees an error, not good bytes.
  EXPECT_EQ(world.read_all(*world.client), "");
  EXPECT_EQ(world.last, IoResult::Kind::kError);
}

// --- Ends ---

TEST(TlsStreamTest, close_notify_is_the_end) {
  World world;
  world.connect();
  put(*world.server, "last words");
  world.server->shutdown_write();
  EXPECT_EQ(world.read_all(*world.client), "last words");
  EXPECT_EQ(world.last, IoResult::Kind::kEof);
  EXPECT_EQ(put(*world.client, "answer").bytes, 6u) << "the other direction goes on";
  EXPECT_EQ(world.read_all(*world.server), "answer");
}

TEST(TlsStreamTest, shutdown_waits_for_what_was_written) {
  World world;
  world.down.capacity_bytes = 10'000;
  world.connect();
  put(*world.server, std::string(50'000, 'x'));
  world.server->shutdown_write();
  EXPECT_EQ(world.read_all(*world.client).size(), 50'000u);
  EXPECT_EQ(world.last, IoResult::Kind::kEof);
}

TEST(TlsStreamTest, an_end_without_close_notify_is_an_error) {  // [199]
  World world;
  world.connect();
  put(*world.server, "half a mess");
  world.server_pipe->shutdown_write();
  EXPECT_EQ(world.read_all(*world.client), "half a mess");
  EXPECT_EQ(world.last, IoResult::Kind::kError);
  EXPECT_TRUE(mentions(world.last_error, "without close_notify")) << world.last_error.to_string();
}

TEST(TlsStreamTest, a_byte_that_was_changed_on_the_way_is_an_error) {
  World world;
  world.make_contexts();
  world.connect();
  EXPECT_EQ(world.read_all(*world.client), "");
  put(*world.server_pipe, std::string("\x17\x03\x03\x00\x20", 5) + std::string(32, 'x'));
  EXPECT_EQ(world.read_all(*world.client), "");
  EXPECT_EQ(world.last, IoResult::Kind::kError);
  EXPECT_EQ(put(*world.client, "more").kind, IoResult::Kind::kError) << "and it stays one";
}

TEST(TlsStreamTest, a_record_larger_than_any_is_an_error) {
  World world;
  world.connect();
  EXPECT_EQ(world.read_all(*world.client), "");
  put(*world.server_pipe, std::string("\x17\x03\x03\xff\xff", 5) + std::string(65'535, 'x'));
  EXPECT_EQ(world.read_all(*world.client), "");
  EXPECT_EQ(world.last, IoResult::Kind::kError);
}

TEST(TlsStreamTest, endless_empty_records_do_not_keep_a_reader_busy) {  // [198]
  World world;
  RawTlsPeer peer(TLS_client_method());
  const std::unique_ptr<PipeStream> client = world.accept(peer);
  ASSERT_TRUE(world.server_status) << world.server_status.to_string();
  // OpenSSL refuses to write them; new keys again and again are as empty.
  for (int i = 0; i < 100; ++i) {
    SSL_key_update(peer.ssl(), SSL_KEY_UPDATE_NOT_REQUESTED);
    peer.step();
  }
  put(*client, peer.give());
  EXPECT_EQ(world.read_all(*world.server), "");
  EXPECT_NE(world.last, IoResult::Kind::kDone);
}

// grpc++ sends no alert when it refuses a client for its certificate, or for having none.
TEST(TlsStreamTest, an_end_right_after_the_handshake_says_so_and_names_the_usual_reason) {
  World world;
  world.connect();
  ASSERT_TRUE(world.client_status);
  world.read_all(*world.client);  // tickets
  world.server_pipe->close();
  EXPECT_EQ(world.read_all(*world.client), "");
  EXPECT_EQ(world.last, IoResult::Kind::kError);
  EXPECT_TRUE(mentions(world.last_error, "closed the connection right after the handshake"))
      << "that OpenSSL's complaint found nobody isn't the reason: " << world.last_error.to_string();
  EXPECT_TRUE(mentions(world.last_error, "it may want a client certificate")) << world.last_error.to_string();

  World hasty;
  hasty.connect();
  hasty.server_pipe->close();
  const IoResult written = put(*hasty.client, "hello");
  EXPECT_EQ(written.kind, IoResult::Kind::kError);
  EXPECT_TRUE(mentions(written.error, "right after the handshake")) << "a writer, too: " << written.error.to_string();
}

TEST(TlsStreamTest, a_write_to_a_peer_that_left_without_a_word_says_that_it_is_gone) {
  World world;
  world.connect();
  ASSERT_TRUE(world.client_status);
  put(*world.server, "the last words, which aren't why");
  world.server_pipe->close();
  const IoResult written = put(*world.client, "hello");
  EXPECT_EQ(written.kind, IoResult::Kind::kError);
  EXPECT_TRUE(mentions(written.error, "broken pipe")) << written.error.to_string();
}

TEST(TlsStreamTest, a_lost_connection_says_so) {
  World world;
  world.connect();
  world.client_pipe->break_connection(Status::unavailable("connection reset by peer"));
  EXPECT_EQ(world.read_all(*world.client), "");
  EXPECT_TRUE(mentions(world.last_error, "reset by peer"));
  EXPECT_EQ(put(*world.server, "x").kind, IoResult::Kind::kError);
}

// --- Cost ---

TEST(TlsStreamTest, handshakes_take_turns) {
  World world;
  world.make_contexts();
  constexpr size_t kClients = 10;
  TurnGate gate(world.time.loop, 2);
  std::vector<std::unique_ptr<TaskRecord<SecuredStream>>> records;
  std::vector<std::unique_ptr<PipeStream>> clients;
  for (size_t i = 0; i < kClients; ++i) {
    const Loop::Enter enter(world.time.loop);
    StreamPair pair = make_stream_pair(world.time.loop);
    records.push_back(std::make_unique<TaskRecord<SecuredStream>>());
    Task<SecuredStream> task = tls_accept(std::move(pair.server), world.server_context, gate, world.context);
    start(std::move(task), *records.back(), world.context);
    put(*pair.client, "no TLS at all");
    clients.push_back(std::move(pair.client));
  }
  world.time.settle();
  EXPECT_EQ(gate.delayed(), kClients - 2) << "two in the first turn";
  world.time.advance(3s);
  for (const auto& record : records) {
    ASSERT_TRUE(record->ended()) << "and the others later";
    EXPECT_FALSE(record->take());
  }
}

TEST(TlsStreamTest, an_idle_connection_holds_little) {
  std::vector<std::unique_ptr<World>> worlds;
  World first;  // what OpenSSL makes once
  first.connect();
  constexpr size_t kConnections = 20;
  std::vector<std::unique_ptr<ByteStream>> kept;
  const size_t before = mallinfo2().uordblks;
  for (size_t i = 0; i < kConnections; ++i) {
    first.connect();
    ASSERT_TRUE(first.client_status && first.server_status);
    put(*first.server, std::string(30'000, 'x'));
    ASSERT_EQ(first.read_all(*first.client).size(), 30'000u);
    put(*first.client, "y");
    ASSERT_EQ(first.read_all(*first.server), "y");
    kept.push_back(std::move(first.client));
    kept.push_back(std::move(first.server));
  }
  const size_t after = mallinfo2().uordblks;
  const size_t each = (after - before) / kept.size();
  RecordProperty("bytes_per_idle_connection", static_cast<int>(each));
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  EXPECT_LT(each, 20u * 1024) << "two record buffers alone would be 34 KiB";
#endif
}

}  // namespace
}  // namespace gaggle
