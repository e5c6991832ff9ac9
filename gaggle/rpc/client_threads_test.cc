// SPDX-License-Identifier: Apache-2.0
//
// Calls from several threads and loops at once, over real sockets to a real server.
#include <gtest/gtest.h>

#include <asio/use_future.hpp>
#include <atomic>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gaggle/net/block_on.h"
#include "gaggle/net/loop_group.h"
#include "gaggle/net/resume_on.h"
#include "gaggle/net/sleep.h"
#include "gaggle/net/spawn.h"
#include "gaggle/rpc/call_attempt.h"
#include "gaggle/rpc/client_conn.h"
#include "gaggle/rpc/client_interceptor.h"
#include "gaggle/rpc/codec_testing.h"
#include "gaggle/rpc/echo_testing.h"
#include "gaggle/rpc/http_proxy.h"
#include "gaggle/rpc/server.h"
#include "gaggle/rpc/server_stream.h"

namespace gaggle {
namespace {

using namespace std::chrono_literals;

class Echo final : public Service {};

Task<Status> run_unary(void*, ServerContext& context, UnaryServerCall& call, UnaryServerInterceptor*) {
  if (Status decoded = call.decode(); !decoded) co_return decoded;
  const Bytes& request = *static_cast<Bytes*>(call.request().object);
  if (request.view() == "sleep") {
    auto sleep = sleep_for(context.loop(), 1min);
    Status ended = co_await sleep;
    co_return ended;
  }
  *static_cast<Bytes*>(call.response().object) = request;
  co_return Status::ok();
}

void* fit_echo(Service& service) { return dynamic_cast<Echo*>(&service); }
const MethodDesc kMethods[] = {{"Unary", message_type<Bytes>(), message_type<Bytes>(), run_unary}};
const StreamDesc kStreams[] = {{"Talk", echo_bytes, true, true, message_type<Bytes>(), message_type<Bytes>()}};
const ServiceDesc kEcho = {"test.Echo", "Echo", fit_echo, kMethods, kStreams, "by hand"};

struct World {
  LoopGroup server_loops{1};
  LoopGroup loops{2};
  Echo echo;
  std::unique_ptr<Server> server = std::move(*Server::create(server_loops, {.max_concurrent_streams = 200}));
  std::unique_ptr<ClientConn> conn;

