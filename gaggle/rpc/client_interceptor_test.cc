// SPDX-License-Identifier: Apache-2.0
//
// Interceptors and finish hooks of a client, against a scripted server on virtual time.
#include "gaggle/rpc/client_interceptor.h"

#include <gtest/gtest.h>

#include "gaggle/net/sleep.h"
#include "gaggle/rpc/client_testing.h"

namespace gaggle {
namespace {

using namespace std::chrono_literals;
using Texts = std::vector<std::string>;

// Does what a test says with a unary call.
class UnaryDo final : public UnaryClientInterceptor {
 public:
  using Body = Task<Status> (*)(UnaryDo& self, Context context, std::string_view method, ConstMessage request,
                                Message response, CallOptions options, UnaryInvoker& next);
  explicit UnaryDo(Body body, std::string name = {}, Texts* log = nullptr)
      : body_(body), name(std::move(name)), log(log) {}
  Task<Status> intercept(Context context, std::string_view method, ConstMessage request, Message response,
                         CallOptions options, ClientConnInterface& conn, UnaryInvoker& next) override {
    below = &conn;
    return body_(*this, std::move(context), method, request, response, options, next);
  }

 private:
  Body body_;

 public:
  std::string name;
  Texts* log;
  ClientConnInterface* below = nullptr;
  CallOptions seen;
  std::string seen_method;
};

Task<Status> pass_and_log(UnaryDo& self, Context context, std::string_view method, ConstMessage request,
                          Message response, CallOptions options, UnaryInvoker& next) {
  self.log->push_back(self.name + " in");
  Task<Status> rest = next(std::move(context), method, request, response, options);
  Status status = co_await std::move(rest);
  self.log->push_back(self.name + " out " + std::string(status_code_name(status.code())));
  co_return status;
}

Task<Status> answer_myself(UnaryDo&, Context, std::string_view, ConstMessage, Message response, CallOptions,
                           UnaryInvoker&) {
  *static_cast<Bytes*>(response.object) = Bytes::copy_of("from the interceptor");
  co_return Status::ok();
}

Task<Status> refuse(UnaryDo&, Context, std::string_view, ConstMessage, Message, CallOptions, UnaryInvoker&) {
  co_return Status::permission_denied("not today");
}

Task<Status> again_when_unavailable(UnaryDo&, Context context, std::string_view method, ConstMessage request,
                                    Message response, CallOptions options, UnaryInvoker& next) {
  Status status;
  for (int i = 0; i < 3; ++i) {
    Task<Status> rest = next(context, method, request, response, options);
    status = co_await std::move(rest);
    if (status.code() != StatusCode::kUnavailable) break;
  }
  co_return status;
}

// Changes everything that passes.
Task<Status> replace_everything(UnaryDo& self, Context context, std::string_view method, ConstMessage, Message response,
                                CallOptions options, UnaryInvoker& next) {
  self.seen = options;
  self.seen_method = method;
  Metadata metadata;
  if (options.metadata != nullptr) metadata.append(*options.metadata);
  EXPECT_TRUE(metadata.add("x-added", "by the interceptor"));
  options.metadata = &metadata;
  options.authority = "another.example";
  const Bytes request = Bytes::copy_of("another request");
  Task<Status> rest = next(context, "/test.Service/Other", message_of(request), response, options);
  Status status = co_await std::move(rest);
  EXPECT_TRUE(status.is_ok());
  *static_cast<Bytes*>(response.object) = Bytes::copy_of("another response");
  co_return Status::data_loss("another status");
}

Task<Status> wait_first(UnaryDo&, Context context, std::string_view method, ConstMessage request, Message response,
                        CallOptions options, UnaryInvoker& next) {
  Status slept = co_await sleep_for(*Loop::current(), 10s);
  if (!slept) co_return slept;
  Task<Status> rest = next(std::move(context), method, request, response, options);
  co_return co_await std::move(rest);
}

class CountFinish final : public FinishHook {
 public:
  explicit CountFinish(Texts& log, std::string name = {}) : log_(log), name_(std::move(name)) {}
  void on_finish(std::string_view, const Status& status) noexcept override {
    log_.push_back(name_ + std::string(status_code_name(status.code())));
  }

