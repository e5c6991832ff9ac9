// SPDX-License-Identifier: Apache-2.0
//
// Unary calls, from the bytes of a client to the bytes of the answer.
#include <gtest/gtest.h>

#include <stdexcept>

#include "gaggle/rpc/server_testing.h"

namespace gaggle {
namespace {

Task<Status> with_metadata(TestService& service, ServerContext& context, const Text& request, Text& response) {
  for (const Metadata::Entry& entry : context.metadata()) service.received.push_back(entry.key + "=" + entry.value);
  EXPECT_TRUE(context.set_header("greeting", "hello"));
  EXPECT_TRUE(context.set_header("raw-bin", std::string_view("\0\xff", 2)));
  EXPECT_TRUE(context.set_trailer("farewell", "bye"));
  EXPECT_EQ(context.set_trailer("grpc-status", "0").code(), StatusCode::kInvalidArgument) << "a name of the protocol";
  response.value = request.value;
  co_return Status::ok();
}

Task<Status> fail(TestService&, ServerContext&, const Text&, Text&) {
  co_return Status(StatusCode::kNotFound, "no 100% match\nfor \xc3\xbc", std::string_view("\x08\x05", 2));
}

Task<Status> fail_with_trailer(TestService&, ServerContext& context, const Text&, Text&) {
  EXPECT_TRUE(context.set_header("seen", "yes"));
  EXPECT_TRUE(context.set_trailer("why", "because"));
  co_return Status::aborted("no");
}

Task<Status> answer_with_request_repeated(TestService&, ServerContext&, const Text& request, Text& response) {
  const size_t times = std::stoul(request.value);
  response.value.assign(times, 'r');
  co_return Status::ok();
}

Task<Status> unencodable(TestService&, ServerContext&, const Text&, Text& response) {
  response.value = "unencodable";
  co_return Status::ok();
}

Task<Status> too_much_metadata(TestService& service, ServerContext& context, const Text&, Text& response) {
  const std::string big(64 * 1024, 'm');
  if (!service.received.empty()) {
    EXPECT_TRUE(context.set_header("big", big));
  } else {
    EXPECT_TRUE(context.set_trailer("big", big));
  }
  response.value = "never mind";
  co_return Status::ok();
}

Task<Status> throws(TestService&, ServerContext&, const Text& request, Text&) {
  if (request.value == "int") throw 7;
  throw std::runtime_error("a secret of the server");
  co_return Status::ok();
}

Task<Status> throws_at_once(TestService&, ServerContext&, const Text&, Text&) {
  throw std::runtime_error("not even a coroutine");
}

TEST(ServerUnary, answers_with_headers_message_and_trailers) {
  ServerWorld world;
  ClientCall& call = world.finish(world.client().call("Unary", "hello"));
  EXPECT_EQ(call.header_value(":status"), "200");
  EXPECT_EQ(call.header_value("content-type"), "application/grpc");
  EXPECT_EQ(call.messages(), std::vector<std::string>{"hello"});
  EXPECT_EQ(call.grpc_status(), "0");
  EXPECT_EQ(call.trailer.size(), 1u) << "an OK has no message";
  EXPECT_FALSE(call.reset) << "the client had said its last, so there's nothing to reset";
  const ServerCounters counters = world.server->counters();
  EXPECT_EQ(counters.calls_started, 1u);
  EXPECT_EQ(counters.calls_succeeded, 1u);
  EXPECT_EQ(counters.calls_now, 0u);
}

TEST(ServerUnary, an_answer_leaves_in_one_write) {
  ServerWorld world;
  world.finish(world.client().call("Unary", "first"));
  const uint64_t before = world.server_pipes[0]->write_calls();
  for (int i = 0; i < 20; ++i) world.client().call("Unary", "all of these arrive together");
  world.settle();
  for (const ClientCall& call : world.client().calls) EXPECT_EQ(call.grpc_status(), "0");
  EXPECT_EQ(world.server_pipes[0]->write_calls() - before, 1u) << "one write for all that one turn has produced";
}

TEST(ServerUnary, the_subtype_of_the_request_comes_back) {
  ServerWorld world;
  ClientCall& call = world.client().call("Unary", "x", {{"content-type", "application/grpc+proto"}});
  EXPECT_EQ(world.finish(call).header_value("content-type"), "application/grpc+proto");
}

TEST(ServerUnary, metadata_travels_in_both_directions) {
  ServerWorld world;
  world.service.unary = with_metadata;
  ClientCall& call = world.client().call("Unary", "x",
                                         {{"user-agent", "me"},
                                          {"key", "one"},
                                          {"blob-bin", "AAEC,/w=="},  // two values, joined by a proxy; one padded
                                          {"grpc-accept-encoding", "gzip"}});
  world.finish(call);
  EXPECT_EQ(call.grpc_status(), "0");
  const std::vector<std::string> expected = {":authority=test", "user-agent=me", "key=one",
                                             std::string("blob-bin=\0\x01\x02", 12), "blob-bin=\xff"};
  EXPECT_EQ(world.service.received, expected) << "what belongs to the protocol isn't shown";
  EXPECT_EQ(call.header_value("greeting"), "hello");
  EXPECT_EQ(call.header_value("raw-bin"), "AP8") << "base64 goes out without padding";
  EXPECT_EQ(call.trailer_value("farewell"), "bye");
}

TEST(ServerUnary, a_failure_is_trailers_only_with_an_encoded_message) {  // [156]
  ServerWorld world;
  world.service.unary = fail;
  ClientCall& call = world.finish(world.client().call("Unary", "x"));
  EXPECT_TRUE(call.trailers_only) << "nothing was sent before, so a client may retry";
  EXPECT_EQ(call.header_value(":status"), "200");
  EXPECT_EQ(call.header_value("content-type"), "application/grpc");
  EXPECT_EQ(call.grpc_status(), "5");
  EXPECT_EQ(call.grpc_message(), "no 100%25 match%0Afor %C3%BC");
  EXPECT_EQ(call.trailer_value("grpc-status-details-bin"), "CAU");
  EXPECT_EQ(world.server->counters().calls_failed, 1u);
}

TEST(ServerUnary, a_failure_with_header_metadata_has_headers_and_trailers) {
  ServerWorld world;
  world.service.unary = fail_with_trailer;
  ClientCall& call = world.finish(world.client().call("Unary", "x"));
  EXPECT_FALSE(call.trailers_only);
  EXPECT_EQ(call.header_value("seen"), "yes");
  EXPECT_EQ(call.trailer_value("why"), "because");
  EXPECT_EQ(call.grpc_status(), "10");
}

TEST(ServerUnary, large_messages_pass_flow_control_both_ways) {
  ServerWorld world;
  const std::string big(3'000'000, 'q');  // twelve times the stream's window
  ClientCall& up = world.finish(world.client().call("Unary", big));
  EXPECT_EQ(up.grpc_status(), "0");
  EXPECT_EQ(up.messages().at(0).size(), big.size());
}

TEST(ServerUnary, a_message_above_the_limit_is_refused_by_its_prefix) {  // [143] [144]
  ServerWorld world({.max_receive_bytes = 1000});
  ClientCall& call = world.client().start(FrameClient::request("Unary"));
  world.client().send(call, std::string_view("\0\xff\xff\xff\xff", 5));
  world.settle();
  EXPECT_EQ(call.grpc_status(), "8") << "as soon as the length is known";
  EXPECT_EQ(call.reset, http2::ErrorCode::kNoError) << "the client need not send the rest";
  EXPECT_EQ(world.service.started, 0);
  ClientCall& fits = world.finish(world.client().call("Unary", std::string(1000, 'x')));
  EXPECT_EQ(fits.grpc_status(), "0");
  ClientCall& one_more = world.finish(world.client().call("Unary", std::string(1001, 'x')));
  EXPECT_EQ(one_more.grpc_status(), "8");
}

TEST(ServerUnary, a_response_above_the_limit_is_an_error_of_its_own) {
  ServerWorld world({.max_send_bytes = 100});
  world.service.unary = answer_with_request_repeated;
  EXPECT_EQ(world.finish(world.client().call("Unary", "100")).grpc_status(), "0");
  ClientCall& call = world.finish(world.client().call("Unary", "101"));
  EXPECT_EQ(call.grpc_status(), "8");
  EXPECT_TRUE(call.trailers_only);
}

TEST(ServerUnary, a_response_that_cannot_be_encoded_is_internal) {
  ServerWorld world;
  world.service.unary = unencodable;
  EXPECT_EQ(world.finish(world.client().call("Unary", "x")).grpc_status(), "13");
}

TEST(ServerUnary, metadata_that_the_client_does_not_take_ends_the_call_locally) {  // [163]
  ServerWorld world;
  world.service.unary = too_much_metadata;
  // A client announces its limit in SETTINGS: ours, by its own limits.
  ClientCall& trailer = world.finish(world.client().call("Unary", "x"));
  EXPECT_EQ(trailer.grpc_status(), "8") << "64 KiB of trailers against the announced 8 KiB";
  world.service.received.push_back("now as header metadata");
  ClientCall& header = world.finish(world.client().call("Unary", "x"));
  EXPECT_EQ(header.grpc_status(), "8");
  EXPECT_TRUE(header.trailers_only);
  world.service.unary = TestService::echo;
  EXPECT_EQ(world.finish(world.client().call("Unary", "x")).grpc_status(), "0") << "the connection is unharmed";
}

TEST(ServerUnary, a_handler_that_throws_is_unknown_and_harms_nobody) {  // [223]
  ServerWorld world;
  for (const auto handler : {throws, throws_at_once}) {
    for (const char* what : {"int", "exception"}) {
      world.service.unary = handler;
      ClientCall& call = world.finish(world.client().call("Unary", what));
      EXPECT_EQ(call.grpc_status(), "2");
      EXPECT_EQ(call.grpc_message().find("secret"), std::string::npos) << "its text is for the server's log";
    }
  }
  world.service.unary = TestService::echo;
  EXPECT_EQ(world.finish(world.client().call("Unary", "x")).grpc_status(), "0");
}

TEST(ServerUnary, bytes_may_come_one_by_one) {  // [9] [147]
  ServerWorld world({}, {.max_read_bytes = 1}, {.max_read_bytes = 1});
  ClientCall& call = world.finish(world.client().call("Unary", "drip", {{"key", "value"}}));
  EXPECT_EQ(call.grpc_status(), "0");
  EXPECT_EQ(call.messages(), std::vector<std::string>{"drip"});
}

TEST(ServerUnary, writes_may_be_taken_byte_by_byte) {  // [15]
  ServerWorld world({}, {}, {.max_write_bytes = 1, .capacity_bytes = 7});
  ClientCall& call = world.finish(world.client().call("Unary", "drip"));
  EXPECT_EQ(call.messages(), std::vector<std::string>{"drip"});
  EXPECT_EQ(call.grpc_status(), "0");
}

TEST(ServerUnary, more_requests_than_one_turn_takes_are_all_answered) {
  ServerWorld world({.max_concurrent_streams = 1000});
  for (int i = 0; i < 500; ++i) world.client().call("Unary", std::to_string(i));
  world.settle();
  for (size_t i = 0; i < 500; ++i) {
    ASSERT_EQ(world.client().calls[i].messages(), std::vector<std::string>{std::to_string(i)});
  }
  EXPECT_GT(world.server->counters().http2.deferred_turns, 0u) << "they came in one read, and took several turns";
}

}  // namespace
}  // namespace gaggle
