// SPDX-License-Identifier: Apache-2.0
//
// Compression as a client of the server sees it: gRPC's compression.md, one test per rule.
#include <gtest/gtest.h>

#include <memory>
#include <new>

#include "gaggle/rpc/compressor_testing.h"
#include "gaggle/rpc/server_testing.h"

namespace gaggle {
namespace {

const std::string kLong(1000, 'l');

// "gzip" in the request: answers with gzip, and so on; notes what became of it.
Task<Status> choose_compressor(TestService& service, ServerContext& context, const Text& request, Text& response) {
  service.ended.push_back(context.set_compressor(request.value));
  response.value = kLong;
  co_return Status::ok();
}

// "+": came compressed, "-": didn't.
Task<Status> note_compression(TestService& service, ServerContext& context, const Text& request, Text& response) {
  service.received.push_back((context.received_compressed() ? "+" : "-") + request.value);
  response.value = request.value;
  co_return Status::ok();
}

Task<Status> note_stream_compression(TestService& service, ServerStream& stream) {
  Text text;
  for (;;) {
    Result<bool> more = co_await stream.recv(message_of(text));
    if (!more) co_return more.error();
    if (!*more) co_return Status::ok();
    service.received.push_back((stream.context().received_compressed() ? "+" : "-") + text.value);
  }
}

// Every second message of the answer isn't to be compressed.
Task<Status> answer_in_turns(TestService& service, ServerStream& stream) {
  service.ended.push_back(stream.context().set_compressor("gzip"));
  const Text text{kLong};
  for (int i = 0; i < 4; ++i) {
    Status sent = co_await stream.send(message_of(text), {.compress = i % 2 == 0});
    if (!sent) co_return sent;
  }
  service.ended.push_back(stream.context().set_compressor("zstd"));
  co_return Status::ok();
}

ClientCall& call_with_encoding(ServerWorld& world, std::string_view encoding, std::string_view content,
                               TestFields more = {}) {
  if (!encoding.empty()) more.emplace_back("grpc-encoding", encoding);
  ClientCall& call = world.client().start(FrameClient::request("Unary", more));
  world.client().send(call, content, true);
  return world.finish(call);
}

TEST(ServerCompression, reads_every_built_in_encoding) {
  for (const char* name : {"gzip", "deflate", "zstd"}) {
    ServerWorld world;
    world.service.unary = note_compression;
    ClientCall& call = call_with_encoding(world, name, compressed_message(name, kLong));
    EXPECT_EQ(call.grpc_status(), "0") << call.grpc_message();
    EXPECT_EQ(world.service.received, std::vector<std::string>{"+" + kLong});
    EXPECT_EQ(wire_messages(call.content), (std::vector<WireMessage>{{0, kLong}})) << "answers uncompressed by default";
    EXPECT_EQ(call.header_value("grpc-encoding"), "");
    EXPECT_EQ(call.header_value("grpc-accept-encoding"), "identity,gzip,deflate,zstd");
  }
}

// A user's own that throws, or gives more than it may.
class WildCompressor final : public Compressor {
 public:
  explicit WildCompressor(size_t gives) : gives_(gives) {}
  std::string_view name() const noexcept override { return "wild"; }
  bool compress(std::span<const uint8_t>, std::string&) const override { throw std::bad_alloc(); }
  Status decompress(std::span<const uint8_t>, size_t, std::string& out) const override {
    if (gives_ == 0) throw std::bad_alloc();
    out.assign(gives_, 'w');
    return Status::ok();
  }

