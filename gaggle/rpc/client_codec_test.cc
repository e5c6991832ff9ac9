// SPDX-License-Identifier: Apache-2.0
//
// Codecs and content-types as a server sees the client. gRPC over HTTP2, "Content-Type".
#include <gtest/gtest.h>

#include "gaggle/rpc/client_stream_testing.h"
#include "gaggle/rpc/codec_testing.h"
#include "gaggle/rpc/compressor_testing.h"

namespace gaggle {
namespace {

using namespace std::chrono_literals;

struct CodecWorld : StreamWorld {
  const CodecRegistry codecs = with_reversing_codec();

  explicit CodecWorld(ClientConnOptions options = {}) {
    options.codecs = &codecs;
    connect(options);
  }
  // Makes a unary call that gets this answer.
  Status ask(std::string_view request_text, CallOptions options, std::string_view answer = {},
             std::string_view content_type = "application/grpc") {
    UnaryRun call(*this, Context{}, request_text, options);
    settle();
    if (!call.done()) {
      last = server().requests.size() - 1;
      server().send_headers(request(last), {}, "200", content_type);
      if (!request(last).reset) server().send_message(request(last), answer);
      if (!request(last).reset) server().send_trailers(request(last), "0");
      settle();
    }
    response = std::string(call.response.view());
    return call.done() ? call.status() : Status::unknown("not done");
  }
  std::string sent() { return request(last).messages().at(0); }
  std::string content_type() { return request(last).header("content-type"); }

  size_t last = 0;
  std::string response;
};

TEST(ClientCodec, the_subtype_names_the_codec_and_goes_with_the_call) {
  CodecWorld world;
  EXPECT_TRUE(world.ask("abc", {}, "xyz"));
  EXPECT_EQ(world.content_type(), "application/grpc");
  EXPECT_EQ(world.sent(), "abc");
  EXPECT_TRUE(world.ask("abc", {.content_subtype = "Reversed"}, "xyz", "application/grpc+reversed"));
  EXPECT_EQ(world.content_type(), "application/grpc+reversed") << "in lower case";
  EXPECT_EQ(world.sent(), "cba");
  EXPECT_EQ(world.response, "zyx");
  EXPECT_TRUE(world.ask("abc", {.content_subtype = "proto"}, "xyz", "application/grpc+proto"));
  EXPECT_EQ(world.content_type(), "application/grpc+proto");
  EXPECT_EQ(world.sent(), "abc");
  EXPECT_EQ(world.response, "xyz");
}

TEST(ClientCodec, an_unknown_one_fails_the_call_here) {
  CodecWorld world;
  for (const char* subtype : {"json", "re versed", "a\r\nb"}) {
    EXPECT_EQ(world.ask("abc", {.content_subtype = subtype}).code(), StatusCode::kInternal) << subtype;
  }
  EXPECT_TRUE(world.network.dialled.empty()) << "nothing was sent";
}

TEST(ClientCodec, a_forced_one_needs_no_registry_and_says_its_name) {
  CodecWorld world;
  const ReversingCodec codec;
  EXPECT_TRUE(world.ask("abc", {.codec = &codec}, "xyz"));
  EXPECT_EQ(world.content_type(), "application/grpc+reversed");
  EXPECT_EQ(world.response, "zyx");
  EXPECT_TRUE(world.ask("abc", {.content_subtype = "other", .codec = &codec}, "xyz", "application/grpc+whatever"));
  EXPECT_EQ(world.content_type(), "application/grpc+other");
  EXPECT_EQ(world.response, "zyx") << "the answer's subtype doesn't matter then";
  EXPECT_TRUE(world.ask("{}", {.content_subtype = "json", .codec = &bytes_codec()}, "[]", "application/grpc+json"));
  EXPECT_EQ(world.content_type(), "application/grpc+json");
  EXPECT_EQ(world.sent(), "{}");
  EXPECT_EQ(world.response, "[]");
  EXPECT_TRUE(world.ask("abc", {.codec = &bytes_codec()}, "xyz"));
  EXPECT_EQ(world.content_type(), "application/grpc") << "raw bytes go by no name";
}

TEST(ClientCodec, a_connection_has_a_default_that_a_call_replaces) {
  ClientConnOptions options;
  options.call_defaults.content_subtype = "reversed";
  CodecWorld world(options);
  EXPECT_TRUE(world.ask("abc", {}, "xyz"));
  EXPECT_EQ(world.sent(), "cba");
  EXPECT_TRUE(world.ask("abc", {.content_subtype = "proto"}, "xyz"));
  EXPECT_EQ(world.sent(), "abc");
}

TEST(ClientCodec, an_answer_in_another_codec_is_an_error) {
  CodecWorld world;
  EXPECT_EQ(world.ask("abc", {}, "xyz", "application/grpc+json").code(), StatusCode::kInternal);
  EXPECT_EQ(world.ask("abc", {.content_subtype = "reversed"}, "xyz", "application/grpc+proto").code(),
            StatusCode::kInternal);
  EXPECT_TRUE(world.ask("abc", {}, "xyz", "application/grpc+proto")) << "that is what no subtype means";
  EXPECT_TRUE(world.ask("abc", {}, "xyz", "Application/GRPC+Proto; charset=utf-8"));
  EXPECT_TRUE(world.ask("abc", {.content_subtype = "reversed"}, "xyz", "application/grpc+REVERSED"));
  EXPECT_TRUE(world.ask("abc", {.content_subtype = "reversed"}, "xyz", "application/grpc"))
      << "taken for what was asked";
  EXPECT_EQ(world.response, "zyx");
}

TEST(ClientCodec, what_it_cant_do_ends_the_call) {
  CodecWorld world;
  const CallOptions reversing{.content_subtype = "reversed"};
  EXPECT_EQ(world.ask("refuse", reversing).code(), StatusCode::kOutOfRange);
  EXPECT_EQ(world.ask("throw", reversing).code(), StatusCode::kInternal);
  EXPECT_TRUE(world.network.dialled.empty()) << "nothing was sent";
  EXPECT_EQ(world.ask("abc", reversing, reversed("bad")).code(), StatusCode::kOutOfRange);
  EXPECT_EQ(world.ask("abc", reversing, reversed("throw")).code(), StatusCode::kInternal);
}

TEST(ClientCodec, limits_and_compression_apply_to_what_it_makes) {
  CodecWorld world;
  EXPECT_EQ(world.ask("12345", {.max_send_bytes = 4, .content_subtype = "reversed"}).code(),
            StatusCode::kResourceExhausted);
  EXPECT_EQ(world.ask("1", {.max_receive_bytes = 4, .content_subtype = "reversed"}, "12345").code(),
            StatusCode::kResourceExhausted);
  const std::string text = std::string(1000, 'l') + "end";
  EXPECT_TRUE(world.ask(text, {.content_subtype = "reversed", .compressor = "gzip"}, "ok"));
  const WireMessage message = wire_messages(world.request(world.last).body).at(0);
  EXPECT_EQ(message.flag, 1);
  EXPECT_EQ(decompressed("gzip", message.content), reversed(text));
}

TEST(ClientCodec, retries_send_the_same_bytes_and_content_type) {
  ClientConnOptions options;
  options.default_service_config =
      R"({"methodConfig": [{"name": [{}], "retryPolicy": {"maxAttempts": 2, "initialBackoff": "0.1s",
          "maxBackoff": "1s", "backoffMultiplier": 2, "retryableStatusCodes": ["UNAVAILABLE"]}}]})";
  CodecWorld world(options);
  UnaryRun call(world, Context{}, "abc", {.content_subtype = "reversed"});
  world.settle();
  world.server().trailers_only(world.request(0), "14");
  world.settle();
  world.advance(120ms);
  EXPECT_EQ(world.request(1).header("content-type"), "application/grpc+reversed");
  EXPECT_EQ(world.request(1).messages(), std::vector<std::string>{"cba"});
}