  explicit World(Duration idle_timeout = 30min) {
    EXPECT_TRUE(server->register_service(kEcho, echo).is_ok());
    Result<uint16_t> port = server->listen("127.0.0.1:0");
    EXPECT_TRUE(port) << port.status().to_string();
    conn = std::move(*ClientConn::create(loops, "127.0.0.1:" + std::to_string(*port),
                                         {.credentials = insecure_credentials(), .idle_timeout = idle_timeout}));
  }
};

Task<Status> call(ClientConn& conn, Context context, std::string text) {
  const Bytes request = Bytes::copy_of(text);
  Bytes response;
  Loop* const before = Loop::current();
  CallOptions options;
  Task<Status> calling = conn.invoke(context, "/test.Echo/Unary", message_of(request), message_of(response), options);
  Status status = co_await std::move(calling);
  if (Loop::current() != before) co_return Status::internal("resumed on another loop");
  if (status.is_ok() && response != request) co_return Status::internal("somebody else's answer");
  co_return status;
}

Task<Status> many_calls(ClientConn& conn, int count) {
  for (int i = 0; i < count; ++i) {
    Status status = co_await call(conn, Context{}, std::to_string(i));
    if (!status) co_return status;
  }
  co_return Status::ok();
}

TEST(ClientThreadsTest, calls_from_every_loop_resume_where_they_were_made) {
  World world;
  std::vector<std::future<Status>> runs;
  LoopGroup others{2};
  for (size_t i = 0; i < 2; ++i) {
    for (int each = 0; each < 4; ++each) {
      runs.push_back(spawn(world.loops.loop(i), many_calls(*world.conn, 100), asio::use_future));
      runs.push_back(spawn(others.loop(i), many_calls(*world.conn, 100), asio::use_future));
    }
  }
  for (auto& run : runs) {
    const Status status = run.get();
    EXPECT_TRUE(status.is_ok()) << status.to_string();
  }
  EXPECT_EQ(world.conn->counters().calls_succeeded, 1600u);
  EXPECT_EQ(world.conn->counters().connect_attempts, 1u) << "one connection served them all";
}

TEST(ClientThreadsTest, an_address_that_refuses_is_named_once) {
  World world;
  const std::string address(world.conn->target().substr(world.conn->target().rfind('/') + 1));
  world.server.reset();
  Task<Status> direct = call(*world.conn, Context{}, "a");
  EXPECT_EQ(block_on(world.loops.loop(0), std::move(direct)).to_string(),
            "UNAVAILABLE: can't connect: " + address + ": Connection refused");
  HttpProxyDialer dialer(*HttpProxy::parse(address));
  ClientConnOptions options{.credentials = insecure_credentials()};
  options.dialer = &dialer;
  world.conn = std::move(*ClientConn::create(world.loops, "passthrough:///scores.example:443", options));
  Task<Status> by_proxy = call(*world.conn, Context{}, "a");
  EXPECT_EQ(block_on(world.loops.loop(0), std::move(by_proxy)).to_string(),
            "UNAVAILABLE: can't connect: the proxy " + address + ": Connection refused");
  world.conn.reset();
}

TEST(ClientThreadsTest, threads_without_a_loop_block) {
  World world;
  std::vector<std::thread> threads;
  std::atomic<int> good{0};
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int each = 0; each < 50; ++each) {
        if (block_on(world.conn->loop(), call(*world.conn, Context{}, "x")).is_ok()) ++good;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, 200);
}

TEST(ClientThreadsTest, every_second_of_a_thousand_calls_cancelled_from_elsewhere_leaves_the_others_alone) {
  World world;
  std::vector<std::unique_ptr<CancelSource>> sources;
  std::vector<std::future<Status>> runs;
  for (size_t i = 0; i < 1000; ++i) {
    sources.push_back(std::make_unique<CancelSource>());
    Task<Status> task = call(*world.conn, sources.back()->context(), i % 2 == 0 ? "sleep" : std::to_string(i));
    runs.push_back(spawn(world.loops.loop(i % 2), std::move(task), asio::use_future));
  }
  std::thread canceller([&] {
    for (size_t i = 0; i < 1000; i += 2) sources[i]->cancel();
  });
  for (size_t i = 0; i < 1000; ++i) {
    const Status status = runs[i].get();
    EXPECT_EQ(status.code(), i % 2 == 0 ? StatusCode::kCancelled : StatusCode::kOk) << i << ": " << status.to_string();
  }
  canceller.join();
  EXPECT_EQ(world.conn->counters().calls_now, 0u);
}

Task<Status> talk(ClientConn& conn, int messages) {
  CallOptions options;
  Task<Result<std::unique_ptr<ClientStream>>> opening =
      conn.new_stream(Context{}, kStreams[0], "/test.Echo/Talk", options);
  Result<std::unique_ptr<ClientStream>> opened = co_await std::move(opening);
  if (!opened) co_return opened.error();
  ClientStream& stream = **opened;
  for (int i = 0; i < messages; ++i) {
    const Bytes message = Bytes::copy_of(std::to_string(i));
    Result<bool> sent = co_await stream.send(message_of(message));
    if (!sent || !*sent) co_return Status::internal("not sent");
    Bytes answer;
    Result<bool> more = co_await stream.recv(message_of(answer));
    if (!more) co_return more.error();
    if (answer != message) co_return Status::internal("somebody else's answer");
  }
  Status closed = co_await stream.close_send();
  if (!closed) co_return closed;
  Bytes rest;
  Result<bool> more = co_await stream.recv(message_of(rest));
  co_return more.status();
}

TEST(ClientThreadsTest, streams_work_from_every_loop) {
  World world;
  std::vector<std::future<Status>> runs;
  for (size_t i = 0; i < 8; ++i)
    runs.push_back(spawn(world.loops.loop(i % 2), talk(*world.conn, 100), asio::use_future));
  for (auto& run : runs) {
    const Status status = run.get();
    EXPECT_TRUE(status.is_ok()) << status.to_string();
  }
}

// A stream is left in the middle, with a cancellation from a third thread on its way.
Task<Status> open_and_leave(ClientConn& conn, Context context) {
  CallOptions options;
  Task<Result<std::unique_ptr<ClientStream>>> opening =
      conn.new_stream(context, kStreams[0], "/test.Echo/Talk", options);
  Result<std::unique_ptr<ClientStream>> opened = co_await std::move(opening);
  if (!opened) co_return opened.error();
  const Bytes message = Bytes::copy_of("x");
  Result<bool> sent = co_await (*opened)->send(message_of(message));
  (*opened)->cancel();
  co_return sent.status();
}

TEST(ClientThreadsTest, streams_can_be_left_and_cancelled_anywhere) {
  World world;
  for (int round = 0; round < 100; ++round) {
    CancelSource source;
    auto run = spawn(world.loops.loop(static_cast<size_t>(round) % 2), open_and_leave(*world.conn, source.context()),
                     asio::use_future);
    std::thread canceller([&] { source.cancel(); });
    static_cast<void>(run.get());
    canceller.join();
  }
  EXPECT_TRUE(block_on(world.conn->loop(), call(*world.conn, Context{}, "still there")).is_ok());
}

TEST(ClientThreadsTest, destruction_from_a_thread_waits_until_nothing_runs) {
  for (int round = 0; round < 20; ++round) {
    World world;
    std::vector<std::future<Status>> runs;
    for (size_t i = 0; i < 20; ++i) {
      runs.push_back(spawn(world.loops.loop(i % 2), call(*world.conn, Context{}, "sleep"), asio::use_future));
    }
    ASSERT_TRUE(block_on(world.conn->loop(), call(*world.conn, Context{}, "x")).is_ok());
    // All calls have been made by now or will find the connection closed; none may outlive it.
    while (world.conn->counters().calls_now < 20) std::this_thread::yield();
    world.conn.reset();
    for (auto& run : runs) EXPECT_EQ(run.get().code(), StatusCode::kCancelled);
  }
}

Task<Status> destroy_here(std::unique_ptr<ClientConn>& conn) {
  Status called = co_await call(*conn, Context{}, "x");
  conn.reset();
  co_return called;
}

TEST(ClientThreadsTest, destruction_on_its_own_loop_lets_go) {
  World world;
  Loop& loop = world.conn->loop();
  EXPECT_TRUE(block_on(loop, destroy_here(world.conn)).is_ok());
}

Task<Status> slow_calls(ClientConn& conn, Loop& loop, int seed) {
  for (int i = 0; i < 100; ++i) {
    Task<Status> calling = call(conn, Context{}, std::to_string(i));
    Status status = co_await std::move(calling);
    if (!status) co_return status;
    auto pause = sleep_for(loop, 100us * ((i + seed) % 5));
    static_cast<void>(co_await std::move(pause));
  }
  co_return Status::ok();
}

// The connection goes idle between almost any two calls, on its own loop, while others begin.
TEST(ClientThreadsTest, calls_that_race_with_idleness_are_never_lost) {
  World world(200us);
  LoopGroup others{2};
  std::vector<std::future<Status>> runs;
  for (size_t i = 0; i < 4; ++i) {
    Loop& loop = i < 2 ? others.loop(i) : world.loops.loop(i - 2);
    runs.push_back(spawn(loop, slow_calls(*world.conn, loop, static_cast<int>(i)), asio::use_future));
  }
  for (auto& run : runs) {
    const Status status = run.get();
    EXPECT_TRUE(status.is_ok()) << status.to_string();
  }
  EXPECT_GT(world.conn->counters().idle_entries, 0u) << "otherwise nothing has raced";
}

// Adds its own metadata to what all calls share.
class AddingInterceptor final : public UnaryClientInterceptor, public FinishHook {
 public:
  Task<Status> intercept(Context context, std::string_view method, ConstMessage request, Message response,
                         CallOptions options, ClientConnInterface&, UnaryInvoker& next) override {
    Metadata metadata;
    if (options.metadata != nullptr) metadata.append(*options.metadata);
    EXPECT_EQ(metadata.size(), 1u) << "what other calls add is theirs";
    EXPECT_TRUE(metadata.add("x-number", std::to_string(++calls_)));
    options.metadata = &metadata;
    Task<Status> rest = next(std::move(context), method, request, response, options);
    co_return co_await std::move(rest);
  }
  void on_finish(std::string_view, const Status& status) noexcept override {
    if (status.is_ok()) ++finished_;
  }
  int calls() const { return calls_; }
  int finished() const { return finished_; }

