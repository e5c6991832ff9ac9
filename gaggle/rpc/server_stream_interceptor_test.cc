// SPDX-License-Identifier: Apache-2.0
//
// Interceptors before streaming methods, and the handler of methods that nobody registered.
#include <gtest/gtest.h>

#include "gaggle/rpc/echo_testing.h"
#include "gaggle/rpc/server_testing.h"

namespace gaggle {
namespace {

using Texts = std::vector<std::string>;

// Writes its name into what passes, in both directions, and counts.
class MarkingStream final : public ServerStreamWrapper {
 public:
  MarkingStream(ServerStream& stream, std::string_view name) : ServerStreamWrapper(stream), name_(name) {}

  Task<Result<bool>> recv(Message message) override {
    Result<bool> more = co_await wrapped().recv(message);
    if (more && *more) static_cast<Text*>(message.object)->value.append(">").append(name_);
    co_return more;
  }
  Task<Status> send(ConstMessage message, SendOptions options) override {
    Text replaced{static_cast<const Text*>(message.object)->value + "<" + std::string(name_)};
    co_return co_await wrapped().send(message_of(std::as_const(replaced)), options);
  }

 private:
  std::string_view name_;
};

class Marking final : public StreamServerInterceptor {
 public:
  explicit Marking(std::string name) : name_(std::move(name)) {}
  Task<Status> intercept(ServerStream& stream, const StreamServerInfo& info, StreamHandler& next) override {
    ++calls;
    infos.push_back(info);
    methods.emplace_back(info.full_method);
    EXPECT_EQ(stream.context().method(), info.full_method);
    if (stream.context().metadata().get("stop-at") == name_) co_return Status::permission_denied(name_);
    EXPECT_TRUE(stream.context().set_trailer("passed", name_).is_ok());
    MarkingStream marked(stream, name_);
    Status status = co_await next(marked);
    statuses.push_back(status.code());
    if (status.code() == StatusCode::kInternal) co_return Status::data_loss("replaced by " + name_);
    co_return status;
  }
  int calls = 0;
  std::vector<StreamServerInfo> infos;
  Texts methods;
  std::vector<StatusCode> statuses;

