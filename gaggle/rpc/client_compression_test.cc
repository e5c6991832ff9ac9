// SPDX-License-Identifier: Apache-2.0
//
// Compression as a server sees the client: gRPC's compression.md, one test per rule.
#include <gtest/gtest.h>

#include "gaggle/rpc/client_testing.h"
#include "gaggle/rpc/compressor_testing.h"

namespace gaggle {
namespace {

const std::string kLong(1000, 'l');

std::vector<http2::HeaderOut> encoding(std::string_view name) { return {{"grpc-encoding", name}}; }

TEST(ClientCompression, says_what_it_understands_and_sends_plainly_by_default) {
  ClientWorld world;
  world.connect();
  UnaryRun call(world, Context{}, kLong);
  world.settle();
  EXPECT_EQ(world.request().header("grpc-accept-encoding"), "identity,gzip,deflate,zstd");
  EXPECT_FALSE(world.request().has_header("grpc-encoding"));
  EXPECT_EQ(wire_messages(world.request().body), (std::vector<WireMessage>{{0, kLong}}));
}

TEST(ClientCompression, compresses_per_call) {
  for (const char* name : {"gzip", "deflate", "zstd"}) {
    ClientWorld world;
    world.connect();
    UnaryRun call(world, Context{}, kLong, {.compressor = name});
    world.settle();
    EXPECT_EQ(world.request().header("grpc-encoding"), name);
    const WireMessage sent = wire_messages(world.request().body).at(0);
    EXPECT_EQ(sent.flag, 1);
    EXPECT_EQ(decompressed(name, sent.content), kLong);
  }
}

TEST(ClientCompression, a_connection_has_a_default_that_a_call_replaces) {
  ClientWorld world;
  ClientConnOptions options;
  options.call_defaults.compressor = "gzip";
  world.connect(options);
  UnaryRun first(world, Context{}, kLong);
  UnaryRun second(world, Context{}, kLong, {.compressor = "zstd"});
  UnaryRun third(world, Context{}, kLong, {.compressor = "identity"});
  world.settle();
  EXPECT_EQ(world.request(0).header("grpc-encoding"), "gzip");
  EXPECT_EQ(world.request(1).header("grpc-encoding"), "zstd");
  EXPECT_FALSE(world.request(2).has_header("grpc-encoding"));
  EXPECT_EQ(wire_messages(world.request(2).body).at(0).flag, 0);
}

TEST(ClientCompression, what_it_would_not_shorten_travels_as_it_is) {
  ClientWorld world;
  world.connect();
  UnaryRun small(world, Context{}, "short", {.compressor = "gzip"});
  UnaryRun empty(world, Context{}, "", {.compressor = "gzip"});
  world.settle();
  EXPECT_EQ(wire_messages(world.request(0).body), (std::vector<WireMessage>{{0, "short"}}));
  EXPECT_EQ(wire_messages(world.request(1).body), (std::vector<WireMessage>{{0, ""}}));
}

TEST(ClientCompression, an_unknown_compressor_fails_the_call_here) {
  ClientWorld world;
  world.connect();
  UnaryRun call(world, Context{}, kLong, {.compressor = "snappy"});
  world.settle();
  ASSERT_TRUE(call.done());
  EXPECT_EQ(call.status().code(), StatusCode::kInternal);
  EXPECT_TRUE(world.network.dialled.empty()) << "nothing was sent";
}

TEST(ClientCompression, answers_are_decompressed_whatever_the_request_was) {
  for (const char* name : {"gzip", "deflate", "zstd"}) {
    ClientWorld world;
    world.connect();
    bool was_compressed = false;
    UnaryRun call(world, Context{}, "ask", {.received_compressed = &was_compressed});
    world.settle();
    world.server().send_headers(world.request(), encoding(name));
    world.server().send_raw(world.request(), compressed_message(name, kLong));
    world.server().send_trailers(world.request(), "0");
    world.settle();
    ASSERT_TRUE(call.done());
    const Status status = call.status();
    EXPECT_TRUE(status.is_ok()) << status.to_string();
    EXPECT_EQ(call.response.view(), kLong);
    EXPECT_TRUE(was_compressed);
  }
}

// What an answer with these headers and this content makes of a unary call.
Status status_of_answer(std::string_view encoding_name, const std::string& content, CallOptions options = {}) {
  ClientWorld world;
  world.connect();
  UnaryRun call(world, Context{}, "ask", options);
  world.settle();
  world.server().send_headers(world.request(),
                              encoding_name.empty() ? std::vector<http2::HeaderOut>{} : encoding(encoding_name));
  world.server().send_raw(world.request(), content);
  if (!world.request().reset) world.server().send_trailers(world.request(), "0");
  world.settle();
  return call.done() ? call.status() : Status::unknown("not done");
}

TEST(ClientCompression, bad_answers_are_errors) {
  EXPECT_EQ(status_of_answer("gzip", wire_bytes({0, "plain"})).code(), StatusCode::kOk) << "the flag decides";
  EXPECT_EQ(status_of_answer("gzip", wire_bytes({1, ""})).code(), StatusCode::kOk) << "nothing is nothing";
  EXPECT_EQ(status_of_answer("snappy", wire_bytes({0, "plain"})).code(), StatusCode::kOk) << "not used";
  EXPECT_EQ(status_of_answer("", compressed_message("gzip", kLong)).code(), StatusCode::kInternal);  // [140]
  EXPECT_EQ(status_of_answer("identity", compressed_message("gzip", kLong)).code(), StatusCode::kInternal);
  for (const int flag : {2, 3, 255}) {  // [141]
    EXPECT_EQ(status_of_answer("gzip", wire_bytes({flag, "x"})).code(), StatusCode::kInternal);
  }
  EXPECT_EQ(status_of_answer("gzip", wire_bytes({1, "no gzip"})).code(), StatusCode::kInternal);  // [146]
  const Status unknown = status_of_answer("snappy", wire_bytes({1, "x"}));
  EXPECT_EQ(unknown.code(), StatusCode::kInternal);  // compression.md: INTERNAL at the client
  EXPECT_NE(unknown.message().find("snappy"), std::string_view::npos) << unknown.message();
}

TEST(ClientCompression, a_bomb_ends_at_the_calls_limit) {  // [145]
  const std::string bomb = compressed_message("zstd", std::string(size_t{16} << 20, 'b'));
  ASSERT_LT(bomb.size(), 10'000u);
  EXPECT_EQ(status_of_answer("zstd", bomb, {.max_receive_bytes = 10'000}).code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(status_of_answer("zstd", bomb).code(), StatusCode::kResourceExhausted) << "4 MiB is the default";
  EXPECT_EQ(status_of_answer("zstd", bomb, {.max_receive_bytes = size_t{16} << 20}).code(), StatusCode::kOk);
}

// An open stream on a scripted server.
struct CompressedStream : ClientWorld {
  std::unique_ptr<ClientStream> stream;
  bool was_compressed = false;

  explicit CompressedStream(const StreamDesc& desc) {
    connect();
    Running<Result<std::unique_ptr<ClientStream>>> opening(
        *this, conn->new_stream({}, desc, "/test.Service/Stream",
                                {.compressor = "gzip", .received_compressed = &was_compressed}));
    settle();
    auto opened = opening.take();
    EXPECT_TRUE(opened);
    stream = std::move(*opened);
    settle();
  }
  ~CompressedStream() {
    stream.reset();
    settle();
  }
  void send(std::string_view text, SendOptions options = {}) {
    const Bytes message = Bytes::copy_of(text);
    Task<Result<bool>> task = stream->send(message_of(message), options);
    const Result<bool> sent = time.run(std::move(task));
    EXPECT_TRUE(sent && *sent);
  }
  // "+text": came compressed, "-text": didn't.
  std::string recv() {
    Bytes message;
    Task<Result<bool>> task = stream->recv(message_of(message));
    Result<bool> more = time.run(std::move(task));
    if (!more) return more.error().to_string();
    return *more ? (was_compressed ? "+" : "-") + std::string(message.view()) : "(end)";
  }
};

TEST(ClientCompression, streams_compress_message_by_message) {
  CompressedStream world(kBidiStream);
  world.send(kLong);
  world.send(kLong, {.compress = false});
  world.settle();
  EXPECT_EQ(world.request().header("grpc-encoding"), "gzip");
  world.server().send_headers(world.request());
  world.settle();
  world.send(kLong);  // once the server has answered, nothing is kept for a retry: another way through the code
  world.send(kLong, {.compress = false});
  world.settle();
  std::vector<int> flags;
  for (const WireMessage& message : wire_messages(world.request().body)) {
    flags.push_back(message.flag);
    EXPECT_EQ(message.flag == 1 ? decompressed("gzip", message.content) : message.content, kLong);
  }
  EXPECT_EQ(flags, (std::vector<int>{1, 0, 1, 0}));
}

TEST(ClientCompression, streams_receive_compressed_and_plain_messages) {
  CompressedStream world(kBidiStream);
  world.server().send_headers(world.request(), encoding("deflate"));
  world.server().send_raw(world.request(), compressed_message("deflate", "one") + wire_bytes({0, "two"}));
  world.settle();
  EXPECT_EQ(world.recv(), "+one");
  EXPECT_EQ(world.recv(), "-two");
  world.server().send_raw(world.request(), compressed_message("deflate", "three"));
  world.server().send_trailers(world.request(), "0");
  world.settle();
  EXPECT_EQ(world.recv(), "+three");
  EXPECT_EQ(world.recv(), "(end)");
}

TEST(ClientCompression, the_only_answer_of_a_client_stream_is_decompressed) {
  CompressedStream world(kClientStream);
  world.server().send_headers(world.request(), encoding("zstd"));
  world.server().send_raw(world.request(), compressed_message("zstd", kLong));
  world.server().send_trailers(world.request(), "0");
  world.settle();
  EXPECT_EQ(world.recv(), "+" + kLong);
}

TEST(ClientCompression, what_is_sent_again_is_compressed_the_same) {
  ClientWorld world;
  world.connect();
  UnaryRun call(world, Context{}, kLong, {.compressor = "gzip"});
  world.settle();
  world.server().reset(world.request(0), http2::ErrorCode::kRefusedStream);
  world.settle();
  ASSERT_EQ(world.server().requests.size(), 2u) << "a transparent retry";
  EXPECT_EQ(world.request(1).header("grpc-encoding"), "gzip");
  EXPECT_EQ(wire_messages(world.request(1).body), wire_messages(world.request(0).body));
}

TEST(ClientCompression, connections_have_the_compressors_that_they_are_given) {
  CompressorRegistry few;
  few.remove("deflate");
  few.remove("zstd");
  ClientWorld world;
  ClientConnOptions options;
  options.compressors = &few;
  world.connect(options);
  UnaryRun call(world, Context{}, kLong);
  UnaryRun refused(world, Context{}, kLong, {.compressor = "zstd"});
  world.settle();
  EXPECT_EQ(world.request().header("grpc-accept-encoding"), "identity,gzip");
  ASSERT_TRUE(refused.done());
  EXPECT_EQ(refused.status().code(), StatusCode::kInternal);
}

TEST(ClientCompression, connections_may_have_no_compressors_at_all) {
  ClientWorld world;
  ClientConnOptions options;
  options.compressors = nullptr;
  world.connect(options);
  UnaryRun call(world, Context{}, kLong);
  UnaryRun refused(world, Context{}, kLong, {.compressor = "gzip"});
  world.settle();
  EXPECT_EQ(world.request().header("grpc-accept-encoding"), "identity");
  EXPECT_EQ(wire_messages(world.request().body), (std::vector<WireMessage>{{0, kLong}}));
  ASSERT_TRUE(refused.done());
  EXPECT_EQ(refused.status().code(), StatusCode::kInternal);
}

}  // namespace
}  // namespace gaggle
