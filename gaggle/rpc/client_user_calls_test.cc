// SPDX-License-Identifier: Apache-2.0
//
// What stands before a client's calls and connections, and throws or gives nothing: it costs calls, never the
// program, and everybody hears the same.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gaggle/rpc/call_attempt.h"
#include "gaggle/rpc/client_interceptor_testing.h"
#include "gaggle/rpc/client_user_code_testing.h"

namespace gaggle {
namespace {

using namespace std::chrono_literals;

// --- Dialers and credentials ---

using Dialled = Result<std::unique_ptr<ByteStream>>;

struct WilfulDialer final : Dialer {
  explicit WilfulDialer(Dialer& real) : below(real) {}
  Task<Dialled> dial(Loop& loop, Address address, Context context) override {
    if (bad == "at once") fail_loudly();
    if (bad == "later") return throws();
    if (bad == "null") return Task<Dialled>::ready(std::unique_ptr<ByteStream>());
    return below.dial(loop, std::move(address), std::move(context));
  }
  static Task<Dialled> throws() {
    fail_loudly();
    co_return Status::ok();
  }
  Dialer& below;
  std::string bad;
};

struct WilfulCredentials final : ChannelCredentials {
  SecurityLevel security_level() const noexcept override { return SecurityLevel::kNone; }
  std::string_view scheme() const noexcept override { return "http"; }
  Task<Dialled> handshake(std::unique_ptr<ByteStream> stream, std::string, Context) const override {
    if (bad == "at once") fail_loudly();
    if (bad == "later") return WilfulDialer::throws();
    if (bad == "null") stream.reset();
    return Task<Dialled>::ready(std::move(stream));
  }
  Status check_authority(const StreamSecurity*, std::string_view) const override { fail_loudly(); }
  std::string bad;
};

TEST(ClientUserCode, a_dialer_or_a_handshake_that_throws_fails_the_attempt_to_connect) {
  for (const bool dialling : {true, false}) {
    ClientWorld world;
    WilfulDialer dialer(world.network);
    WilfulCredentials credentials;
    ClientConnOptions options{.credentials = &credentials};
    options.dialer = &dialer;
    options.backoff.max = 1s;
    world.conn = std::move(*ClientConn::create(world.loops, "passthrough:///a:1", options));
    std::string& bad = dialling ? dialer.bad : credentials.bad;
    const std::string who = dialling ? "the dialer" : "the credentials";
    for (const auto& [mode, words] :
         std::vector<std::pair<std::string, std::string>>{{"at once", " threw an exception: no idea"},
                                                          {"later", " threw an exception: no idea"},
                                                          {"null", " gave no stream"}}) {
      bad = mode;
      world.advance(2s);
      const std::string heard = outcome_of_call(world);
      EXPECT_TRUE(heard.starts_with("UNAVAILABLE") && heard.ends_with(": a:1: " + who + words))
          << mode << ": " << heard;
      EXPECT_EQ(world.conn->state(), ConnectivityState::kTransientFailure);
    }
    bad.clear();
    world.advance(2s);
    EXPECT_EQ(outcome_of_call(world, {.wait_for_ready = true}), "OK") << "attempts go on";
    EXPECT_EQ(outcome_of_call(world, {.authority = "other"}),
              "UNAVAILABLE: unix:@pipe/server: the credentials' check_authority() threw an exception: no idea");
    world.conn.reset();
  }
}

// --- Interceptors and hooks ---

Task<Status> throws_at_once(UnaryDo&, Context, std::string_view, ConstMessage, Message, CallOptions, UnaryInvoker&) {
  fail_loudly();
}
Task<Status> throws_after(UnaryDo&, Context context, std::string_view method, ConstMessage request, Message response,
                          CallOptions options, UnaryInvoker& next) {
  Task<Status> rest = next(std::move(context), method, request, response, options);
  static_cast<void>(co_await std::move(rest));
  fail_loudly();
}
Task<Status> notes(UnaryDo& self, Context context, std::string_view method, ConstMessage request, Message response,
                   CallOptions options, UnaryInvoker& next) {
  Task<Status> rest = next(std::move(context), method, request, response, options);
  Status status = co_await std::move(rest);
  self.log->push_back("outer " + std::string(status_code_name(status.code())));
  co_return status;
}

struct WilfulOption final : CallOption {
  explicit WilfulOption(Texts& texts, bool throws) : log(texts), throwing(throws) {}
  Status before(CallInfo&) override {
    if (throwing) fail_loudly();
    return {};
  }
  void after(const CallInfo&, const CallAttempt& attempt) noexcept override {
    log.push_back("after " + std::string(status_code_name(attempt.status.code())));
  }
  Texts& log;
  const bool throwing;
};

TEST(ClientUserCode, everybody_hears_the_same_of_an_interceptor_that_throws) {
  for (const auto body : {throws_at_once, throws_after}) {
    ClientWorld world;
    Texts log;
    UnaryDo outer(notes, {}, &log), throwing(body);
    ClientConnOptions options;
    options.unary_interceptors = {&outer, &throwing};
    world.connect(options);
    CountFinish finish(log, "finish ");
    WilfulOption option(log, false);
    FinishHook* const finishes[] = {&finish};
    CallOption* const custom[] = {&option};
    EXPECT_EQ(outcome_of_call(world, {.custom = custom, .on_finish = finishes}),
              "INTERNAL: an interceptor threw an exception: no idea");
    EXPECT_EQ(log, (Texts{"outer INTERNAL", "after INTERNAL", "finish INTERNAL"}));
    world.conn.reset();
  }
}

TEST(ClientUserCode, everybody_hears_the_same_of_an_option_that_throws) {
  ClientWorld world;
  world.connect();
  Texts log;
  CountFinish finish(log, "finish ");
  WilfulOption agrees(log, false), throwing(log, true);
  FinishHook* const finishes[] = {&finish};
  CallOption* const custom[] = {&agrees, &throwing};
  const CallOptions options{.custom = custom, .on_finish = finishes};
  EXPECT_EQ(outcome_of_call(world, options), "INTERNAL: a CallOption threw an exception: no idea");
  EXPECT_EQ(log, (Texts{"after INTERNAL", "finish INTERNAL"})) << "only who has agreed hears the end";
  log.clear();
  Running<Result<std::unique_ptr<ClientStream>>> opening(
      world, world.conn->new_stream(Context{}, kBidiStream, "/test.Service/Bidi", options));
  world.settle();
  EXPECT_EQ(opening.take().status().to_string(), "INTERNAL: a CallOption threw an exception: no idea");
  EXPECT_EQ(log, (Texts{"after INTERNAL", "finish INTERNAL"}));
}

struct WilfulStreams final : StreamClientInterceptor {
  using Opened = Result<std::unique_ptr<ClientStream>>;
  struct Throwing final : ClientStreamWrapper {
    using ClientStreamWrapper::ClientStreamWrapper;
    Task<Result<bool>> send(ConstMessage, SendOptions) override { fail_loudly(); }
    Task<Result<bool>> recv(Message) override { fail_loudly(); }
  };
  Task<Opened> intercept(Context context, const StreamDesc& desc, std::string_view method, CallOptions options,
                         ClientConnInterface&, Streamer& next) override {
    if (bad == "at once") fail_loudly();
    if (bad == "null") return Task<Opened>::ready(std::unique_ptr<ClientStream>());
    return run(*this, std::move(context), desc, method, options, next);
  }
  static Task<Opened> run(WilfulStreams& self, Context context, const StreamDesc& desc, std::string_view method,
                          CallOptions options, Streamer& next) {
    Task<Opened> rest = next(std::move(context), desc, method, options);
    Opened stream = co_await std::move(rest);
    if (self.bad == "later") fail_loudly();
    if (!stream || self.bad != "stream") co_return stream;
    std::unique_ptr<ClientStream> wrapped = std::make_unique<Throwing>(*std::move(stream));
    co_return wrapped;
  }
  std::string bad;
};

struct StreamsWorld : ClientWorld {
  WilfulStreams outer, inner;
  Texts log;
  CountFinish finish{log};
  FinishHook* const finishes[1] = {&finish};
  StreamsWorld() {
    ClientConnOptions options;
    options.stream_interceptors = {&outer, &inner};
    connect(options);
  }
  ~StreamsWorld() { conn.reset(); }
  WilfulStreams::Opened open() {
    Running<WilfulStreams::Opened> opening(
        *this, conn->new_stream(Context{}, kBidiStream, "/test.Service/Bidi", {.on_finish = finishes}));
    settle();
    return opening.take();
  }
};

TEST(ClientUserCode, a_stream_interceptor_that_throws_or_gives_no_stream_ends_the_call) {
  for (const char* bad : {"at once", "later", "null"}) {
    for (const bool outermost : {true, false}) {
      StreamsWorld world;
      (outermost ? world.outer : world.inner).bad = bad;
      EXPECT_EQ(world.open().status().to_string(), std::string_view(bad) == "null"
                                                       ? "INTERNAL: an interceptor gave no stream"
                                                       : "INTERNAL: an interceptor threw an exception: no idea");
      EXPECT_EQ(world.log, Texts{"INTERNAL"}) << bad;
    }
  }
}

TEST(ClientUserCode, a_wrapped_stream_that_throws_ends_the_call_for_those_who_hear_of_its_end) {
  for (const bool sending : {true, false}) {
    StreamsWorld world;
    world.inner.bad = "stream";
    WilfulStreams::Opened opened = world.open();
    ASSERT_TRUE(opened.is_ok());
    Bytes message = Bytes::copy_of("x");
    Running<Result<bool>> operation(
        world, sending ? (*opened)->send(message_of(std::as_const(message))) : (*opened)->recv(message_of(message)));
    world.settle();
    EXPECT_EQ(operation.take().status().to_string(), "INTERNAL: an interceptor's stream threw an exception: no idea");
    EXPECT_EQ(world.log, Texts{"INTERNAL"});
    const Loop::Enter enter(world.time.loop);
    opened->reset();
  }
}

}  // namespace
}  // namespace gaggle
