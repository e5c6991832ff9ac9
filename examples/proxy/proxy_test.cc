// SPDX-License-Identifier: Apache-2.0
//
// All four kinds of method through the proxy, over real sockets, with a client and a server that
// don't know that it is there.
#include "proxy.h"

#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <string>
#include <thread>

#include "gaggle/net/block_on.h"
#include "gaggle/net/loop_group.h"
#include "gaggle/rpc/client_conn.h"
#include "gaggle/rpc/codec.h"
#include "gaggle/rpc/server.h"
#include "test/e2e/calls_testing.h"

namespace gaggle {
namespace {

using namespace std::chrono_literals;
using e2e::Ask;
using e2e::Reply;

class Backend final : public e2e::Calls {
 public:
  Task<Status> Unary(ServerContext& context, const Ask& ask, Reply& reply) override {
    EXPECT_EQ(context.metadata().get_all("user-agent").size(), 1u);
    return Calls::Unary(context, ask, reply);
  }
};

struct World {
  LoopGroup backend_loops{1};
  LoopGroup proxy_loops{2};
  LoopGroup client_loops{1};
  Backend backend;
  std::unique_ptr<Server> backend_server;
  std::unique_ptr<ClientConn> to_backend;
  std::unique_ptr<Proxy> proxy;
  std::unique_ptr<Server> proxy_server;
  std::unique_ptr<ClientConn> conn;

