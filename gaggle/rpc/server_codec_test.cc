// SPDX-License-Identifier: Apache-2.0
//
// Codecs and content-types as a client of the server sees it. gRPC over HTTP2, "Content-Type".
#include <gtest/gtest.h>

#include "gaggle/rpc/codec_testing.h"
#include "gaggle/rpc/compressor_testing.h"
#include "gaggle/rpc/echo_testing.h"
#include "gaggle/rpc/server_testing.h"

namespace gaggle {
namespace {

struct CodecWorld {
  const CodecRegistry codecs = with_reversing_codec();
  ServerWorld world;

  explicit CodecWorld(ServerOptions options = {}) : world(with(codecs, std::move(options))) {}
  static ServerOptions with(const CodecRegistry& codecs, ServerOptions options) {
    options.codecs = &codecs;
    return options;
  }
  ClientCall& call(std::string_view content_type, std::string_view content, std::string_view method = "Unary",
                   TestFields more = {}) {
    more.emplace_back("content-type", content_type);
    ClientCall& made = world.client().start(FrameClient::request(method, more));
    world.client().send(made, FrameClient::message(content), true);
    return world.finish(made);
  }
};

TEST(ServerCodec, the_answer_has_the_requests_subtype) {
  struct Case {
    const char* sent;
    const char* answered;
    const char* status;
  };
  for (const Case& is : {
           Case{"application/grpc", "application/grpc", "0"},
           Case{"application/grpc+proto", "application/grpc+proto", "0"},
           Case{"APPLICATION/GRPC+PROTO", "application/grpc+proto", "0"},
           Case{"application/grpc+", "application/grpc", "0"},
           Case{"application/grpc;charset=utf-8", "application/grpc", "0"},
           Case{"application/grpc; charset=utf-8", "application/grpc", "0"},
           Case{"application/grpc+reversed", "application/grpc+reversed", "0"},
           Case{"Application/Grpc+Reversed; charset=utf-8", "application/grpc+reversed", "0"},
           // [133] A codec that the server doesn't have.
           Case{"application/grpc+json", "application/grpc", "12"},
           Case{"application/grpc+re/versed", "application/grpc", "12"},
           // [131], [132] Not gRPC.
           Case{"application/grpcfoo", "application/grpc", "3"},
           Case{"application/json", "application/grpc", "3"},
       }) {
    CodecWorld codecs;
    ClientCall& call = codecs.call(is.sent, "abc");
    EXPECT_EQ(call.grpc_status(), is.status) << is.sent << ": " << call.grpc_message();
    EXPECT_EQ(call.header_value("content-type").empty() ? call.trailer_value("content-type")
                                                        : call.header_value("content-type"),
              is.answered)
        << is.sent;
    if (is.status == std::string_view("0")) {
      EXPECT_EQ(call.messages(), std::vector<std::string>{"abc"}) << is.sent << ": echoed by the same codec";
    }
  }
}

Task<Status> note_request(TestService& service, ServerContext& context, const Text& request, Text& response) {
  service.received.push_back(request.value + " " + std::string(context.content_subtype()));
  response.value = "xyz";
  co_return Status::ok();
}

TEST(ServerCodec, handlers_see_messages_and_may_ask_for_the_subtype) {
  CodecWorld codecs;
  codecs.world.service.unary = note_request;
  EXPECT_EQ(codecs.call("application/grpc+Reversed", "cba").messages(), std::vector<std::string>{"zyx"});
  EXPECT_EQ(codecs.call("application/grpc", "abc").messages(), std::vector<std::string>{"xyz"});
  EXPECT_EQ(codecs.world.service.received, (std::vector<std::string>{"abc Reversed", "abc "}));
}

Task<Status> fail_with(TestService&, ServerContext& context, const Text& request, Text&) {
  if (request.value == "header") static_cast<void>(context.set_header("x-head", "h"));
  co_return Status::not_found("nothing there");
}

TEST(ServerCodec, an_error_has_the_subtype_too) {
  CodecWorld codecs;
  codecs.world.service.unary = fail_with;
  ClientCall& bare = codecs.call("application/grpc+reversed", "cba");
  EXPECT_TRUE(bare.trailers_only);
  EXPECT_EQ(bare.grpc_status(), "5");
  EXPECT_EQ(bare.trailer_value("content-type"), "application/grpc+reversed");
  ClientCall& with_header = codecs.call("application/grpc+reversed", reversed("header"));
  EXPECT_EQ(with_header.header_value("content-type"), "application/grpc+reversed");
  EXPECT_EQ(with_header.header_value("x-head"), "h");
  EXPECT_EQ(with_header.grpc_status(), "5");
  EXPECT_EQ(with_header.trailer_value(":status"), "") << "only a header section has one";
  ClientCall& unknown = codecs.call("application/grpc+reversed", "cba", "Other");
  EXPECT_EQ(unknown.grpc_status(), "12");
  EXPECT_EQ(unknown.trailer_value("content-type"), "application/grpc+reversed");
}

TEST(ServerCodec, what_it_cant_do_ends_the_call) {
  CodecWorld codecs;
  EXPECT_EQ(codecs.call("application/grpc+reversed", reversed("bad")).grpc_status(), "11");
  EXPECT_EQ(codecs.call("application/grpc+reversed", reversed("throw")).grpc_status(), "13");
  EXPECT_EQ(codecs.call("application/grpc+reversed", reversed("refuse")).grpc_status(), "11") << "the answer";
  EXPECT_EQ(codecs.call("application/grpc+reversed", reversed("bad"), "Chat").grpc_status(), "11");
  EXPECT_EQ(codecs.call("application/grpc+reversed", reversed("refuse"), "Chat").grpc_status(), "11");
  EXPECT_EQ(codecs.call("application/grpc+reversed", "cba").grpc_status(), "0") << "and harms no other call";
}

TEST(ServerCodec, streams_use_it_both_ways) {
  CodecWorld codecs;
  ClientCall& call = codecs.call("application/grpc+reversed", "cba", "Chat");
  EXPECT_EQ(call.grpc_status(), "0") << call.grpc_message();
  EXPECT_EQ(call.messages(), std::vector<std::string>{"cba"});
  EXPECT_EQ(call.header_value("content-type"), "application/grpc+reversed");
}

TEST(ServerCodec, compression_is_outside_of_it_and_limits_count_what_it_makes) {
  ServerOptions options;
  options.compress_like_request = true;
  options.max_send_bytes = 1000;
  CodecWorld codecs(std::move(options));
  codecs.world.service.unary = note_request;
  const std::string text = std::string(500, 'l') + "end";
  ClientCall& call = codecs.world.client().start(
      FrameClient::request("Unary", {{"content-type", "application/grpc+reversed"}, {"grpc-encoding", "gzip"}}));
  codecs.world.client().send(call, compressed_message("gzip", reversed(text)), true);
  codecs.world.finish(call);
  EXPECT_EQ(call.grpc_status(), "0") << call.grpc_message();
  EXPECT_EQ(codecs.world.service.received, std::vector<std::string>{text + " reversed"});
  codecs.world.service.unary = TestService::echo;
  EXPECT_EQ(codecs.call("application/grpc+reversed", std::string(1001, 'x')).grpc_status(), "8");
}

// Sends back what comes, as raw bytes.
class RawEcho final : public StreamHandler {
 public:
  std::string subtype;
  Task<Status> operator()(ServerStream& stream) override {
    subtype = stream.context().content_subtype();
    return echo_bytes(nullptr, stream);
  }
};

TEST(ServerCodec, a_forced_one_answers_every_subtype) {
  RawEcho echo;
  CodecWorld codecs({.unknown_service = &echo, .codec = &bytes_codec()});
  for (const char* type :
       {"application/grpc+json", "application/grpc+reversed", "application/grpc+proto", "application/grpc"}) {
    ClientCall& call = codecs.call(type, "{raw}", "Anything");
    EXPECT_EQ(call.grpc_status(), "0") << type << ": " << call.grpc_message();
    EXPECT_EQ(call.header_value("content-type"), type);
    EXPECT_EQ(call.messages(), std::vector<std::string>{"{raw}"});
    EXPECT_EQ("application/grpc" + (echo.subtype.empty() ? "" : "+" + echo.subtype), type);
  }
  EXPECT_EQ(codecs.call("application/grpc+json", "abc").grpc_status(), "13") << "a typed method isn't raw";
}

}  // namespace
}  // namespace gaggle
