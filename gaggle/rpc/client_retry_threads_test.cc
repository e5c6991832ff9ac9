// SPDX-License-Identifier: Apache-2.0
//
// Retries and hedges between real sockets, from several loops at once, while the service config
// changes under them.
#include <gtest/gtest.h>

#include <asio/use_future.hpp>
#include <atomic>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gaggle/net/loop_group.h"
#include "gaggle/net/sleep.h"
#include "gaggle/net/spawn.h"
#include "gaggle/rpc/client_conn.h"
#include "gaggle/rpc/credentials/credentials.h"
#include "gaggle/rpc/metadata.h"
#include "gaggle/rpc/resolver/manual.h"
#include "gaggle/rpc/server.h"
#include "gaggle/rpc/server_context.h"
#include "gaggle/rpc/server_stream.h"

namespace gaggle {
namespace {

using namespace std::chrono_literals;

class Flaky final : public Service {};

// Whether this is the first attempt at a call.
bool is_first(ServerContext& context) { return !context.metadata().get("grpc-previous-rpc-attempts"); }

// "retry": the first attempt fails. "hedge": the first attempt never ends by itself.
Task<Status> run_unary(void*, ServerContext& context, UnaryServerCall& call, UnaryServerInterceptor*) {
  if (Status decoded = call.decode(); !decoded) co_return decoded;
  const Bytes& request = *static_cast<Bytes*>(call.request().object);
  if (is_first(context)) {
    if (request.view().starts_with("retry")) co_return Status::unavailable("the first attempt fails");
    auto sleep = sleep_for(context.loop(), 1min);
    Status ended = co_await sleep;
    co_return ended;
  }
  *static_cast<Bytes*>(call.response().object) = request;
  co_return Status::ok();
}

// Echoes; the first attempt fails after its first message.
Task<Status> run_talk(void*, ServerStream& stream) {
  for (;;) {
    Bytes message;
    Result<bool> more = co_await stream.recv(message_of(message));
    if (!more) co_return more.error();
    if (!*more) co_return Status::ok();
    if (is_first(stream.context())) co_return Status::unavailable("the first attempt fails");
    Status sent = co_await stream.send(message_of(std::as_const(message)));
    if (!sent) co_return sent;
  }
}

void* fit_flaky(Service& service) { return dynamic_cast<Flaky*>(&service); }
const MethodDesc kMethods[] = {{"Unary", message_type<Bytes>(), message_type<Bytes>(), run_unary}};
const StreamDesc kStreams[] = {{"Talk", run_talk, true, true, message_type<Bytes>(), message_type<Bytes>()}};
const ServiceDesc kFlaky = {"test.Flaky", "Flaky", fit_flaky, kMethods, kStreams, "by hand"};

constexpr std::string_view kRetry = R"("retryPolicy": {"maxAttempts": 3, "initialBackoff": "0.001s",
    "maxBackoff": "0.001s", "backoffMultiplier": 1, "retryableStatusCodes": ["UNAVAILABLE"]})";
constexpr std::string_view kHedge = R"("hedgingPolicy": {"maxAttempts": 2, "hedgingDelay": "0.002s",
    "nonFatalStatusCodes": ["UNAVAILABLE"]})";

struct World {
  LoopGroup server_loops{1};
  LoopGroup loops{2};
  Flaky flaky;
  ManualResolver resolver;
  uint16_t port = 0;
  std::unique_ptr<Server> server = std::move(*Server::create(server_loops));
  std::unique_ptr<ClientConn> conn;

  World() {
    EXPECT_TRUE(server->register_service(kFlaky, flaky).is_ok());
    port = *server->listen("127.0.0.1:0");
    use(kRetry);
    conn = std::move(*ClientConn::create(loops, "manual:///flaky",
                                         {.credentials = insecure_credentials(), .resolvers = {&resolver}}));
  }
  void use(std::string_view policy) {
    ResolverState state;
    state.endpoints.push_back({{*Address::parse("127.0.0.1:" + std::to_string(port))}});
    state.service_config = ServiceConfig::parse(R"({"methodConfig": [{"name": [{}], )" + std::string(policy) + "}]}");
    resolver.update(std::move(state));
  }
};

