// SPDX-License-Identifier: Apache-2.0
//
// The stream in memory keeps ByteStream's promises; other folders' tests rely on it.
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "gaggle/net/byte_stream_testing.h"
#include "gaggle/net/loop_testing.h"

namespace gaggle {
namespace {

using std::chrono::milliseconds;

struct WakeUp final : Waiter {
  void on_ready() noexcept override { ++calls; }
  int calls = 0;
};

IoResult write(ByteStream& stream, std::string_view text) {
  const iovec piece{const_cast<char*>(text.data()), text.size()};
  return stream.write({&piece, 1});
}
std::string read(ByteStream& stream, size_t at_most = 1000) {
  std::string buffer(at_most, '\0');
  const IoResult result = stream.read({reinterpret_cast<uint8_t*>(buffer.data()), buffer.size()});
  switch (result.kind) {
    case IoResult::Kind::kDone: return buffer.substr(0, result.bytes);
    case IoResult::Kind::kWouldBlock: return "<nothing>";
    case IoResult::Kind::kEof: return "<eof>";
    case IoResult::Kind::kError: return "<" + std::string(result.error.message()) + ">";
  }
  return "";
}

TEST(PipeStream, carries_bytes_and_the_end) {
  VirtualLoop world;
  StreamPair pair = make_stream_pair(world.loop);
  EXPECT_EQ(read(*pair.server), "<nothing>");
  EXPECT_EQ(write(*pair.client, "hello").bytes, 5u);
  EXPECT_EQ(read(*pair.server, 2), "he");
  pair.client->shutdown_write();
  EXPECT_EQ(read(*pair.server), "llo") << "what was written comes before the end";
  EXPECT_EQ(read(*pair.server), "<eof>");
  write(*pair.server, "still here");
  EXPECT_EQ(read(*pair.client), "still here");
}

TEST(PipeStream, wakes_its_waiter_later_and_once) {
  VirtualLoop world;
  StreamPair pair = make_stream_pair(world.loop);
  WakeUp ready;
  pair.server->wait_readable(ready);
  world.settle();
  EXPECT_EQ(ready.calls, 0);
  write(*pair.client, "x");
  write(*pair.client, "y");
  EXPECT_EQ(ready.calls, 0) << "never inside a write";
  world.settle();
  EXPECT_EQ(ready.calls, 1);
  pair.server->wait_readable(ready);
  EXPECT_EQ(ready.calls, 1) << "never inside the wait, though there is something to read";
  pair.server->cancel_waits();
  world.settle();
  EXPECT_EQ(ready.calls, 1);
}

TEST(PipeStream, cuts_reads_and_writes_as_told) {
  VirtualLoop world;
  StreamPair pair = make_stream_pair(world.loop, {.max_read_bytes = 1, .max_write_bytes = 3, .capacity_bytes = 4});
  EXPECT_EQ(write(*pair.client, "abcdef").bytes, 3u);
  EXPECT_EQ(write(*pair.client, "def").bytes, 1u);
  EXPECT_EQ(write(*pair.client, "ef").kind, IoResult::Kind::kWouldBlock);
  WakeUp room;
  pair.client->wait_writable(room);
  world.settle();
  EXPECT_EQ(room.calls, 0);
  EXPECT_EQ(read(*pair.server), "a");
  world.settle();
  EXPECT_EQ(room.calls, 1);
  EXPECT_EQ(read(*pair.server), "b");
}

TEST(PipeStream, delays_bytes_and_the_end) {
  VirtualLoop world;
  StreamPair pair = make_stream_pair(world.loop, {.delay = milliseconds{10}});
  WakeUp ready;
  pair.server->wait_readable(ready);
  write(*pair.client, "late");
  pair.client->close();
  world.advance(milliseconds{9});
  EXPECT_EQ(read(*pair.server), "<nothing>");
  world.advance(milliseconds{1});
  EXPECT_EQ(ready.calls, 1);
  EXPECT_EQ(read(*pair.server), "late");
  EXPECT_EQ(read(*pair.server), "<eof>");
}

TEST(PipeStream, breaks_and_falls_silent) {
  VirtualLoop world;
  StreamPair pair = make_stream_pair(world.loop);
  pair.client->hold_writes(true);
  write(*pair.client, "held");
  world.advance(milliseconds{1000});
  EXPECT_EQ(read(*pair.server), "<nothing>");
  pair.client->hold_writes(false);
  EXPECT_EQ(read(*pair.server), "held");
  WakeUp ready;
  pair.server->wait_readable(ready);
  pair.client->break_connection();
  world.settle();
  EXPECT_EQ(ready.calls, 1) << "an error is worth another try";
  EXPECT_EQ(read(*pair.server), "<connection reset>");
  EXPECT_EQ(write(*pair.server, "x").kind, IoResult::Kind::kError);
}

TEST(PipeStream, an_end_that_is_gone_is_an_error_for_the_writer) {
  VirtualLoop world;
  StreamPair pair = make_stream_pair(world.loop);
  WakeUp ready;
  pair.server->wait_readable(ready);
  pair.server.reset();
  world.settle();
  EXPECT_EQ(ready.calls, 0) << "a closed stream calls nobody";
  EXPECT_EQ(write(*pair.client, "x").kind, IoResult::Kind::kError);
  EXPECT_EQ(read(*pair.client), "<eof>");
}

}  // namespace
}  // namespace gaggle
