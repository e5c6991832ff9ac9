// SPDX-License-Identifier: Apache-2.0
//
// What gRPC asks of a server's side of a call and that no other test of the server names. The numbers
// are sections of the list of semantics; it's RFC 9113, "gRPC over HTTP2" and the gRFCs that it cites.
#include <gtest/gtest.h>

#include "gaggle/net/sleep.h"
#include "gaggle/rpc/server_testing.h"

namespace gaggle {
namespace {

using namespace std::chrono_literals;
using Texts = std::vector<std::string>;

Task<Status> record_metadata(TestService& service, ServerContext& context, const Text&, Text&) {
  for (const auto& [key, value] : context.metadata()) service.received.push_back(key + "=" + value);
  co_return Status::ok();
}

// --- 4.1 Request headers ---

TEST(ServerSemantics, values_that_http_allows_reach_the_handler_though_nobody_may_send_them) {
  // "never fail on receipt of a value legal in HTTP but not ASCII-printable"
  ServerWorld world;
  world.service.unary = record_metadata;
  EXPECT_EQ(world.finish(world.client().call("Unary", "x", {{"name", "caf\xc3\xa9\ttab"}})).grpc_status(), "0");
  EXPECT_EQ(world.service.received, (Texts{":authority=test", "name=caf\xc3\xa9\ttab"}));
}

TEST(ServerSemantics, equal_keys_keep_their_order_and_only_binary_ones_are_split_at_commas) {
  ServerWorld world;
  world.service.unary = record_metadata;
  TestFields fields = FrameClient::request("Unary");
  for (const auto& field : TestFields{{"k", "2"}, {"j", "x"}, {"k", "1"}, {"k", "a,b"}, {"b-bin", "MQ,Mg"}}) {
    fields.push_back(field);
  }
  ClientCall& call = world.client().start(fields);
  world.client().send(call, FrameClient::message("x"), true);
  world.finish(call);
  EXPECT_EQ(world.service.received, (Texts{":authority=test", "k=2", "j=x", "k=1", "k=a,b", "b-bin=1", "b-bin=2"}));
}

TEST(ServerSemantics, host_stands_in_for_a_missing_authority) {  // A41
  ServerWorld world;
  world.service.unary = record_metadata;
  TestFields fields = FrameClient::request("Unary", {{"host", "by-host"}});
  std::erase_if(fields, [](const auto& field) { return field.first == ":authority"; });
  ClientCall& call = world.client().start(fields);
  world.client().send(call, FrameClient::message("x"), true);
  EXPECT_EQ(world.finish(call).grpc_status(), "0");
  EXPECT_EQ(world.service.received, Texts{":authority=by-host"});
}

TEST(ServerSemantics, two_hosts_are_a_bad_request) {  // [124], A41
  ServerWorld world;
  TestFields fields = FrameClient::request("Unary");
  fields.emplace_back("host", "test");
  fields.emplace_back("host", "test");
  ClientCall& call = world.client().start(fields);
  world.client().send(call, FrameClient::message("x"), true);
  EXPECT_EQ(world.finish(call).header_value(":status"), "400");
  EXPECT_EQ(call.grpc_status(), "13");
}

Task<Status> set_reserved_names(TestService& service, ServerContext& context, const Text&, Text&) {
  for (const char* name : {"content-type", "te", "user-agent", "grpc-status", "grpc-message", "grpc-encoding",
                           "grpc-timeout", "grpc-message-type", "grpc-status-details-bin", ":status", "Bad Key", ""}) {
    EXPECT_EQ(context.set_header(name, "x").code(), StatusCode::kInvalidArgument) << name;
    EXPECT_EQ(context.set_trailer(name, "x").code(), StatusCode::kInvalidArgument) << name;
  }
  EXPECT_EQ(context.set_header("key", "line\nbreak").code(), StatusCode::kInvalidArgument);
  EXPECT_TRUE(context.set_trailer("grpc-retry-pushback-ms", "100").is_ok()) << "an application's, by A6";
  EXPECT_TRUE(context.set_header("Upper-Case", "x").is_ok());
  ++service.started;
  co_return Status::ok();
}

TEST(ServerSemantics, names_of_the_protocol_are_not_the_handlers_to_set) {
  ServerWorld world;
  world.service.unary = set_reserved_names;
  ClientCall& call = world.finish(world.client().call("Unary", "x"));
  EXPECT_EQ(call.trailer_value("grpc-retry-pushback-ms"), "100");
  EXPECT_EQ(call.header_value("upper-case"), "x");
  EXPECT_EQ(call.header_value("content-type"), "application/grpc");
  EXPECT_EQ(call.grpc_status(), "0") << "what was refused changed nothing";
}

// --- 4.2 Messages ---

TEST(ServerSemantics, trailers_of_a_request_are_its_end) {
  ServerWorld world;
  ClientCall& call = world.client().start(FrameClient::request("Unary"));
  world.client().send(call, FrameClient::message("x"));
  const Loop::Enter enter(world.world.loop);
  const http2::HeaderOut trailer = {.name = "checksum", .value = "1"};
  EXPECT_EQ(world.client().http2().send_trailers(*call.stream, {&trailer, 1}), http2::SendResult::kOk);
  world.client().flush();
  EXPECT_EQ(world.finish(call).messages(), Texts{"x"});
  EXPECT_EQ(call.grpc_status(), "0");
}

// --- 4.3 Responses, trailers, status ---

Task<Status> after_the_headers(TestService& service, ServerContext& context, const Text&, Text& response) {
  EXPECT_TRUE(context.set_header("first", "1").is_ok());
  EXPECT_TRUE(context.send_header().is_ok());
  service.ended.push_back(context.set_header("late", "1"));
  service.ended.push_back(context.send_header());
  EXPECT_TRUE(context.set_trailer("still", "open").is_ok()) << "trailers leave with the status";
  response.value = "x";
  co_return Status::ok();
}

TEST(ServerSemantics, headers_leave_once_and_trailers_stay_open) {
  ServerWorld world;
  world.service.unary = after_the_headers;
  ClientCall& call = world.finish(world.client().call("Unary", "x"));
  EXPECT_EQ(call.header_value("first"), "1");
  EXPECT_EQ(call.header_value("late"), "");
  EXPECT_EQ(call.trailer_value("still"), "open");
  for (const Status& late : world.service.ended) EXPECT_EQ(late.code(), StatusCode::kFailedPrecondition);
}

TEST(ServerSemantics, text_of_a_status_survives_whatever_it_has) {
  // Percent-encoding of every byte outside 0x20..0x7E and of '%', hex in upper case.
  ServerWorld world;
  world.service.unary = [](TestService&, ServerContext&, const Text&, Text&) -> Task<Status> {
    co_return Status(StatusCode::kUnknown, "\t\ntest with whitespace\r\nand Unicode BMP \xe2\x98\xba and 100%\t\n");
  };
  EXPECT_EQ(world.finish(world.client().call("Unary", "x")).grpc_message(),
            "%09%0Atest with whitespace%0D%0Aand Unicode BMP %E2%98%BA and 100%25%09%0A");
}

// --- 4.5 Deadlines and cancellation ---

TEST(ServerSemantics, a_handler_sees_its_deadline_and_what_is_derived_from_it_never_ends_later) {
  ServerWorld world;
  world.service.unary = [](TestService& service, ServerContext& context, const Text&, Text&) -> Task<Status> {
    EXPECT_EQ(context.remaining(), Duration(5s));
    const Context child = context.with_timeout(1h);
    EXPECT_EQ(child.deadline(), context.deadline()) << "the earlier wins";
    ++service.started;
    co_return Status::ok();
  };
  world.finish(world.client().call("Unary", "x", {{"grpc-timeout", "5S"}}));
  EXPECT_EQ(world.service.started, 1);
}

// --- 4.6 Streams, flow control ---

TEST(ServerSemantics, the_limit_of_streams_is_announced) {
  ServerWorld world({.max_concurrent_streams = 7});
  EXPECT_EQ(world.client().http2().peer_settings().max_concurrent_streams, 7u);
}

TEST(ServerSemantics, streams_that_nobody_reads_do_not_stop_the_others) {
  // The connection's window comes back on receipt, not when a handler reads.
  ServerWorld world;
  world.service.stream = [](TestService&, ServerStream& stream) -> Task<Status> {
    co_return co_await sleep_for(stream.context().loop(), 1h);
  };
  const std::string message = FrameClient::message(std::string(250'000, 'x'));
  for (int i = 0; i < 20; ++i) {
    world.client().send(world.client().start(FrameClient::request("Chat")), message);
  }
  world.settle();
  EXPECT_EQ(world.finish(world.client().call("Unary", std::string(2'000'000, 'x'))).grpc_status(), "0")
      << "five megabytes lie unread, five times the window";
}

TEST(ServerSemantics, a_million_bytes_for_calls_that_were_refused_leave_the_window_whole) {
  ServerWorld world({.max_receive_bytes = 1000});
  for (int i = 0; i < 50; ++i) {
    ClientCall& call = world.client().start(FrameClient::request("Unary"));
    world.client().send(call, FrameClient::message(std::string(200'000, 'x')), true);
    EXPECT_EQ(world.finish(call).grpc_status(), "8");
  }
  world.settle();
  EXPECT_EQ(world.finish(world.client().call("Unary", std::string(1000, 'x'))).grpc_status(), "0")
      << "ten times the connection's window was thrown away, and all of it given back";
}

// --- 4.7 Connection lifecycle ---

TEST(ServerSemantics, a_graceful_stop_says_so_twice_and_takes_what_crosses_it) {
  ServerWorld world({}, {.delay = 10ms}, {.delay = 10ms});
  world.service.unary = TestService::wait_for_gate;
  ClientCall& running = world.client().call("Unary", "a");
  world.world.advance(100ms);
  world.server->shutdown(1min);
  ClientCall& crossing = world.client().call("Unary", "b");
  world.world.advance(100ms);
  EXPECT_EQ(world.client().goaway_texts, (Texts{"graceful_stop", "graceful_stop"}));
  EXPECT_EQ(world.client().goaways.front(), 0x7fff'ffffu) << "the first lets everything pass";
  EXPECT_EQ(world.client().goaways.back(), crossing.stream->id()) << "the second names the last that is served";
  world.gate.set();
  EXPECT_EQ(world.finish(running).grpc_status(), "0");
  EXPECT_EQ(world.finish(crossing).grpc_status(), "0");
}

// --- 2.2 ---

TEST(ServerSemantics, pings_are_all_answered) {  // the negative case "ping", with the roles exchanged
  ServerWorld world({.keepalive_enforcement = {.min_time = 0s, .permit_without_stream = true}});
  const uint64_t before = world.client().http2().counters().frames_received;
  for (int i = 0; i < 100; ++i) {
    const Loop::Enter enter(world.world.loop);
    world.client().http2().ping(static_cast<uint64_t>(i));
    world.client().flush();
    world.settle();
  }
  EXPECT_EQ(world.client().http2().counters().frames_received - before, 100u);
}

}  // namespace
}  // namespace gaggle