 private:
  Texts& log_;
  std::string name_;
};

TEST(ClientInterceptors, the_first_is_outermost) {
  ClientWorld world;
  Texts log;
  UnaryDo first(pass_and_log, "first", &log), second(pass_and_log, "second", &log);
  ClientConnOptions options;
  options.unary_interceptors = {&first, &second};
  world.connect(options);
  UnaryRun call(world, Context{}, "ask");
  world.settle();
  world.server().answer(world.request(), "reply");
  world.settle();
  ASSERT_TRUE(call.done());
  EXPECT_TRUE(call.status().is_ok());
  EXPECT_EQ(call.response.view(), "reply");
  EXPECT_EQ(log, (Texts{"first in", "second in", "second out OK", "first out OK"}));
}

TEST(ClientInterceptors, need_not_call_on) {
  ClientWorld world;
  Texts log;
  UnaryDo answering(answer_myself), refusing(refuse);
  UnaryDo never(pass_and_log, "never", &log);
  ClientConnOptions options;
  options.unary_interceptors = {&answering, &never};
  world.connect(options);
  UnaryRun answered(world, Context{}, "ask");
  ASSERT_TRUE(answered.done());
  EXPECT_TRUE(answered.status().is_ok());
  EXPECT_EQ(answered.response.view(), "from the interceptor");
  options.unary_interceptors = {&refusing};
  world.connect(options);
  UnaryRun refused(world, Context{}, "ask");
  ASSERT_TRUE(refused.done());
  EXPECT_EQ(refused.status().code(), StatusCode::kPermissionDenied);
  world.settle();
  EXPECT_TRUE(world.network.dialled.empty()) << "nothing was connected, nothing was sent";
  EXPECT_TRUE(log.empty());
}

TEST(ClientInterceptors, may_call_on_more_than_once) {
  ClientWorld world;
  UnaryDo retrying(again_when_unavailable);
  ClientConnOptions options;
  options.unary_interceptors = {&retrying};
  world.connect(options);
  UnaryRun call(world, Context{}, "ask");
  world.settle();
  world.server().trailers_only(world.request(0), "14");
  world.settle();
  EXPECT_FALSE(call.done());
  ASSERT_EQ(world.server().requests.size(), 2u);
  EXPECT_EQ(world.request(1).messages(), Texts{"ask"});
  world.server().answer(world.request(1), "at last");
  world.settle();
  ASSERT_TRUE(call.done());
  EXPECT_TRUE(call.status().is_ok());
}

TEST(ClientInterceptors, see_and_replace_everything) {
  ClientWorld world;
  UnaryDo replacing(replace_everything);
  Metadata defaults, own;
  ASSERT_TRUE(defaults.add("x-default", "d"));
  ASSERT_TRUE(own.add("x-own", "o"));
  ClientConnOptions options;
  options.unary_interceptors = {&replacing};
  options.call_defaults.metadata = &defaults;
  options.call_defaults.max_receive_bytes = 77;
  options.call_defaults.compressor = "identity";
  world.connect(options);
  UnaryRun call(world, Context{}, "ask", {.wait_for_ready = true, .metadata = &own});
  world.settle();
  EXPECT_EQ(replacing.seen_method, "/test.Service/Unary");
  EXPECT_EQ(replacing.seen.max_receive_bytes, 77u) << "the combined options";
  EXPECT_EQ(replacing.seen.wait_for_ready, true);
  EXPECT_EQ(replacing.seen.compressor, "identity");
  EXPECT_EQ(world.request().header(":path"), "/test.Service/Other");
  EXPECT_EQ(world.request().header(":authority"), "another.example");
  EXPECT_EQ(world.request().header("x-default"), "d");
  EXPECT_EQ(world.request().header("x-own"), "o");
  EXPECT_EQ(world.request().header("x-added"), "by the interceptor");
  EXPECT_EQ(world.request().messages(), Texts{"another request"});
  world.server().answer(world.request(), "reply");
  world.settle();
  ASSERT_TRUE(call.done());
  EXPECT_EQ(call.status().code(), StatusCode::kDataLoss);
  EXPECT_EQ(call.response.view(), "another response");
}

TEST(ClientInterceptors, may_wait_and_end_with_the_call) {
  ClientWorld world;
  UnaryDo waiting(wait_first);
  ClientConnOptions options;
  options.unary_interceptors = {&waiting};
  world.connect(options);
  UnaryRun call(world, Context{}, "ask");
  UnaryRun given_up(world, Context{}, "ask");
  world.settle();
  EXPECT_TRUE(world.network.dialled.empty()) << "nothing before the interceptor has let it through";
  {
    const Loop::Enter enter(world.time.loop);
    given_up.source.cancel();
  }
  world.settle();
  ASSERT_TRUE(given_up.done());
  EXPECT_EQ(given_up.status().code(), StatusCode::kCancelled) << "what an interceptor awaits ends with the call";
  world.advance(10s);
  ASSERT_EQ(world.server().requests.size(), 1u);
  world.server().answer(world.request(), "reply");
  world.settle();
  ASSERT_TRUE(call.done());
  EXPECT_TRUE(call.status().is_ok());
}

TEST(ClientInterceptors, any_connection_can_be_wrapped) {
  ClientWorld world;
  world.connect();
  Texts log;
  UnaryDo outer(pass_and_log, "outer", &log), inner(pass_and_log, "inner", &log);
  const auto once = intercept(*world.conn, {.unary = {&inner}});
  const auto twice = intercept(*once, {.unary = {&outer}});
  Bytes request = Bytes::copy_of("ask"), response;
  CountFinish finish(log, "finished ");
  FinishHook* const hooks[] = {&finish};
  const CallOptions options{.on_finish = hooks};
  Running<Status> call(world, twice->invoke({}, "/test.Service/Unary", message_of(std::as_const(request)),
                                            message_of(response), options));
  world.settle();
  world.server().answer(world.request(), "reply");
  world.settle();
  ASSERT_TRUE(call.done());
  EXPECT_TRUE(call.take().is_ok());
  EXPECT_EQ(log, (Texts{"outer in", "inner in", "inner out OK", "outer out OK", "finished OK"}))
      << "hooks run once, outside of everything";
  EXPECT_EQ(&twice->loop(), &world.time.loop);
}

TEST(ClientInterceptors, a_null_pointer_is_no_interceptor) {
  ClientWorld world;
  ClientConnOptions options{.credentials = insecure_credentials()};
  options.unary_interceptors = {nullptr};
  EXPECT_EQ(ClientConn::create(world.loops, "host:1", options).status().code(), StatusCode::kInvalidArgument);
  options.unary_interceptors.clear();
  options.stream_interceptors = {nullptr};
  EXPECT_EQ(ClientConn::create(world.loops, "host:1", options).status().code(), StatusCode::kInvalidArgument);
}

// --- Streams ---

// Writes its name into what passes.
class MarkedStream final : public ClientStreamWrapper {
 public:
  MarkedStream(std::unique_ptr<ClientStream> stream, std::string_view name, std::unique_ptr<Metadata> metadata)
      : ClientStreamWrapper(std::move(stream)), name_(name), metadata_(std::move(metadata)) {}
  using ClientStream::send;
  Task<Result<bool>> send(ConstMessage message, SendOptions options) override {
    const Bytes marked =
        Bytes::copy_of(std::string(static_cast<const Bytes*>(message.object)->view()) + ">" + std::string(name_));
    Task<Result<bool>> sending = wrapped().send(message_of(marked), options);
    co_return co_await std::move(sending);
  }
  Task<Result<bool>> recv(Message message) override {
    Task<Result<bool>> receiving = wrapped().recv(message);
    Result<bool> more = co_await std::move(receiving);
    Bytes& bytes = *static_cast<Bytes*>(message.object);
    if (more && *more) bytes = Bytes::copy_of(std::string(bytes.view()) + "<" + std::string(name_));
    co_return more;
  }

