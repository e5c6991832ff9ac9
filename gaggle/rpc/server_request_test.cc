// SPDX-License-Identifier: Apache-2.0
//
// Requests that aren't gRPC, or not well: what the client is told, and that nobody else is harmed.
// Numbers are those of the catalogue of bad inputs.
#include <gtest/gtest.h>

#include "gaggle/rpc/server_testing.h"

namespace gaggle {
namespace {

struct BadRequest {
  std::string name;
  TestFields fields;
  std::string http_status;
  std::string grpc_status;
  std::string content = FrameClient::message("x");
};

std::vector<BadRequest> bad_requests() {
  const auto with = [](std::string_view name, std::string_view value) {
    return FrameClient::request("Unary", {{std::string(name), std::string(value)}});
  };
  std::vector<BadRequest> cases = {
      {"[127] GET", with(":method", "GET"), "405", "13"},
      {"[131] text/plain", with("content-type", "text/plain"), "415", "3"},
      {"[132] application/grpcfoo", with("content-type", "application/grpcfoo"), "415", "3"},
      {"[132] application/grpc-web", with("content-type", "application/grpc-web"), "415", "3"},
      {"[133] unknown codec", with("content-type", "application/grpc+json"), "200", "12"},
      {"[134] no leading slash", with(":path", "test.Service/Unary"), "200", "12"},
      {"[136] unknown service", with(":path", "/other.Service/Unary"), "200", "12"},
      {"[136] unknown method", with(":path", "/test.Service/Other"), "200", "12"},
      {"[138] no time at all", with("grpc-timeout", "0n"), "200", "4"},
      {"[139] bad base64", with("key-bin", "###"), "200", "13"},
      {"[142] unknown encoding", with("grpc-encoding", "snappy"), "200", "12"},
      {"[124] host is not the authority", with("host", "elsewhere"), "400", "13"},
  };
  for (const char* path : {"/", "//test.Service/Unary", "/test.Service", "/test.Service/", "/test.Service/Unary/x",
                           "/test.Service%2FUnary", "/test.Service/Unary?x=1", "*"}) {
    cases.push_back({std::string("[135] ") + path, with(":path", path), "200", "12"});
  }
  for (const char* timeout : {"15 seconds", "-1S", "999999999H", "1x", "S", "1", "1.5S"}) {
    cases.push_back({std::string("[137] ") + timeout, with("grpc-timeout", timeout), "400", "13"});
  }
  cases.push_back({"[137] empty", with("grpc-timeout", ""), "400", "13"});
  const TestFields honest = FrameClient::request("Unary");
  const auto message = [](std::string_view text) { return FrameClient::message(text); };
  cases.push_back({"[140] compressed without an encoding", honest, "200", "13", std::string("\1\0\0\0\1x", 6)});
  cases.push_back({"[141] unknown flag", honest, "200", "13", std::string("\2\0\0\0\1x", 6)});
  cases.push_back({"[148] cut off in the message", honest, "200", "13", message("hello").substr(0, 7)});
  cases.push_back({"[148] cut off in the prefix", honest, "200", "13", message("hello").substr(0, 3)});
  cases.push_back({"[149] two messages", honest, "200", "12", message("a") + message("b")});
  cases.push_back({"[150] no message", honest, "200", "12", ""});
  cases.push_back({"[164] not decodable", honest, "200", "13", message("\xff")});
  return cases;
}

TEST(ServerRequest, bad_requests_get_their_status_and_harm_nobody) {
  ServerWorld world;
  for (const BadRequest& bad : bad_requests()) {
    SCOPED_TRACE(bad.name);
    ClientCall& call = world.client().start(bad.fields);
    world.client().send(call, bad.content, true);
    world.settle();
    EXPECT_TRUE(call.trailers_only) << "the call never began";
    EXPECT_EQ(call.header_value(":status"), bad.http_status);
    EXPECT_EQ(call.grpc_status(), bad.grpc_status) << call.grpc_message();
    EXPECT_NE(call.grpc_message(), "") << "a refusal says why";
    EXPECT_EQ(call.header_value("content-type"), "application/grpc");
    ClientCall& next = world.finish(world.client().call("Unary", "x"));
    EXPECT_EQ(next.grpc_status(), "0") << "the next call on the connection";
  }
  EXPECT_EQ(world.service.started, static_cast<int>(bad_requests().size()))
      << "only the honest calls reached a handler";
  EXPECT_EQ(world.server->counters().http2.connection_errors, 0u);
}

TEST(ServerRequest, bad_requests_are_answered_before_their_end) {
  ServerWorld world;
  for (const BadRequest& bad : bad_requests()) {
    if (bad.name.starts_with("[148]") || bad.name.starts_with("[150]")) continue;  // only the end makes them bad
    SCOPED_TRACE(bad.name);
    ClientCall& call = world.client().start(bad.fields);
    if (!call.over()) world.client().send(call, bad.content);
    world.settle();
    EXPECT_EQ(call.grpc_status(), bad.grpc_status);
    EXPECT_EQ(call.reset, http2::ErrorCode::kNoError) << "after the answer: the rest of the request is not wanted";
  }
  EXPECT_EQ(world.finish(world.client().call("Unary", "x")).grpc_status(), "0");
}

TEST(ServerRequest, an_unknown_encoding_is_told_which_there_are) {  // [142]
  ServerWorld world;
  ClientCall& call = world.finish(world.client().call("Unary", "x", {{"grpc-encoding", "br"}}));
  EXPECT_EQ(call.header_value("grpc-accept-encoding"), "identity,gzip,deflate,zstd");
  ClientCall& identity = world.finish(world.client().call("Unary", "x", {{"grpc-encoding", "identity"}}));
  EXPECT_EQ(identity.grpc_status(), "0");
}

TEST(ServerRequest, refusals_say_what_is_unknown) {
  ServerWorld world;
  ClientCall& service = world.finish(world.client().call("Unary", "x", {{":path", "/other.Service/Unary"}}));
  EXPECT_EQ(service.grpc_message(), "unknown service other.Service");
  ClientCall& method = world.finish(world.client().call("Other", "x"));
  EXPECT_EQ(method.grpc_message(), "unknown method Other for service test.Service");
}

TEST(ServerRequest, lenient_where_others_are) {
  ServerWorld world;
  TestFields without_te = FrameClient::request("Unary");
  without_te.pop_back();
  ClientCall& no_te = world.client().start(without_te);
  world.client().send(no_te, FrameClient::message("x"), true);
  EXPECT_EQ(world.finish(no_te).grpc_status(), "0") << "te: trailers is asked for, its absence is tolerated";
  ClientCall& parameters = world.client().call("Unary", "x", {{"content-type", "application/grpc;charset=utf-8"}});
  EXPECT_EQ(world.finish(parameters).grpc_status(), "0");
  ClientCall& hours = world.client().call("Unary", "x", {{"grpc-timeout", "99999999H"}});
  EXPECT_EQ(world.finish(hours).grpc_status(), "0") << "[137] a huge timeout is as good as none";
  ClientCall& host = world.client().call("Unary", "x", {{"host", "test"}});
  EXPECT_EQ(world.finish(host).grpc_status(), "0");
}

TEST(ServerRequest, an_empty_data_frame_may_end_the_request) {
  ServerWorld world;
  ClientCall& call = world.client().start(FrameClient::request("Unary"));
  world.client().send(call, FrameClient::message("x"));
  world.settle();
  EXPECT_EQ(world.service.started, 0) << "a second message could still come";
  world.client().send(call, "", true);
  EXPECT_EQ(world.finish(call).grpc_status(), "0");
}

TEST(ServerRequest, headers_beyond_the_hard_limit_are_resource_exhausted) {  // [103] [104] [108]
  ServerWorld world;
  for (const auto& [name, fields] : std::vector<std::pair<std::string, TestFields>>{
           {"17 KiB in one field", {{"big", std::string(17 * 1024, 'x')}}}, {"many fields", [] {
                                                                               TestFields many;
                                                                               for (int i = 0; i < 200; ++i)
                                                                                 many.emplace_back(
                                                                                     "field-" + std::to_string(i), "x");
                                                                               return many;
                                                                             }()}}) {
    SCOPED_TRACE(name);
    // A peer that doesn't care for the announced limit: the engine on this side would refuse to send.
    FrameClient& client = world.connect();
    TestFields request = FrameClient::request("Unary", fields);
    std::vector<http2::HeaderOut> out;
    for (const auto& [key, value] : request)
      out.push_back({.name = key, .value = value, .id = http2::find_header_name(key)});
    ClientCall& call = client.calls.emplace_back();
    call.stream = client.http2().open_stream();
    call.stream->user = &call;
    if (client.http2().send_headers(*call.stream, out, false) != http2::SendResult::kOk) continue;
    client.send(call, FrameClient::message("x"), true);
    world.settle();
    EXPECT_EQ(call.grpc_status(), "8");
    EXPECT_EQ(call.header_value(":status"), "431");
  }
}

TEST(ServerRequest, repeated_blocks_and_changing_ones_are_read_alike) {
  ServerWorld world;
  for (int i = 0; i < 100; ++i) {
    const TestFields more = i % 3 == 0 ? TestFields{} : TestFields{{"grpc-timeout", std::to_string(1000 + i) + "m"}};
    ClientCall& call = world.finish(world.client().call(i % 7 == 0 ? "Nothing" : "Unary", "x", more));
    ASSERT_EQ(call.grpc_status(), i % 7 == 0 ? "12" : "0") << i;
  }
}

}  // namespace
}  // namespace gaggle