 private:
  std::atomic<int> calls_{0};
  std::atomic<int> finished_{0};
};

Task<Status> many_calls_with(ClientConn& conn, const CallOptions& shared, int count) {
  for (int i = 0; i < count; ++i) {
    const Bytes request = Bytes::copy_of(std::string(100, static_cast<char>('a' + i % 26)));
    Bytes response;
    Metadata header, trailer;
    Peer peer;
    CallOptions options = shared;
    options.header = &header;
    options.trailer = &trailer;
    options.peer = &peer;
    Task<Status> calling =
        conn.invoke(Context{}, "/test.Echo/Unary", message_of(request), message_of(response), options);
    Status status = co_await std::move(calling);
    if (!status) co_return status;
    if (response != request || peer.address.empty()) co_return Status::internal("somebody else's answer");
  }
  co_return Status::ok();
}

class CountingOption final : public CallOption {
 public:
  void after(const CallInfo&, const CallAttempt& attempt) noexcept override {
    if (attempt.attempts == 1 && attempt.has_header && !attempt.peer.address.empty()) ++good;
  }
  std::atomic<int> good{0};
};

TEST(ClientThreadsTest, calls_at_once_share_options_interceptors_and_hooks) {
  World world;
  AddingInterceptor adding;
  FinishHook* const hooks[] = {&adding};
  Metadata metadata;
  ASSERT_TRUE(metadata.add("x-shared", "by all"));
  Result<uint16_t> port = world.server->listen("127.0.0.1:0");
  ASSERT_TRUE(port);
  ClientConnOptions options{.credentials = insecure_credentials()};
  options.unary_interceptors = {&adding};
  options.call_defaults.compressor = "gzip";
  options.call_defaults.on_finish = hooks;
  auto conn = std::move(*ClientConn::create(world.loops, "127.0.0.1:" + std::to_string(*port), std::move(options)));
  const ReversingCodec codec;
  CountingOption option;
  CallOption* const custom[] = {&option};
  const CallOptions shared{
      .content_subtype = "proto", .codec = &codec, .metadata = &metadata, .custom = custom, .on_finish = hooks};
  LoopGroup others{2};
  std::vector<std::future<Status>> runs;
  for (size_t i = 0; i < 2; ++i) {
    runs.push_back(spawn(world.loops.loop(i), many_calls_with(*conn, shared, 50), asio::use_future));
    runs.push_back(spawn(others.loop(i), many_calls_with(*conn, shared, 50), asio::use_future));
  }
  for (auto& run : runs) {
    const Status status = run.get();
    EXPECT_TRUE(status.is_ok()) << status.to_string();
  }
  EXPECT_EQ(adding.calls(), 200);
  EXPECT_EQ(option.good, 200);
  EXPECT_EQ(adding.finished(), 400) << "the connection's hook and the call's, each once per call";
}

}  // namespace
}  // namespace gaggle