 private:
  std::string name_;
};

ClientCall& chat(ServerWorld& world, const Texts& messages, const TestFields& more = {}) {
  ClientCall& call = world.client().start(FrameClient::request("Chat", more));
  for (const std::string& text : messages) world.client().send(call, FrameClient::message(text));
  world.client().send(call, {}, true);
  return world.finish(call);
}

// --- Interceptors ---

TEST(StreamInterceptors, the_first_is_outermost_and_each_sees_and_replaces_messages) {
  Marking a("a"), b("b"), c("c");
  ServerWorld world({.stream_interceptors = {&a, &b, &c}});
  ClientCall& call = chat(world, {"1", "2"});
  EXPECT_EQ(call.messages(), (Texts{"1>a>b>c<c<b<a", "2>a>b>c<c<b<a"}))
      << "what comes passes from the outermost in, what goes from the innermost out";
  EXPECT_EQ(call.grpc_status(), "0");
  Texts passed;
  for (const auto& [name, value] : call.trailer) {
    if (name == "passed") passed.push_back(value);
  }
  EXPECT_EQ(passed, (Texts{"a", "b", "c"})) << "trailers of all, in the order they were set";
}

TEST(StreamInterceptors, are_told_what_they_stand_before) {
  Marking only("only");
  ServerWorld world({.stream_interceptors = {&only}});
  chat(world, {});
  ASSERT_EQ(only.calls, 1);
  EXPECT_EQ(only.methods[0], "/test.Service/Chat");
  EXPECT_EQ(only.infos[0].service, &world.service);
  EXPECT_TRUE(only.infos[0].client_streams && only.infos[0].server_streams);
}

TEST(StreamInterceptors, one_may_answer_itself_and_what_is_behind_does_not_run) {
  Marking a("a"), b("b"), c("c");
  ServerWorld world({.stream_interceptors = {&a, &b, &c}});
  ClientCall& call = chat(world, {"1"}, {{"stop-at", "b"}});
  EXPECT_EQ(call.grpc_status(), "7");
  EXPECT_EQ(call.grpc_message(), "b");
  EXPECT_TRUE(call.trailers_only) << "no header section left before the status, so a client may retry";
  EXPECT_EQ(c.calls, 0);
  EXPECT_EQ(world.service.started, 0);
  EXPECT_EQ(a.statuses, (std::vector{StatusCode::kPermissionDenied})) << "the outer one sees the inner one's answer";
}

TEST(StreamInterceptors, one_may_replace_the_status) {
  Marking only("only");
  ServerWorld world({.stream_interceptors = {&only}});
  world.service.stream = [](TestService&, ServerStream&) -> Task<Status> { co_return Status::internal("secret"); };
  EXPECT_EQ(chat(world, {}).grpc_message(), "replaced by only");
}

TEST(StreamInterceptors, a_cancelled_call_ends_the_handler_and_them) {
  Marking a("a"), b("b");
  ServerWorld world({.stream_interceptors = {&a, &b}});
  ClientCall& call = world.client().start(FrameClient::request("Chat"));
  world.settle();
  world.client().reset(call);
  world.settle();
  EXPECT_EQ(a.statuses, (std::vector{StatusCode::kCancelled}));
  EXPECT_EQ(b.statuses, (std::vector{StatusCode::kCancelled}));
}

TEST(StreamInterceptors, one_that_throws_ends_its_call_only) {  // [223]
  class Throwing final : public StreamServerInterceptor {
    Task<Status> intercept(ServerStream&, const StreamServerInfo&, StreamHandler&) override {
      throw std::runtime_error("no coroutine yet");
    }
  } throwing;
  ServerWorld world({.stream_interceptors = {&throwing}});
  EXPECT_EQ(chat(world, {}).grpc_status(), "2");
  EXPECT_EQ(world.finish(world.client().call("Unary", "x")).grpc_status(), "0");
}

TEST(StreamInterceptors, unary_methods_have_their_own) {
  Marking only("only");
  ServerWorld world({.stream_interceptors = {&only}});
  EXPECT_EQ(world.finish(world.client().call("Unary", "x")).messages(), Texts{"x"});
  EXPECT_EQ(only.calls, 0);
}

// --- Methods that nobody registered ---

class AnyMethod final : public StreamHandler {
 public:
  Task<Status> operator()(ServerStream& stream) override {
    methods.emplace_back(stream.context().method());
    Task<Status> echo = echo_bytes(nullptr, stream);
    Status echoed = co_await std::move(echo);
    co_return echoed ? Status(StatusCode::kAborted, "as the handler says") : echoed;
  }
  Texts methods;
};

TEST(UnknownService, its_handler_gets_raw_messages_of_any_number) {
  AnyMethod any;
  ServerWorld world({.unknown_service = &any});
  ClientCall& call = world.client().start(FrameClient::request("x", {{":path", "/other.Service/Anything"}}));
  world.client().send(call, FrameClient::message("raw \xff bytes") + FrameClient::message(""), true);
  world.finish(call);
  EXPECT_EQ(call.messages(), (Texts{"raw \xff bytes", ""}));
  EXPECT_EQ(call.grpc_status(), "10");
  EXPECT_EQ(any.methods, Texts{"/other.Service/Anything"});
}

TEST(UnknownService, an_unknown_method_of_a_known_service_comes_too_and_known_ones_do_not) {  // [136]
  AnyMethod any;
  ServerWorld world({.unknown_service = &any});
  EXPECT_EQ(world.finish(world.client().call("Nope", "x")).grpc_status(), "10");
  EXPECT_EQ(world.finish(world.client().call("Unary", "x")).grpc_status(), "0");
  EXPECT_EQ(any.methods, Texts{"/test.Service/Nope"});
}

TEST(UnknownService, stream_interceptors_stand_before_it) {
  AnyMethod any;
  class Seeing final : public StreamServerInterceptor {
    Task<Status> intercept(ServerStream& stream, const StreamServerInfo& info, StreamHandler& next) override {
      EXPECT_EQ(info.service, nullptr);
      EXPECT_TRUE(info.client_streams && info.server_streams);
      seen.emplace_back(info.full_method);
      return next(stream);
    }

   public:
    Texts seen;
  } seeing;
  ServerWorld world({.stream_interceptors = {&seeing}, .unknown_service = &any});
  world.finish(world.client().call("x", "x", {{":path", "/a.B/C"}}));
  EXPECT_EQ(seeing.seen, Texts{"/a.B/C"});
}

// A path that two readers could take for two methods is nobody's (CVE-2026-33186).
constexpr const char* kMalformedPaths[] = {"",
                                           "/",
                                           "//",
                                           "test.Service/Unary",
                                           "a.B/C",
                                           "/a.B",
                                           "/a.B/",
                                           "//a.B/C",
                                           "/a.B//C",
                                           "/a.B/C/",
                                           "/a.B/C/x",
                                           "/a.B/C?x",
                                           "/a.B/C#x",
                                           "/a.B%2FC",
                                           "/a%2eB/C",
                                           "/a.B/%43",
                                           "/./C",
                                           "/../C",
                                           "/a.B/..",
                                           "/a.B/.",
                                           "/a.B\\C",
                                           "/a.B/\\C",
                                           "/a.B/C D",
                                           "/a.B/C\xc3\xbc",
                                           "*",
                                           "http://x/a.B/C",
                                           "/test.Service/Unary/",
                                           "/test.Service//Unary",
                                           "/x/../test.Service/Unary"};

TEST(UnknownService, malformed_paths_reach_neither_it_nor_an_interceptor_nor_a_method) {  // [111] [134] [135]
  AnyMethod any;
  Marking stream_guard("guard");
  ServerWorld world({.stream_interceptors = {&stream_guard}, .unknown_service = &any});
  for (const char* path : kMalformedPaths) {
    ClientCall& call = world.finish(world.client().call("x", "x", {{":path", path}}));
    EXPECT_TRUE(call.grpc_status() == "12" || call.reset == http2::ErrorCode::kProtocolError)
        << '"' << path << "\" " << call.grpc_status();
    EXPECT_FALSE(world.client().closed) << path;
  }
  EXPECT_EQ(stream_guard.calls, 0);
  EXPECT_EQ(any.methods, Texts{});
  EXPECT_EQ(world.service.started, 0);
  EXPECT_EQ(world.finish(world.client().call("Unary", "x")).grpc_status(), "0") << "the connection goes on";
}

TEST(UnknownService, without_one_unknown_methods_are_unimplemented) {  // [136]
  ServerWorld world;
  EXPECT_EQ(world.finish(world.client().call("x", "x", {{":path", "/a.B/C"}})).grpc_status(), "12");
}

}  // namespace
}  // namespace gaggle