  World() {
    backend_server = std::move(*Server::create(backend_loops));
    EXPECT_TRUE(e2e::RegisterCallsServer(*backend_server, backend).is_ok());
    to_backend = std::move(
        *ClientConn::create(proxy_loops, listening(*backend_server), {.credentials = insecure_credentials()}));
    proxy = std::make_unique<Proxy>(*to_backend);
    proxy_server = std::move(*Server::create(proxy_loops, {.unknown_service = proxy.get(), .codec = &bytes_codec()}));
    conn =
        std::move(*ClientConn::create(client_loops, listening(*proxy_server), {.credentials = insecure_credentials()}));
  }
  static std::string listening(Server& server) {
    Result<uint16_t> port = server.listen("127.0.0.1:0");
    EXPECT_TRUE(port) << port.status().to_string();
    return "127.0.0.1:" + std::to_string(port ? *port : 0);
  }
  e2e::CallsClient client() { return e2e::CallsClient(*conn); }
  Status unary(const Ask& ask, Reply& reply, const Context& context = {}, CallOptions options = {}) {
    return client().BlockingUnary(context, ask, reply, options);
  }
  template <class T>
  T run(Task<T> task) {
    return block_on(client_loops.loop(0), std::move(task));
  }
};

Ask ask_of(std::string_view text, int times = 0, StatusCode code = StatusCode::kOk) {
  Ask ask;
  ask.set_text(std::string(text));
  ask.set_times(times);
  ask.set_code(static_cast<int>(code));
  return ask;
}

TEST(ProxyExample, is_as_short_as_promised) {
  int lines = 0;
  for (const char* name : {"/proxy.h", "/proxy.cc", "/main.cc"}) {
    std::ifstream file(std::string(GAGGLE_PROXY_SOURCES) + name);
    ASSERT_TRUE(file.is_open()) << name;
    for (std::string line; std::getline(file, line);) ++lines;
  }
  EXPECT_LT(lines, 100);
}

TEST(ProxyExample, a_unary_call_with_its_metadata_passes) {
  World world;
  Metadata sent, header, trailer;
  ASSERT_TRUE(sent.add("x-text", "of the client").is_ok());
  ASSERT_TRUE(sent.add("x-bytes-bin", std::string("\0\xff", 2)).is_ok());
  Reply reply;
  const Status status =
      world.unary(ask_of("me"), reply, {}, {.metadata = &sent, .header = &header, .trailer = &trailer});
  ASSERT_TRUE(status.is_ok()) << status.to_string();
  EXPECT_EQ(reply.text(), "to me");
  EXPECT_EQ(reply.remaining_ms(), -1) << "no deadline comes from nowhere";
  for (const Metadata* metadata : {&header, &trailer}) {
    EXPECT_EQ(metadata->get("x-text"), "of the client");
    EXPECT_EQ(metadata->get("x-bytes-bin"), std::string_view("\0\xff", 2));
  }
}

TEST(ProxyExample, a_codec_of_the_backends_passes) {
  World world;
  Reply reply;
  const Status status = world.unary(ask_of("me"), reply, {}, {.content_subtype = "json", .codec = &proto_codec()});
  EXPECT_EQ(status.code(), StatusCode::kUnimplemented) << "the backend has no such codec";
  EXPECT_NE(status.message().find("json"), std::string_view::npos) << status.message();
  EXPECT_TRUE(world.unary(ask_of("me"), reply, {}, {.content_subtype = "proto"}));
}

TEST(ProxyExample, a_status_passes_with_text_and_details) {
  World world;
  Reply reply;
  const Status status = world.unary(ask_of("grün, 100 %\n", 0, StatusCode::kDataLoss), reply);
  EXPECT_EQ(status.code(), StatusCode::kDataLoss);
  EXPECT_EQ(status.message(), "grün, 100 %\n");
  EXPECT_EQ(status.details(), "details");
}

TEST(ProxyExample, unknown_methods_are_what_the_backend_says) {
  World world;
  Reply reply;
  const Ask ask;
  const Status status = generated::call_blocking(*world.conn, Context(), "/gaggle.e2e.Calls/Nope", message_of(ask),
                                                 message_of(reply), {});
  EXPECT_EQ(status.code(), StatusCode::kUnimplemented);
  EXPECT_NE(status.message().find("Nope"), std::string_view::npos);
}

TEST(ProxyExample, large_messages_pass_flow_control) {
  World world;
  Ask ask = ask_of(std::string(3'000'000, 'q'));
  ask.set_reply_bytes(500'000);
  Reply reply;
  ASSERT_TRUE(world.unary(ask, reply).is_ok());
  EXPECT_EQ(reply.text().size(), 3'000'003u);
  EXPECT_EQ(reply.filler().size(), 500'000u);
}

TEST(ProxyExample, the_deadline_passes_to_the_backend_and_ends_all_three) {
  World world;
  Reply reply;
  ASSERT_TRUE(world.unary(ask_of("x"), reply, Context().with_timeout(60s)).is_ok());
  EXPECT_GT(reply.remaining_ms(), 30'000);
  EXPECT_LE(reply.remaining_ms(), 60'000);
  Ask ask = ask_of("x");
  ask.set_wait(true);
  EXPECT_EQ(world.unary(ask, reply, Context().with_timeout(100ms)).code(), StatusCode::kDeadlineExceeded);
  while (world.backend.cancelled.load() == 0) std::this_thread::yield();
}

TEST(ProxyExample, a_cancellation_reaches_the_backends_handler) {
  World world;
  CancelSource source;
  Ask ask = ask_of("x");
  ask.set_wait(true);
  std::thread canceller([&] {
    while (world.backend.waiting.load() == 0) std::this_thread::yield();
    source.cancel();
  });
  Reply reply;
  EXPECT_EQ(world.unary(ask, reply, source.context()).code(), StatusCode::kCancelled);
  canceller.join();
  while (world.backend.cancelled.load() == 0) std::this_thread::yield();
}

Task<Status> collect(e2e::CallsClient client, Reply& reply, StatusCode code_of_second) {
  Context context;
  auto stream = co_await client.Collect(context);
  if (!stream) co_return stream.error();
  for (int i = 0; i < 5; ++i) {
    const Ask ask = ask_of(std::to_string(i), 0, i == 1 ? code_of_second : StatusCode::kOk);
    Result<bool> sent = co_await stream->send(ask);
    if (!sent) co_return sent.error();
    if (!*sent) break;
  }
  co_return co_await stream->close_and_recv(reply);
}

TEST(ProxyExample, a_client_stream_passes) {
  World world;
  Reply reply;
  ASSERT_TRUE(world.run(collect(world.client(), reply, StatusCode::kOk)).is_ok());
  EXPECT_EQ(reply.text(), "01234");
}

TEST(ProxyExample, a_backend_that_ends_early_ends_the_call) {
  World world;
  Reply reply;
  EXPECT_EQ(world.run(collect(world.client(), reply, StatusCode::kAborted)).code(), StatusCode::kAborted);
}

Task<Status> list(e2e::CallsClient client, const Ask& ask, std::string& texts) {
  Context context;
  auto stream = co_await client.List(context, ask);
  if (!stream) co_return stream.error();
  for (;;) {
    Reply reply;
    Result<bool> more = co_await stream->recv(reply);
    if (!more) co_return more.error();
    if (!*more) co_return Status::ok();
    texts += reply.text();
  }
}

TEST(ProxyExample, a_server_stream_passes_and_its_status_comes_last) {
  World world;
  std::string texts;
  const Ask ask = ask_of("n", 4, StatusCode::kOutOfRange);
  EXPECT_EQ(world.run(list(world.client(), ask, texts)).code(), StatusCode::kOutOfRange);
  EXPECT_EQ(texts, "n0n1n2n3");
}

Task<Status> talk(e2e::CallsClient client, int rounds) {
  Context context;
  auto stream = co_await client.Talk(context);
  if (!stream) co_return stream.error();
  for (int i = 0; i < rounds; ++i) {
    const Ask ask = ask_of(std::to_string(i));
    Result<bool> sent = co_await stream->send(ask);
    if (!sent) co_return sent.error();
    Reply reply;
    Result<bool> more = co_await stream->recv(reply);
    if (!more) co_return more.error();
    EXPECT_EQ(reply.text(), "to " + std::to_string(i));
  }
  Status closed = co_await stream->close_send();
  if (!closed) co_return closed;
  Reply reply;
  Result<bool> more = co_await stream->recv(reply);
  EXPECT_TRUE(more && !*more);
  co_return more.status();
}

TEST(ProxyExample, both_directions_alternate) {
  World world;
  EXPECT_TRUE(world.run(talk(world.client(), 200)).is_ok());
}

}  // namespace
}  // namespace gaggle
