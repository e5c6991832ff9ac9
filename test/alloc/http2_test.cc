// SPDX-License-Identifier: Apache-2.0
//
// In steady state a unary call costs the engine no allocation, on either end.
#include <gtest/gtest.h>

#include <cstring>

#include "counting_allocator.h"
#include "gaggle/http2/connection.h"
#include "gaggle/http2/frames_testing.h"

namespace gaggle::http2 {
namespace {

const PreparedHeaders& of_request() {
  static const PreparedHeaders fields(
      0, {{.name = ":method", .value = "POST", .id = HeaderName::kMethod},
          {.name = ":scheme", .value = "http", .id = HeaderName::kScheme},
          {.name = ":path", .value = "/groupcachepb.GroupCache/Get", .id = HeaderName::kPath},
          {.name = "content-type", .value = "application/grpc", .id = HeaderName::kContentType},
          {.name = "te", .value = "trailers", .id = HeaderName::kTe}});
  return fields;
}
const PreparedHeaders& of_response() {
  static const PreparedHeaders fields(
      1, {{.name = ":status", .value = "200", .id = HeaderName::kStatus},
          {.name = "content-type", .value = "application/grpc", .id = HeaderName::kContentType}});
  return fields;
}
const PreparedHeaders& of_trailers() {
  static const PreparedHeaders fields(2, {{.name = "grpc-status", .value = "0", .id = HeaderName::kGrpcStatus}});
  return fields;
}

// Two connections, each the other's peer.
class End final : public Events {
 public:
  End(Role role) : connection(role, options, *this, tallies) { connection.start(TimePoint{}); }
  void on_headers(Stream&, HeaderBlockRef, bool) override {}
  void on_trailers(Stream& stream, HeaderBlockRef) override {
    ++completed;
    connection.release(stream);
  }
  void on_data(Stream& stream, std::span<const uint8_t> content, bool end_stream) override {
    connection.consume(stream, content.size());
    connection.message_completed(stream);
    if (end_stream) answer(stream);
  }
  void on_reset(Stream& stream, ErrorCode, ResetOrigin) override { connection.release(stream); }
  void on_writable(Stream&) override {}

  void request(size_t bytes) {
    Stream* const stream = connection.open_stream();
    ASSERT_NE(stream, nullptr);
    ASSERT_EQ(connection.send_headers(*stream, of_request(), {}, false), SendResult::kOk);
    write(*stream, bytes, true);
  }
  void answer(Stream& stream) {
    ASSERT_EQ(connection.send_headers(stream, of_response(), {}, false), SendResult::kOk);
    write(stream, answer_bytes, false);
    ASSERT_EQ(connection.send_trailers(stream, of_trailers(), {}), SendResult::kOk);
    connection.release(stream);
  }
  void write(Stream& stream, size_t bytes, bool end_stream) {
    if (uint8_t* const place = connection.reserve_data(stream, bytes, end_stream)) {
      std::memset(place, 'x', bytes);
      return;
    }
    ASSERT_NE(connection.send_data(stream, Bytes::unowned({kContent, bytes}), end_stream), SendResult::kEnded);
  }
  void pass_to(End& other) {
    while (connection.wants_write()) {
      iovec parts[64];
      const size_t count = connection.gather(parts);
      size_t bytes = 0;
      for (size_t i = 0; i < count; ++i) {
        other.connection.receive({static_cast<const uint8_t*>(parts[i].iov_base), parts[i].iov_len}, TimePoint{});
        bytes += parts[i].iov_len;
      }
      connection.written(bytes);
    }
  }

  static constexpr char kContent[40'000] = {};
  const Options options;
  Tallies tallies;
  Connection connection;
  size_t answer_bytes = 32;
  uint64_t completed = 0;
};

uint64_t allocations_per_thousand_calls(size_t answer_bytes) {
  End client(Role::kClient);
  End server(Role::kServer);
  server.answer_bytes = answer_bytes;
  const auto turn = [&] {
    server.connection.begin_turn();
    for (int i = 0; i < 10; ++i) client.request(32);
    client.pass_to(server);
    server.pass_to(client);
    client.pass_to(server);
  };
  for (int i = 0; i < 50; ++i) turn();
  const uint64_t before = allocations_of_this_thread();
  for (int i = 0; i < 100; ++i) turn();
  const uint64_t after = allocations_of_this_thread();
  EXPECT_EQ(client.completed, 1500u);
  EXPECT_EQ(server.connection.open_streams(), 0u);
  EXPECT_EQ(server.connection.counters().abuse_charges, 0u) << "an honest client is charged nothing";
  return after - before;
}

TEST(Allocation, none_for_small_calls) { EXPECT_EQ(allocations_per_thousand_calls(32), 0u); }
TEST(Allocation, none_for_answers_that_are_shared) { EXPECT_EQ(allocations_per_thousand_calls(10'000), 0u); }
TEST(Allocation, none_for_answers_of_several_frames) { EXPECT_EQ(allocations_per_thousand_calls(40'000), 0u); }

}  // namespace
}  // namespace gaggle::http2