 private:
  const std::string_view name_;
  const std::unique_ptr<Metadata> metadata_;  // the call's, as long as the call
};

class Marking final : public StreamClientInterceptor {
 public:
  explicit Marking(std::string name, bool refuse = false) : name_(std::move(name)), refuse_(refuse) {}
  Task<Result<std::unique_ptr<ClientStream>>> intercept(Context context, const StreamDesc& desc,
                                                        std::string_view method, CallOptions options,
                                                        ClientConnInterface&, Streamer& next) override {
    if (refuse_) co_return Status::permission_denied(name_);
    auto metadata = std::make_unique<Metadata>();
    if (options.metadata != nullptr) metadata->append(*options.metadata);
    EXPECT_TRUE(metadata->add("x-by", name_));
    options.metadata = metadata.get();
    Task<Result<std::unique_ptr<ClientStream>>> opening = next(std::move(context), desc, method, options);
    Result<std::unique_ptr<ClientStream>> stream = co_await std::move(opening);
    if (!stream) co_return stream.error();
    std::unique_ptr<ClientStream> marked =
        std::make_unique<MarkedStream>(*std::move(stream), name_, std::move(metadata));
    co_return marked;
  }

 private:
  std::string name_;
  bool refuse_;
};

// A connection with stream interceptors and finish hooks, and one stream on it.
struct InterceptedStream : ClientWorld {
  Texts log;
  CountFinish of_connection{log, "connection "}, of_call{log, "call "};
  FinishHook* const connection_hooks[1] = {&of_connection};
  FinishHook* const call_hooks[1] = {&of_call};
  std::unique_ptr<ClientStream> stream;
  Status opened;