TEST(ClientCodec, streams_use_it_both_ways) {
  CodecWorld world;
  world.open(kBidiStream, {}, {.content_subtype = "reversed"});
  EXPECT_TRUE(*world.send("abc"));
  EXPECT_TRUE(*world.send("def"));
  world.settle();
  EXPECT_EQ(world.request().header("content-type"), "application/grpc+reversed");
  EXPECT_EQ(world.request().messages(), (std::vector<std::string>{"cba", "fed"}));
  world.server().answer(world.request(), "xyz");
  world.settle();
  EXPECT_EQ(world.recv(), "zyx");
  EXPECT_EQ(world.recv(), "(end)");
}

TEST(ClientCodec, what_it_cant_do_ends_a_stream) {
  for (const char* text : {"refuse", "throw"}) {
    CodecWorld world;
    world.open(kBidiStream, {}, {.content_subtype = "reversed"});
    const StatusCode code = text == std::string_view("refuse") ? StatusCode::kOutOfRange : StatusCode::kInternal;
    EXPECT_EQ(world.send(text).status().code(), code);
    world.settle();
    EXPECT_EQ(world.request().reset, http2::ErrorCode::kCancel) << "the server hears of it";
    EXPECT_NE(world.recv().find(status_code_name(code)), std::string::npos) << "and recv has the status";
    EXPECT_FALSE(*world.send("abc"));
  }
  CodecWorld world;
  world.open(kBidiStream, {}, {.content_subtype = "reversed"});
  world.server().send_headers(world.request());
  world.server().send_message(world.request(), reversed("bad"));
  world.settle();
  EXPECT_NE(world.recv().find("OUT_OF_RANGE"), std::string::npos);
  world.settle();
  EXPECT_EQ(world.request().reset, http2::ErrorCode::kCancel);
  EXPECT_NE(world.recv().find("OUT_OF_RANGE"), std::string::npos) << "the same end again";
}

TEST(ClientCodec, an_unknown_one_fails_a_stream_here) {
  CodecWorld world;
  Running<Result<std::unique_ptr<ClientStream>>> opening(
      world, world.conn->new_stream({}, kBidiStream, "/test.Service/Stream", {.content_subtype = "json"}));
  world.settle();
  ASSERT_TRUE(opening.done());
  EXPECT_EQ(opening.take().status().code(), StatusCode::kInternal);
}

}  // namespace
}  // namespace gaggle
