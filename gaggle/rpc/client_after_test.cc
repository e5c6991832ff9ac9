// SPDX-License-Identifier: Apache-2.0
//
// CallOption: before and after once per call, outside of all interceptors, and what after is told of
// the call's last attempt.
#include <gtest/gtest.h>

#include <optional>

#include "gaggle/rpc/call_attempt.h"
#include "gaggle/rpc/client_interceptor_testing.h"
#include "gaggle/rpc/client_stream_testing.h"
#include "gaggle/rpc/codec_testing.h"

namespace gaggle {
namespace {

using namespace std::chrono_literals;

class Recording final : public CallOption {
 public:
  int befores = 0;
  int afters = 0;
  bool static_method = false;
  std::string_view set_subtype{};
  std::optional<CallAttempt> attempt;

  Status before(CallInfo& info) override {
    ++befores;
    EXPECT_TRUE(info.options->custom.empty());
    if (!set_subtype.empty()) info.options->content_subtype = set_subtype;
    return {};
  }
  void after(const CallInfo& info, const CallAttempt& last) noexcept override {
    ++afters;
    static_method = info.options->static_method;
    attempt = last;
  }
};

struct AfterWorld : StreamWorld {
  Recording hook;
  CallOption* const custom[1] = {&hook};
  CallOptions options{.custom = custom};
  const CodecRegistry codecs = with_reversing_codec();

  explicit AfterWorld(ClientConnOptions its_options = {}) {
    its_options.codecs = &codecs;
    connect(its_options);
  }
  void expect_once() const {
    EXPECT_EQ(hook.befores, 1);
    EXPECT_EQ(hook.afters, 1);
  }
};

constexpr std::string_view kRetries =
    R"({"methodConfig": [{"name": [{}], "retryPolicy": {"maxAttempts": 3, "initialBackoff": "0.1s",
        "maxBackoff": "1s", "backoffMultiplier": 1, "retryableStatusCodes": ["UNAVAILABLE"]}}]})";

