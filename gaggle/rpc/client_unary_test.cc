// SPDX-License-Identifier: Apache-2.0
//
// Unary calls against a scripted server: what goes out, and what each answer means.
#include <gtest/gtest.h>

#include "gaggle/rpc/call_attempt.h"
#include "gaggle/rpc/client_testing.h"

namespace gaggle {
namespace {

using namespace std::chrono_literals;

TEST(ClientUnaryTest, a_call_connects_sends_its_request_and_gets_the_answer) {
  ClientWorld world;
  ClientConn& conn = world.connect();
  EXPECT_EQ(conn.state(), ConnectivityState::kIdle) << "nothing is opened before the first call";
  EXPECT_TRUE(world.network.dialled.empty());

  UnaryRun call(world, Context{}, "ask");
  world.settle();
  ASSERT_EQ(world.network.servers.size(), 1u);
  ASSERT_EQ(world.server().requests.size(), 1u);
  const ScriptedServer::Request& request = world.request();
  EXPECT_EQ(request.header(":method"), "POST");
  EXPECT_EQ(request.header(":scheme"), "http");
  EXPECT_EQ(request.header(":path"), "/test.Service/Unary");
  EXPECT_EQ(request.header(":authority"), "test.example") << "from the target, not the address";
  EXPECT_EQ(request.header("content-type"), "application/grpc");
  EXPECT_EQ(request.header("te"), "trailers");
  EXPECT_TRUE(request.header("user-agent").starts_with("gaggle/"));
  EXPECT_FALSE(request.has_header("grpc-timeout")) << "the call has no deadline";
  EXPECT_EQ(request.messages(), std::vector<std::string>{"ask"});
  EXPECT_TRUE(request.ended) << "a unary client has nothing more to say";

  world.server().answer(world.request(), "reply");
  world.settle();
  ASSERT_TRUE(call.done());
  EXPECT_TRUE(call.status().is_ok());
  EXPECT_EQ(call.response.view(), "reply");
  EXPECT_EQ(conn.state(), ConnectivityState::kReady);
  EXPECT_EQ(conn.counters().calls_succeeded, 1u);
}

// --- What the request carries ---

TEST(ClientUnaryTest, the_deadline_travels_and_is_enforced_here_too) {
  ClientWorld world;
  world.connect();
  UnaryRun call(world, world.in(50ms), "ask");
  world.settle();
  EXPECT_EQ(world.request().header("grpc-timeout"), "50000000n") << "rounded up to the smallest unit that fits";
  world.advance(49ms);
  EXPECT_FALSE(call.done());
  world.advance(1ms);
  ASSERT_TRUE(call.done());
  EXPECT_EQ(call.status().code(), StatusCode::kDeadlineExceeded);
  EXPECT_EQ(world.request().reset, http2::ErrorCode::kCancel) << "the server may stop working";
}

TEST(ClientUnaryTest, an_expired_call_sends_nothing) {
  ClientWorld world;
  world.connect();
  UnaryRun call(world, world.in(0ms), "ask");
  ASSERT_TRUE(call.done());
  EXPECT_EQ(call.status().code(), StatusCode::kDeadlineExceeded);
  world.settle();
  EXPECT_TRUE(world.network.dialled.empty()) << "not even a connection";
}

TEST(ClientUnaryTest, metadata_travels_both_ways) {
  ClientWorld world;
  Metadata defaults;
  ASSERT_TRUE(defaults.add("x-first", "1"));
  ClientConnOptions options;
  options.call_defaults.metadata = &defaults;
  options.user_agent = "scores/7";
  world.connect(options);
  Metadata sent;
  ASSERT_TRUE(sent.add("x-key", "plain value"));
  ASSERT_TRUE(sent.add("x-raw-bin", std::string("\0\xff", 2)));
  Metadata header, trailer;
  Peer peer;
  UnaryRun call(world, Context{}, "ask", {.metadata = &sent, .header = &header, .trailer = &trailer, .peer = &peer});
  world.settle();
  EXPECT_EQ(world.request().header("x-first"), "1") << "the connection's own come first";
  EXPECT_EQ(world.request().header("x-key"), "plain value");
  EXPECT_EQ(world.request().header("x-raw-bin"), "AP8") << "base64 without padding";
  EXPECT_TRUE(world.request().header("user-agent").starts_with("scores/7 gaggle/"));
  world.server().send_headers(world.request(), {{"x-head", "h"}});
  world.server().send_message(world.request(), "reply");
  world.server().send_trailers(world.request(), "0", {{"x-tail-bin", "AP8"}, {"x-tail", "t"}});
  world.settle();
  ASSERT_TRUE(call.done());
  EXPECT_TRUE(call.status().is_ok());
  EXPECT_EQ(header.get("x-head"), "h");
  EXPECT_EQ(header.size(), 1u) << "what belongs to the protocol isn't the application's";
  EXPECT_EQ(trailer.get("x-tail"), "t");
  EXPECT_EQ(trailer.get("x-tail-bin"), std::string_view("\0\xff", 2));
  EXPECT_FALSE(peer.address.empty());
}

TEST(ClientUnaryTest, the_authority_can_be_replaced_per_connection_and_per_call) {
  ClientWorld world;
  ClientConnOptions options;
  options.authority = "of.connection";
  world.connect(options);
  UnaryRun first(world, Context{}, "a");
  UnaryRun second(world, Context{}, "b", {.authority = "of.call"});
  world.settle();
  EXPECT_EQ(world.request(0).header(":authority"), "of.connection");
  EXPECT_EQ(world.request(1).header(":authority"), "of.call");
}

TEST(ClientUnaryTest, a_method_that_cant_be_a_path_is_refused_here) {
  ClientWorld world;
  world.connect();
  for (const std::string_view method : {"", "test.Service/Unary", "/test.Service", "/a b/c", "/a/b\r\nx: y"}) {
    UnaryRun call(world, Context{}, "ask", {}, method);
    ASSERT_TRUE(call.done()) << method;
    EXPECT_EQ(call.status().code(), StatusCode::kInternal) << method;
  }
}

// --- What answers mean ---

struct Answer {
  std::string_view name;
  void (*give)(ScriptedServer&, ScriptedServer::Request&);
  StatusCode code;
  std::string_view message;  // part of it
};

TEST(ClientUnaryTest, each_answer_has_its_status) {
  using S = ScriptedServer;
  using R = ScriptedServer::Request;
  // clang-format off: a table, one answer a line
  const std::vector<Answer> answers = {
      {"[156] trailers only", [](S& s, R& r) { s.trailers_only(r, "5", "no such group"); }, StatusCode::kNotFound, "no such group"},
      {"[154] a message with bad escapes", [](S& s, R& r) { s.trailers_only(r, "5", "100% %zz %41"); }, StatusCode::kNotFound, "100% %zz A"},
      {"[153] a status that is no number", [](S& s, R& r) { s.trailers_only(r, "abc"); }, StatusCode::kUnknown, "abc"},
      {"[153] a status without a name", [](S& s, R& r) { s.trailers_only(r, "99"); }, StatusCode::kUnknown, ""},
      {"headers, then an error", [](S& s, R& r) { s.send_headers(r); s.send_trailers(r, "8"); }, StatusCode::kResourceExhausted, ""},
      {"a message, then an error", [](S& s, R& r) { s.send_headers(r); s.send_message(r, "m"); s.send_trailers(r, "10"); }, StatusCode::kAborted, ""},
      {"grpc-status in headers that aren't the end", [](S& s, R& r) { s.send_headers(r, {{"grpc-status", "3"}}); s.send_message(r, "m"); s.send_trailers(r, "0"); }, StatusCode::kOk, ""},
      {"[151] no trailers", [](S& s, R& r) { s.send_headers(r); s.send_raw(r, framed("m"), true); }, StatusCode::kInternal, "without sending trailers"},
      {"[152] trailers without a status", [](S& s, R& r) { s.send_headers(r); s.send_message(r, "m"); s.send_trailer_fields(r, {{"x-a", "b"}}); }, StatusCode::kUnknown, "no grpc-status"},
      {"[150] OK without a message", [](S& s, R& r) { s.send_headers(r); s.send_trailers(r, "0"); }, StatusCode::kInternal, "without a message"},
      {"[158] two messages", [](S& s, R& r) { s.send_headers(r); s.send_message(r, "a"); s.send_message(r, "b"); s.send_trailers(r, "0"); }, StatusCode::kInternal, "second message"},
      {"[148] the end within a message", [](S& s, R& r) { s.send_headers(r); s.send_raw(r, framed("message").substr(0, 7)); s.send_trailers(r, "0"); }, StatusCode::kInternal, "within a message"},
      {"[140] compressed without an encoding", [](S& s, R& r) { s.send_headers(r); s.send_raw(r, std::string("\1\0\0\0\1x", 6)); s.send_trailers(r, "0"); }, StatusCode::kInternal, "compressed"},
      {"[141] undefined flags", [](S& s, R& r) { s.send_headers(r); s.send_raw(r, std::string("\2\0\0\0\1x", 6)); s.send_trailers(r, "0"); }, StatusCode::kInternal, "flags"},
      {"[144] a length of 4 GiB", [](S& s, R& r) { s.send_headers(r); s.send_raw(r, std::string("\0\xff\xff\xff\xff", 5)); }, StatusCode::kResourceExhausted, "4294967295"},
      {"[130] a proxy's page", [](S& s, R& r) { s.send_headers(r, {}, "200", "text/html"); s.send_raw(r, "<h1>hello</h1>", true); }, StatusCode::kUnknown, "<h1>hello</h1>"},
      {"[188] bad gateway", [](S& s, R& r) { s.send_headers(r, {}, "502", "text/plain"); s.send_raw(r, "nobody home", true); }, StatusCode::kUnavailable, "nobody home"},
      {"not found by HTTP", [](S& s, R& r) { s.send_headers(r, {}, "404", "", true); }, StatusCode::kUnimplemented, "404"},
      {"forbidden by HTTP", [](S& s, R& r) { s.send_headers(r, {}, "403", "", true); }, StatusCode::kPermissionDenied, "403"},
      {"no content-type", [](S& s, R& r) { s.send_headers(r, {}, "200", "", true); }, StatusCode::kUnknown, "no content-type"},
      {"an HTTP error with a grpc-status", [](S& s, R& r) { s.send_headers(r, {{"grpc-status", "16"}}, "403", "application/grpc", true); }, StatusCode::kUnauthenticated, ""},
      {"[160] reset by CANCEL", [](S& s, R& r) { s.reset(r, http2::ErrorCode::kCancel); }, StatusCode::kCancelled, "CANCEL"},
      {"reset by INTERNAL_ERROR", [](S& s, R& r) { s.reset(r, http2::ErrorCode::kInternalError); }, StatusCode::kInternal, "INTERNAL_ERROR"},
      {"reset by ENHANCE_YOUR_CALM", [](S& s, R& r) { s.reset(r, http2::ErrorCode::kEnhanceYourCalm); }, StatusCode::kResourceExhausted, ""},
      {"reset by INADEQUATE_SECURITY", [](S& s, R& r) { s.reset(r, http2::ErrorCode::kInadequateSecurity); }, StatusCode::kPermissionDenied, ""},
      {"[76] reset by a code that nobody knows", [](S& s, R& r) { s.reset(r, static_cast<http2::ErrorCode>(0xfeed)); }, StatusCode::kUnknown, ""},
      {"reset after headers", [](S& s, R& r) { s.send_headers(r); s.reset(r, http2::ErrorCode::kInternalError); }, StatusCode::kInternal, ""},
  };
  // clang-format on
  ClientWorld world;
  world.connect();
  for (const Answer& answer : answers) {
    UnaryRun call(world, Context{}, "ask");
    world.settle();
    ASSERT_FALSE(world.server().requests.empty()) << answer.name;
    answer.give(world.server(), *world.server().requests.back());
    world.settle();
    ASSERT_TRUE(call.done()) << answer.name;
    const Status status = call.status();
    EXPECT_EQ(status.code(), answer.code) << answer.name << ": " << status.to_string();
    EXPECT_NE(status.message().find(answer.message), std::string_view::npos)
        << answer.name << ": " << status.to_string();
  }
  EXPECT_EQ(world.network.servers.size(), 1u) << "none of this is the connection's fault";
  EXPECT_EQ(world.conn->counters().calls_now, 0u);
}

TEST(ClientUnaryTest, details_come_through_and_corrupt_ones_are_dropped) {  // [155]
  ClientWorld world;
  world.connect();
  UnaryRun good(world, Context{}, "a");
  UnaryRun bad(world, Context{}, "b");
  world.settle();
  world.server().send_headers(world.request(0), {{"grpc-status", "9"}, {"grpc-status-details-bin", "CAk"}}, "200",
                              "application/grpc", true);
  world.server().send_headers(world.request(1), {{"grpc-status", "9"}, {"grpc-status-details-bin", "!!!"}}, "200",
                              "application/grpc", true);
  world.settle();
  EXPECT_EQ(good.status().details(), "\x08\x09");
  const Status status = bad.status();
  EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition) << "the status is worth more than its details";
  EXPECT_TRUE(status.details().empty());
}

TEST(ClientUnaryTest, messages_cut_at_every_byte_arrive) {  // [147]
  ClientWorld world;
  world.connect();
  UnaryRun call(world, Context{}, "ask");
  world.settle();
  world.server().send_headers(world.request());
  for (const char byte : framed("a reply")) {
    world.server().send_raw(world.request(), std::string_view(&byte, 1));
    world.settle();
  }
  world.server().send_trailers(world.request(), "0");
  world.settle();
  ASSERT_TRUE(call.done());
  EXPECT_TRUE(call.status().is_ok());
  EXPECT_EQ(call.response.view(), "a reply");
}

// --- Limits ---

TEST(ClientUnaryTest, message_limits_hold_in_both_directions) {  // [143]
  ClientWorld world;
  ClientConnOptions options;
  options.call_defaults.max_receive_bytes = 4;
  world.connect(options);
  UnaryRun large(world, Context{}, "12345", {.max_send_bytes = 4});
  world.settle();
  ASSERT_TRUE(large.done());
  EXPECT_EQ(large.status().code(), StatusCode::kResourceExhausted);
  EXPECT_TRUE(world.server().requests.empty()) << "what can't be sent doesn't bother the server";

  UnaryRun fits(world, Context{}, "1234", {.max_send_bytes = 4});
  UnaryRun own(world, Context{}, "a", {.max_receive_bytes = 5});
  world.settle();
  world.server().answer(world.request(0), "12345");
  world.server().answer(world.request(1), "12345");
  world.settle();
  EXPECT_EQ(fits.status().code(), StatusCode::kResourceExhausted) << "the connection's default";
  EXPECT_TRUE(own.status().is_ok()) << "the call's own limit wins";
}

TEST(ClientUnaryTest, four_mebibytes_are_received_by_default_and_no_more) {
  ClientWorld world;
  world.connect();
  const std::string large(size_t{4} << 20, 'x');
  UnaryRun fits(world, Context{}, large);
  UnaryRun over(world, Context{}, "b");
  world.settle();
  ASSERT_EQ(world.server().requests.size(), 2u);
  EXPECT_EQ(world.request(0).messages().front(), large) << "sent through many windows";
  world.server().answer(world.request(0), large);
  world.server().answer(world.request(1), large + "x");
  world.settle();
  EXPECT_TRUE(fits.status().is_ok());
  EXPECT_EQ(fits.response.size(), large.size());
  EXPECT_EQ(over.status().code(), StatusCode::kResourceExhausted);
}

TEST(ClientUnaryTest, the_rest_of_a_large_answer_is_let_in_at_once) {
  ClientWorld world;
  world.connect();
  UnaryRun run(world, Context{}, "b");
  world.settle();
  const uint64_t before = world.server().http2().counters().frames_received;
  world.server().answer(world.request(), std::string(size_t{3} << 20, 'x'));
  world.settle();
  EXPECT_TRUE(run.status().is_ok());
  EXPECT_LE(world.server().http2().counters().frames_received, before + 11)
      << "the connection's window is widened by halves of 1 MiB, the stream's once, and a PING measures the round trip";
}

// --- Cancellation ---

TEST(ClientUnaryTest, cancelling_the_context_resets_the_stream) {  // [161]
  ClientWorld world;
  world.connect();
  CancelSource source;
  UnaryRun call(world, source.context(), "ask");
  world.settle();
  source.cancel();
  world.settle();
  ASSERT_TRUE(call.done());
  EXPECT_EQ(call.status().code(), StatusCode::kCancelled);
  EXPECT_EQ(world.request().reset, http2::ErrorCode::kCancel);
  UnaryRun late(world, source.context(), "ask");
  ASSERT_TRUE(late.done()) << "a context that is cancelled starts nothing";
  EXPECT_EQ(late.status().code(), StatusCode::kCancelled);
}

TEST(ClientUnaryTest, every_second_of_a_thousand_calls_cancelled_leaves_the_others_alone) {
  ClientWorld world;
  world.network.server_options.limits.max_concurrent_streams = 2000;
  world.connect();
  std::vector<std::unique_ptr<CancelSource>> sources;
  std::vector<std::unique_ptr<UnaryRun>> calls;
  for (int i = 0; i < 1000; ++i) {
    sources.push_back(std::make_unique<CancelSource>());
    calls.push_back(std::make_unique<UnaryRun>(world, sources.back()->context(), std::to_string(i)));
  }
  world.settle();
  ASSERT_EQ(world.server().requests.size(), 1000u);
  for (size_t i = 0; i < 1000; i += 2) sources[i]->cancel();
  world.settle();
  for (const auto& request : world.server().requests) {
    if (!request->reset) world.server().answer(*request, "to " + request->messages().front());
  }
  world.settle();
  for (size_t i = 0; i < 1000; ++i) {
    ASSERT_TRUE(calls[i]->done()) << i;
    const Status status = calls[i]->status();
    if (i % 2 == 0) {
      EXPECT_EQ(status.code(), StatusCode::kCancelled) << i;
    } else {
      EXPECT_TRUE(status.is_ok()) << i << status.to_string();
      EXPECT_EQ(calls[i]->response.view(), "to " + std::to_string(i));
    }
  }
  EXPECT_EQ(world.network.servers.size(), 1u);
}

TEST(ClientUnaryTest, the_deadline_and_the_answer_at_once_give_one_outcome) {  // [162]
  ClientWorld world;
  world.connect();
  UnaryRun call(world, world.in(10ms), "ask");
  world.settle();
  world.server().answer(world.request(), "reply");
  world.time.clock.advance(10ms);
  world.time.loop.advance_to_clock();
  world.settle();
  ASSERT_TRUE(call.done());
  EXPECT_EQ(call.status().code(), StatusCode::kDeadlineExceeded) << "the timer came first, and that's that";
  EXPECT_EQ(world.conn->counters().calls_now, 0u);
}

TEST(ClientUnaryTest, a_servers_cancel_after_the_deadline_is_the_deadline) {
  ClientWorld world;
  world.connect();
  UnaryRun call(world, world.in(10ms), "ask");
  world.settle();
  world.server().reset(world.request(), http2::ErrorCode::kCancel);
  world.time.clock.advance(10ms);
  world.settle();
  ASSERT_TRUE(call.done());
  EXPECT_EQ(call.status().code(), StatusCode::kDeadlineExceeded);
}

// --- Hooks ---

class RecordingHook final : public CallOption {
 public:
  Status refusal;
  std::vector<std::string>* log;
  std::string name;
  RecordingHook(std::vector<std::string>& where, std::string called) : log(&where), name(std::move(called)) {}
  Status before(CallInfo& info) override {
    log->push_back(name + " before " + std::string(info.method));
    return refusal;
  }
  void after(const CallInfo&, const CallAttempt& attempt) noexcept override {
    log->push_back(name + " after " + std::string(status_code_name(attempt.status.code())));
  }
};

TEST(ClientUnaryTest, hooks_run_around_the_call_once_each) {
  ClientWorld world;
  std::vector<std::string> log;
  RecordingHook outer(log, "outer"), inner(log, "inner");
  CallOption* defaults[] = {&outer};
  CallOption* own[] = {&inner};
  ClientConnOptions options;
  options.call_defaults.custom = defaults;
  world.connect(options);
  UnaryRun call(world, Context{}, "ask", {.custom = own});
  world.settle();
  world.server().trailers_only(world.request(), "5");
  world.settle();
  EXPECT_EQ(call.status().code(), StatusCode::kNotFound);
  EXPECT_EQ(log, (std::vector<std::string>{"outer before /test.Service/Unary", "inner before /test.Service/Unary",
                                           "inner after NOT_FOUND", "outer after NOT_FOUND"}));
  log.clear();
  inner.refusal = Status::permission_denied("not today");
  UnaryRun refused(world, Context{}, "ask", {.custom = own});
  ASSERT_TRUE(refused.done());
  EXPECT_EQ(refused.status().code(), StatusCode::kPermissionDenied);
  EXPECT_EQ(log.back(), "outer after PERMISSION_DENIED") << "only hooks that agreed hear of the end";
  EXPECT_EQ(log.size(), 3u);
  EXPECT_EQ(world.server().requests.size(), 1u) << "nothing was sent";
}

}  // namespace
}  // namespace gaggle