  void open(std::vector<StreamClientInterceptor*> interceptors, const Context& context = {}) {
    ClientConnOptions options;
    options.stream_interceptors = std::move(interceptors);
    options.call_defaults.on_finish = connection_hooks;
    connect(options);
    const CallOptions own{.on_finish = call_hooks};
    Running<Result<std::unique_ptr<ClientStream>>> opening(
        *this, conn->new_stream(context, kBidiStream, "/test.Service/Stream", own));
    settle();
    if (!opening.done()) {
      advance(1h);
    }
    auto result = opening.take();
    opened = result.status();
    if (result) stream = std::move(*result);
    settle();
  }
  std::string recv() {
    Bytes message;
    Task<Result<bool>> task = stream->recv(message_of(message));
    Result<bool> more = time.run(std::move(task));
    if (!more) return std::string(status_code_name(more.error().code()));
    return *more ? std::string(message.view()) : "(end)";
  }
  ~InterceptedStream() {
    stream.reset();
    settle();
  }
};

TEST(ClientInterceptors, streams_are_wrapped_first_outermost) {
  InterceptedStream world;
  Marking first("1"), second("2");
  world.open({&first, &second});
  ASSERT_TRUE(world.opened.is_ok());
  EXPECT_EQ(world.request().header("x-by"), "1");
  const Bytes ask = Bytes::copy_of("ask");
  Task<Result<bool>> sending = world.stream->send(message_of(ask));
  EXPECT_TRUE(*world.time.run(std::move(sending)));
  world.settle();
  EXPECT_EQ(world.request().messages(), Texts{"ask>1>2"});
  world.server().send_headers(world.request());
  world.server().send_message(world.request(), "answer");
  world.server().send_trailers(world.request(), "0", {{"x-tail", "t"}});
  world.settle();
  EXPECT_EQ(world.recv(), "answer<2<1");
  EXPECT_TRUE(world.log.empty()) << "not over yet, for the caller";
  EXPECT_EQ(world.recv(), "(end)");
  EXPECT_EQ(world.recv(), "(end)");
  EXPECT_EQ(world.stream->trailer().get("x-tail"), "t");
  world.stream.reset();
  EXPECT_EQ(world.log, (Texts{"connection OK", "call OK"})) << "each once, the connection's first";
}

TEST(ClientInterceptors, streams_can_be_refused) {
  InterceptedStream world;
  Marking refusing("no", true);
  world.open({&refusing});
  EXPECT_EQ(world.opened.code(), StatusCode::kPermissionDenied);
  EXPECT_TRUE(world.network.dialled.empty());
  EXPECT_EQ(world.log, (Texts{"connection PERMISSION_DENIED", "call PERMISSION_DENIED"}));
}

// --- Finish hooks ---

TEST(FinishHooks, run_once_however_a_stream_ends) {
  {
    InterceptedStream world;
    world.open({});
    world.server().trailers_only(world.request(), "5");
    world.settle();
    EXPECT_EQ(world.recv(), "NOT_FOUND");
    EXPECT_EQ(world.recv(), "NOT_FOUND");
    EXPECT_EQ(world.log, (Texts{"connection NOT_FOUND", "call NOT_FOUND"}));
  }
  {
    InterceptedStream world;
    world.open({});
    world.stream.reset();
    EXPECT_EQ(world.log, (Texts{"connection CANCELLED", "call CANCELLED"})) << "destroyed before its end";
  }
  {
    InterceptedStream world;
    world.network.mode = ScriptedNetwork::Mode::kSilent;
    world.open({}, world.in(1s));
    EXPECT_EQ(world.opened.code(), StatusCode::kDeadlineExceeded);
    EXPECT_EQ(world.log, (Texts{"connection DEADLINE_EXCEEDED", "call DEADLINE_EXCEEDED"})) << "it never began";
  }
}

class Refusing final : public CallOption {
 public:
  Status before(CallInfo&) override { return Status::unauthenticated("no token"); }
};

TEST(FinishHooks, run_once_however_a_unary_call_ends) {
  ClientWorld world;
  Texts log;
  CountFinish of_connection(log, "connection "), of_call(log, "call ");
  FinishHook* const connection_hooks[] = {&of_connection};
  FinishHook* const call_hooks[] = {&of_call};
  ClientConnOptions options;
  options.call_defaults.on_finish = connection_hooks;
  world.connect(options);
  const auto take_log = [&] { return std::exchange(log, {}); };

  UnaryRun good(world, Context{}, "ask", {.on_finish = call_hooks});
  world.settle();
  world.server().answer(world.request(0), "reply");
  world.settle();
  EXPECT_EQ(take_log(), (Texts{"connection OK", "call OK"}));

  UnaryRun plain(world, Context{}, "ask");
  world.settle();
  world.server().trailers_only(world.request(1), "7");
  world.settle();
  EXPECT_EQ(take_log(), Texts{"connection PERMISSION_DENIED"}) << "without hooks of its own";

  Refusing refusing;
  CallOption* const custom[] = {&refusing};
  UnaryRun refused(world, Context{}, "ask", {.custom = custom, .on_finish = call_hooks});
  EXPECT_EQ(take_log(), (Texts{"connection UNAUTHENTICATED", "call UNAUTHENTICATED"})) << "a hook refused it";

  UnaryRun expired(world, world.in(0s), "ask", {.on_finish = call_hooks});
  EXPECT_EQ(take_log(), (Texts{"connection DEADLINE_EXCEEDED", "call DEADLINE_EXCEEDED"})) << "it never began";

  UnaryRun bad(world, Context{}, "ask", {.compressor = "nobody's", .on_finish = call_hooks});
  EXPECT_EQ(take_log(), (Texts{"connection INTERNAL", "call INTERNAL"}));

  UnaryRun cancelled(world, Context{}, "ask", {.on_finish = call_hooks});
  world.settle();
  {
    const Loop::Enter enter(world.time.loop);
    cancelled.source.cancel();
  }
  world.settle();
  EXPECT_EQ(take_log(), (Texts{"connection CANCELLED", "call CANCELLED"}));

  UnaryRun closed(world, Context{}, "ask", {.on_finish = call_hooks});
  world.settle();
  world.conn->close();
  world.settle();
  EXPECT_EQ(take_log(), (Texts{"connection CANCELLED", "call CANCELLED"}));
}

TEST(FinishHooks, run_when_an_interceptor_answers) {
  ClientWorld world;
  Texts log;
  CountFinish finish(log);
  FinishHook* const hooks[] = {&finish};
  UnaryDo answering(answer_myself);
  ClientConnOptions options;
  options.unary_interceptors = {&answering};
  world.connect(options);
  UnaryRun call(world, Context{}, "ask", {.on_finish = hooks});
  EXPECT_TRUE(call.done());
  EXPECT_EQ(log, Texts{"OK"});
}

}  // namespace
}  // namespace gaggle