Task<Status> many_calls(ClientConn& conn, std::string text, int count) {
  for (int i = 0; i < count; ++i) {
    const Bytes request = Bytes::copy_of(text + std::to_string(i));
    Bytes response;
    Metadata trailer;
    CallOptions options{.trailer = &trailer};
    Task<Status> calling =
        conn.invoke(Context{}, "/test.Flaky/Unary", message_of(request), message_of(response), options);
    Status status = co_await std::move(calling);
    if (!status) co_return status;
    if (response != request) co_return Status::internal("somebody else's answer");
  }
  co_return Status::ok();
}

Task<Status> many_streams(ClientConn& conn, int count) {
  for (int i = 0; i < count; ++i) {
    CallOptions options;
    auto opening = conn.new_stream(Context{}, kStreams[0], "/test.Flaky/Talk", options);
    auto opened = co_await std::move(opening);
    if (!opened) co_return opened.error();
    ClientStream& stream = **opened;
    for (int each = 0; each < 3; ++each) {
      const Bytes message = Bytes::copy_of(std::to_string(each));
      auto sending = stream.send(message_of(message));
      Result<bool> sent = co_await std::move(sending);
      if (!sent) co_return sent.error();
    }
    Status closed = co_await stream.close_send();
    if (!closed) co_return closed;
    for (int each = 0; each <= 3; ++each) {
      Bytes message;
      auto receiving = stream.recv(message_of(message));
      Result<bool> more = co_await std::move(receiving);
      if (!more) co_return more.error();
      if (*more != (each < 3)) co_return Status::internal("another number of messages");
      if (*more && message.view() != std::to_string(each)) co_return Status::internal("another message");
    }
  }
  co_return Status::ok();
}

void expect_ok(std::vector<std::future<Status>>& runs) {
  for (auto& run : runs) {
    const Status status = run.get();
    EXPECT_TRUE(status.is_ok()) << status.to_string();
  }
}

TEST(ClientRetryThreadsTest, retried_calls_and_streams_from_every_loop_get_their_own_answers) {
  World world;
  LoopGroup others{1};
  std::vector<std::future<Status>> runs;
  for (int each = 0; each < 4; ++each) {
    runs.push_back(spawn(world.loops.loop(0), many_calls(*world.conn, "retry", 20), asio::use_future));
    runs.push_back(spawn(others.loop(0), many_calls(*world.conn, "retry", 20), asio::use_future));
    runs.push_back(spawn(world.loops.loop(1), many_streams(*world.conn, 20), asio::use_future));
    runs.push_back(spawn(others.loop(0), many_streams(*world.conn, 20), asio::use_future));
  }
  expect_ok(runs);
  const ClientConnCounters counters = world.conn->counters();
  EXPECT_EQ(counters.calls_succeeded, 320u);
  EXPECT_EQ(counters.retries, 320u) << "each first attempt failed";
  EXPECT_EQ(counters.attempts, 640u);
}

TEST(ClientRetryThreadsTest, hedged_calls_win_against_a_server_that_hangs) {
  World world;
  world.use(kHedge);
  LoopGroup others{1};
  std::vector<std::future<Status>> runs;
  for (int each = 0; each < 4; ++each) {
    runs.push_back(spawn(world.loops.loop(0), many_calls(*world.conn, "hedge", 20), asio::use_future));
    runs.push_back(spawn(others.loop(0), many_calls(*world.conn, "hedge", 20), asio::use_future));
  }
  expect_ok(runs);
  const ClientConnCounters counters = world.conn->counters();
  EXPECT_EQ(counters.calls_succeeded, 160u);
  EXPECT_EQ(counters.hedges, 160u) << "each first attempt hung";
}

TEST(ClientRetryThreadsTest, the_service_config_changes_under_running_calls) {
  World world;
  LoopGroup others{1};
  std::atomic<bool> over{false};
  std::thread changer([&] {
    for (bool hedge = true; !over; hedge = !hedge) {
      world.use(hedge ? kHedge : kRetry);
      std::this_thread::sleep_for(200us);  // the loop has other things to do, too
    }
  });
  std::vector<std::future<Status>> runs;
  for (int each = 0; each < 2; ++each) {
    runs.push_back(spawn(world.loops.loop(0), many_calls(*world.conn, "retry", 100), asio::use_future));
    runs.push_back(spawn(others.loop(0), many_calls(*world.conn, "retry", 100), asio::use_future));
    runs.push_back(spawn(others.loop(0), many_streams(*world.conn, 50), asio::use_future));
  }
  expect_ok(runs);
  over = true;
  changer.join();
  EXPECT_EQ(world.conn->counters().calls_succeeded, 500u) << "whichever policy each of them found";
}

}  // namespace
}  // namespace gaggle