 private:
  const size_t gives_;
};

TEST(ServerCompression, a_compressor_that_throws_or_gives_too_much_ends_its_call_only) {
  for (const size_t gives : {size_t{0}, size_t{5} << 20}) {
    CompressorRegistry compressors;
    ASSERT_TRUE(compressors.add(std::make_unique<WildCompressor>(gives)).is_ok());
    ServerOptions options;
    options.compressors = &compressors;
    ServerWorld world(options);
    world.service.unary = choose_compressor;
    EXPECT_EQ(call_with_encoding(world, "wild", wire_bytes({1, "x"})).grpc_status(), gives == 0 ? "13" : "8");
    ClientCall& call = call_with_encoding(world, "wild", wire_bytes({0, "wild"}));
    EXPECT_EQ(call.grpc_status(), "0");
    EXPECT_EQ(wire_messages(call.content), (std::vector<WireMessage>{{0, kLong}})) << "it travels as it is";
  }
}

TEST(ServerCompression, uncompressed_messages_of_a_compressing_client_are_read_as_they_are) {
  ServerWorld world;
  world.service.unary = note_compression;
  EXPECT_EQ(call_with_encoding(world, "gzip", wire_bytes({0, "plain"})).grpc_status(), "0");
  EXPECT_EQ(call_with_encoding(world, "identity", wire_bytes({0, "plain"})).grpc_status(), "0");
  EXPECT_EQ(call_with_encoding(world, "gzip", wire_bytes({1, ""})).grpc_status(), "0")
      << "a flag on nothing: there is nothing to decompress";
  EXPECT_EQ(world.service.received, (std::vector<std::string>{"-plain", "-plain", "+"}));
}

TEST(ServerCompression, a_compressed_message_without_an_encoding_is_an_error) {  // [140]
  for (const char* encoding : {"", "identity"}) {
    ServerWorld world;
    ClientCall& call = call_with_encoding(world, encoding, compressed_message("gzip", kLong));
    EXPECT_EQ(call.grpc_status(), "13") << encoding;
    EXPECT_EQ(world.service.started, 0);
  }
}

TEST(ServerCompression, other_flags_are_errors_whatever_the_encoding) {  // [141]
  for (const int flag : {2, 3, 128, 255}) {
    ServerWorld world;
    EXPECT_EQ(call_with_encoding(world, "gzip", wire_bytes({flag, compressed("gzip", "x")})).grpc_status(), "13");
  }
}

TEST(ServerCompression, an_unknown_encoding_is_unimplemented_and_the_known_ones_are_told) {  // [142]
  ServerWorld world;
  ClientCall& call = call_with_encoding(world, "snappy", wire_bytes({0, "x"}));
  EXPECT_EQ(call.grpc_status(), "12");
  EXPECT_EQ(call.header_value("grpc-accept-encoding"), "identity,gzip,deflate,zstd");
  EXPECT_EQ(world.service.started, 0);
}

TEST(ServerCompression, a_bomb_is_refused_at_the_limit) {  // [145]
  ServerWorld world({.max_receive_bytes = 10'000});
  const std::string small = compressed_message("zstd", std::string(size_t{16} << 20, 'b'));
  ASSERT_LT(small.size(), 10'000u) << "must pass the limit on its way";
  EXPECT_EQ(call_with_encoding(world, "zstd", small).grpc_status(), "8");
  const std::string fits = compressed_message("zstd", std::string(10'000, 'b'));
  EXPECT_EQ(call_with_encoding(world, "zstd", fits).grpc_status(), "0");
  EXPECT_EQ(world.service.started, 1) << "no handler saw the bomb";
}

TEST(ServerCompression, damaged_data_is_an_error) {  // [146]
  ServerWorld world;
  const std::string packed = compressed("gzip", kLong);
  EXPECT_EQ(call_with_encoding(world, "gzip", wire_bytes({1, packed.substr(0, 20)})).grpc_status(), "13");
  EXPECT_EQ(call_with_encoding(world, "gzip", wire_bytes({1, "no gzip at all"})).grpc_status(), "13");
  EXPECT_EQ(world.service.started, 0);
}

TEST(ServerCompression, the_handler_chooses_what_the_client_accepts) {
  struct Case {
    const char* chosen;
    const char* accepted;
    const char* used;
    StatusCode status;
  };
  for (const Case& c :
       {Case{"gzip", "gzip", "gzip", StatusCode::kOk}, Case{"zstd", "identity, gzip ,zstd", "zstd", StatusCode::kOk},
        Case{"deflate", "identity,gzip", "", StatusCode::kFailedPrecondition},
        Case{"gzip", "", "", StatusCode::kFailedPrecondition},
        Case{"gzip", "gzipped,xgzip", "", StatusCode::kFailedPrecondition},
        Case{"snappy", "snappy", "", StatusCode::kInvalidArgument}, Case{"identity", "gzip", "", StatusCode::kOk}}) {
    ServerWorld world;
    world.service.unary = choose_compressor;
    TestFields more;
    if (*c.accepted != 0) more.emplace_back("grpc-accept-encoding", c.accepted);
    ClientCall& call = call_with_encoding(world, "", wire_bytes({0, c.chosen}), more);
    EXPECT_EQ(call.grpc_status(), "0") << "the call goes on in any case";
    EXPECT_EQ(world.service.ended.at(0).code(), c.status) << c.chosen << " of " << c.accepted;
    EXPECT_EQ(call.header_value("grpc-encoding"), c.used);
    const WireMessage answer = wire_messages(call.content).at(0);
    EXPECT_EQ(answer.flag, *c.used != 0 ? 1 : 0);
    EXPECT_EQ(*c.used != 0 ? decompressed(c.used, answer.content) : answer.content, kLong);
  }
}

TEST(ServerCompression, what_compression_would_not_shorten_travels_as_it_is) {
  ServerWorld world({.compress_like_request = true});
  ClientCall& call =
      call_with_encoding(world, "gzip", wire_bytes({0, "short"}), {{"grpc-accept-encoding", "identity,gzip"}});
  EXPECT_EQ(call.header_value("grpc-encoding"), "gzip") << "the option is for the call";
  EXPECT_EQ(wire_messages(call.content), (std::vector<WireMessage>{{0, "short"}}));
}

TEST(ServerCompression, answers_can_mirror_requests) {
  for (const bool accepts : {true, false}) {
    ServerWorld world({.compress_like_request = true});
    TestFields more;
    if (accepts) more.emplace_back("grpc-accept-encoding", "deflate");
    ClientCall& call = call_with_encoding(world, "deflate", compressed_message("deflate", kLong), more);
    EXPECT_EQ(call.header_value("grpc-encoding"), accepts ? "deflate" : "");
    EXPECT_EQ(wire_messages(call.content).at(0).flag, accepts ? 1 : 0)
        << "using it isn't saying that one understands it";
    ClientCall& plain = call_with_encoding(world, "", wire_bytes({0, kLong}), {{"grpc-accept-encoding", "deflate"}});
    EXPECT_EQ(wire_messages(plain.content), (std::vector<WireMessage>{{0, kLong}}));
  }
}

TEST(ServerCompression, a_call_leaves_nothing_for_the_next_one) {
  ServerWorld world({.compress_like_request = true});
  call_with_encoding(world, "gzip", compressed_message("gzip", kLong), {{"grpc-accept-encoding", "gzip"}});
  ClientCall& next = call_with_encoding(world, "", compressed_message("gzip", kLong));
  EXPECT_EQ(next.grpc_status(), "13") << "the encoding belonged to the call before";
}

TEST(ServerCompression, streams_mix_compressed_and_plain_messages) {
  ServerWorld world;
  world.service.stream = note_stream_compression;
  ClientCall& call = world.client().start(FrameClient::request("ClientStream", {{"grpc-encoding", "gzip"}}));
  world.client().send(call, compressed_message("gzip", "one") + wire_bytes({0, "two"}));
  world.client().send(call, compressed_message("gzip", "three"), true);
  world.finish(call);
  EXPECT_EQ(world.service.received, (std::vector<std::string>{"+one", "-two", "+three"}));
}

TEST(ServerCompression, a_stream_switches_it_off_for_single_messages) {
  ServerWorld world;
  world.service.stream = answer_in_turns;
  ClientCall& call =
      world.client().start(FrameClient::request("ServerStream", {{"grpc-accept-encoding", "gzip,zstd"}}));
  world.client().send(call, wire_bytes({0, "go"}), true);
  world.finish(call);
  std::vector<int> flags;
  for (const WireMessage& message : wire_messages(call.content)) {
    flags.push_back(message.flag);
    EXPECT_EQ(message.flag == 1 ? decompressed("gzip", message.content) : message.content, kLong);
  }
  EXPECT_EQ(flags, (std::vector<int>{1, 0, 1, 0}));
  EXPECT_TRUE(world.service.ended.at(0).is_ok());
  EXPECT_EQ(world.service.ended.at(1).code(), StatusCode::kFailedPrecondition) << "the headers have left";
}

TEST(ServerCompression, a_bomb_in_a_stream_ends_the_call) {  // [145]
  ServerWorld world({.max_receive_bytes = 10'000});
  ClientCall& call = world.client().start(FrameClient::request("Chat", {{"grpc-encoding", "zstd"}}));
  world.client().send(call, compressed_message("zstd", std::string(size_t{16} << 20, 'b')));
  EXPECT_EQ(world.finish(call).grpc_status(), "8");
}

TEST(ServerCompression, servers_have_the_compressors_that_they_are_given) {
  CompressorRegistry few;
  few.remove("deflate");
  few.remove("zstd");
  ServerWorld world({.compressors = &few});
  ClientCall& call = call_with_encoding(world, "zstd", compressed_message("zstd", kLong));
  EXPECT_EQ(call.grpc_status(), "12");
  EXPECT_EQ(call.header_value("grpc-accept-encoding"), "identity,gzip");
}

TEST(ServerCompression, servers_may_have_no_compressors_at_all) {
  ServerWorld world({.compressors = nullptr});
  world.service.unary = choose_compressor;
  ClientCall& compressed = call_with_encoding(world, "gzip", compressed_message("gzip", kLong));
  EXPECT_EQ(compressed.grpc_status(), "12");
  EXPECT_EQ(compressed.header_value("grpc-accept-encoding"), "identity");
  ClientCall& plain = call_with_encoding(world, "identity", wire_bytes({0, "gzip"}));
  EXPECT_EQ(plain.grpc_status(), "0");
  EXPECT_EQ(world.service.ended.at(0).code(), StatusCode::kInvalidArgument)
      << "the handler is told that there is no gzip";
  EXPECT_EQ(wire_messages(plain.content), (std::vector<WireMessage>{{0, kLong}}));
}

}  // namespace
}  // namespace gaggle
