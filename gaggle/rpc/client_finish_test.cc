// SPDX-License-Identifier: Apache-2.0
//
// Interceptors of streams, and finish hooks of all calls, against a scripted server on virtual time.
#include <gtest/gtest.h>

#include "gaggle/rpc/client_interceptor_testing.h"
#include "gaggle/rpc/client_testing.h"

namespace gaggle {
namespace {

using namespace std::chrono_literals;

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

}  // namespace
}  // namespace gaggle