TEST(CallOptionAfter, hears_of_peer_metadata_and_attempts) {
  AfterWorld world({.default_service_config = kRetries});
  Metadata header;
  CallOptions options = world.options;
  options.header = &header;
  UnaryRun call(world, Context{}, "ask", options);
  world.settle();
  world.server().trailers_only(world.request(0), "14");
  world.settle();
  world.advance(120ms);
  world.server().send_headers(world.request(1), {{"x-head", "h"}});
  world.server().send_message(world.request(1), "reply");
  EXPECT_EQ(world.hook.afters, 0) << "not over yet";
  world.server().send_trailers(world.request(1), "9", {{"x-tail", "t"}});
  world.settle();
  world.expect_once();
  const CallAttempt& attempt = *world.hook.attempt;
  EXPECT_EQ(attempt.status.code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(attempt.attempts, 2u);
  EXPECT_FALSE(attempt.peer.address.empty());
  EXPECT_TRUE(attempt.has_header);
  EXPECT_EQ(attempt.header.get("x-head"), "h");
  EXPECT_EQ(attempt.trailer.get("x-tail"), "t");
  EXPECT_EQ(header.get("x-head"), "h") << "the caller gets its own";
}

TEST(CallOptionAfter, trailers_alone_are_no_header) {
  AfterWorld world;
  UnaryRun call(world, Context{}, "ask", world.options);
  world.settle();
  world.server().trailers_only(world.request(), "5");
  world.settle();
  world.expect_once();
  EXPECT_FALSE(world.hook.attempt->has_header);
  EXPECT_EQ(world.hook.attempt->attempts, 1u);
}

TEST(CallOptionAfter, a_call_that_never_was_on_a_connection_has_no_peer) {
  AfterWorld world;
  UnaryRun expired(world, world.in(0s), "ask", world.options);
  world.settle();
  world.expect_once();
  EXPECT_EQ(world.hook.attempt->status.code(), StatusCode::kDeadlineExceeded);
  EXPECT_EQ(world.hook.attempt->attempts, 0u) << "none was begun";
  EXPECT_TRUE(world.hook.attempt->peer.address.empty());
  world.network.mode = ScriptedNetwork::Mode::kSilent;
  UnaryRun waiting(world, world.in(1s), "ask", world.options);
  world.advance(2s);
  EXPECT_EQ(world.hook.afters, 2);
  EXPECT_EQ(world.hook.attempt->attempts, 1u) << "it looked for a place";
  EXPECT_TRUE(world.hook.attempt->peer.address.empty());
}

TEST(CallOptionAfter, runs_when_the_call_is_given_up) {
  AfterWorld world;
  {
    UnaryRun call(world, Context{}, "ask", world.options);
    world.settle();
  }
  world.settle();
  world.expect_once();
  EXPECT_EQ(world.hook.attempt->status.code(), StatusCode::kCancelled);
}

TEST(CallOptionAfter, what_before_changes_holds) {
  AfterWorld world;
  world.hook.set_subtype = "reversed";
  CallOptions options = world.options;
  options.static_method = true;
  UnaryRun call(world, Context{}, "abc", options);
  world.settle();
  EXPECT_EQ(world.request().header("content-type"), "application/grpc+reversed");
  EXPECT_EQ(world.request().messages(), std::vector<std::string>{"cba"});
  world.server().answer(world.request(), reversed("bad"));
  world.settle();
  world.expect_once();
  EXPECT_EQ(world.hook.attempt->status.code(), StatusCode::kOutOfRange) << "what the caller gets, of the codec";
  EXPECT_TRUE(world.hook.static_method);
}

// --- Interceptors ---

Task<Status> answer_myself(UnaryDo&, Context, std::string_view, ConstMessage, Message, CallOptions, UnaryInvoker&) {
  co_return Status::data_loss("mine");
}

Task<Status> twice(UnaryDo&, Context context, std::string_view method, ConstMessage request, Message response,
                   CallOptions options, UnaryInvoker& next) {
  Task<Status> first = next(context, method, request, response, options);
  static_cast<void>(co_await std::move(first));
  Task<Status> second = next(context, method, request, response, options);
  Status status = co_await std::move(second);
  co_return status;
}

TEST(CallOptionAfter, runs_once_when_an_interceptor_answers) {
  UnaryDo mine(answer_myself);
  AfterWorld world({.unary_interceptors = {&mine}});
  UnaryRun call(world, Context{}, "ask", world.options);
  world.settle();
  world.expect_once();
  EXPECT_EQ(world.hook.attempt->status.code(), StatusCode::kDataLoss);
  EXPECT_EQ(world.hook.attempt->attempts, 0u);
  EXPECT_TRUE(world.network.dialled.empty());
}

TEST(CallOptionAfter, runs_once_when_an_interceptor_calls_twice) {
  UnaryDo again(twice);
  AfterWorld world({.unary_interceptors = {&again}});
  UnaryRun call(world, Context{}, "ask", world.options);
  world.settle();
  world.server().trailers_only(world.request(0), "5");
  world.settle();
  EXPECT_EQ(world.hook.afters, 0);
  world.server().answer(world.request(1), "reply");
  world.settle();
  world.expect_once();
  EXPECT_TRUE(world.hook.attempt->status.is_ok());
  EXPECT_TRUE(world.hook.attempt->has_header) << "of the second";
}

// An interceptor that adds a hook to what it passes on, and makes a call of its own first.
Task<Status> add_hook(UnaryDo& self, Context context, std::string_view method, ConstMessage request, Message response,
                      CallOptions options, UnaryInvoker& next) {
  Task<Status> own = self.below->invoke(context, "/test.Service/Own", request, response, {});
  static_cast<void>(co_await std::move(own));
  options.custom = self.seen.custom;
  Task<Status> rest = next(context, method, request, response, options);
  Status status = co_await std::move(rest);
  co_return status;
}

TEST(CallOptionAfter, interceptors_add_hooks_and_their_own_calls_have_the_connections) {
  UnaryDo adding(add_hook);
  Recording of_connection, of_interceptor;
  CallOption* const added[] = {&of_interceptor};
  adding.seen.custom = added;
  CallOption* const defaults[] = {&of_connection};
  ClientConnOptions options{.unary_interceptors = {&adding}};
  options.call_defaults.custom = defaults;
  AfterWorld world(options);
  UnaryRun call(world, Context{}, "ask", world.options);
  world.settle();
  EXPECT_EQ(of_connection.befores, 2) << "of the call, and of the interceptor's own";
  world.server().answer(world.request(0), "own");
  world.settle();
  EXPECT_EQ(of_connection.afters, 1);
  EXPECT_EQ(world.hook.afters, 0);
  world.server().answer(world.request(1), "reply");
  world.settle();
  world.expect_once();
  EXPECT_EQ(of_connection.afters, 2);
  EXPECT_EQ(of_interceptor.afters, 1);
  EXPECT_EQ(of_interceptor.attempt->attempts, 1u);
  EXPECT_EQ(world.hook.attempt->attempts, 1u) << "hooks further out know it, too";
  EXPECT_FALSE(world.hook.attempt->peer.address.empty());
}

// --- Streams ---

TEST(CallOptionAfter, hears_of_a_streams_end) {
  AfterWorld world;
  world.open(kBidiStream, {}, world.options);
  world.server().send_headers(world.request(), {{"x-head", "h"}});
  world.server().send_message(world.request(), "1");
  world.server().send_trailers(world.request(), "9", {{"x-tail", "t"}});
  world.settle();
  EXPECT_EQ(world.recv(), "1");
  EXPECT_EQ(world.hook.afters, 0) << "not over yet, for the caller";
  world.recv();
  world.recv();
  world.stream.reset();
  world.expect_once();
  const CallAttempt& attempt = *world.hook.attempt;
  EXPECT_EQ(attempt.status.code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(attempt.attempts, 1u);
  EXPECT_FALSE(attempt.peer.address.empty());
  EXPECT_TRUE(attempt.has_header);
  EXPECT_EQ(attempt.header.get("x-head"), "h");
  EXPECT_EQ(attempt.trailer.get("x-tail"), "t");
}

TEST(CallOptionAfter, hears_of_a_stream_that_is_destroyed_what_was_known_of_it) {
  AfterWorld world;
  world.open(kBidiStream, {}, world.options);
  world.server().send_headers(world.request(), {{"x-head", "h"}});
  world.server().send_message(world.request(), "1");
  world.settle();
  EXPECT_EQ(world.recv(), "1");
  world.stream.reset();
  world.expect_once();
  EXPECT_EQ(world.hook.attempt->status.code(), StatusCode::kCancelled);
  EXPECT_EQ(world.hook.attempt->header.get("x-head"), "h");
  EXPECT_FALSE(world.hook.attempt->peer.address.empty());
}

TEST(CallOptionAfter, hears_of_a_stream_that_its_sender_ended) {
  AfterWorld world;
  CallOptions options = world.options;
  options.content_subtype = "reversed";
  world.open(kBidiStream, {}, options);
  EXPECT_FALSE(world.send("refuse"));
  world.expect_once();
  EXPECT_EQ(world.hook.attempt->status.code(), StatusCode::kOutOfRange);
  EXPECT_EQ(world.hook.attempt->attempts, 1u);
}

}  // namespace
}  // namespace gaggle
