// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/in_process.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "gaggle/net/loop_testing.h"
#include "gaggle/net/sleep.h"
#include "gaggle/rpc/client_testing.h"
#include "gaggle/rpc/echo_testing.h"
#include "gaggle/rpc/in_process_pipe.h"
#include "gaggle/rpc/server_stream.h"

namespace gaggle {
namespace {

using namespace std::chrono_literals;

// A service written by hand: what it does is in the request.
class Echo final : public Service {
 public:
  Status last_end;  // how the latest sleeper ended
  std::string authority;
};

Task<Status> run_unary(void* implementation, ServerContext& context, UnaryServerCall& call, UnaryServerInterceptor*) {
  if (Status decoded = call.decode(); !decoded) co_return decoded;
  Echo& echo = *static_cast<Echo*>(implementation);
  const std::string text(static_cast<Bytes*>(call.request().object)->view());
  if (text == "fail") co_return Status(StatusCode::kNotFound, "no such thing: \xc3\xa4%", "details");
  if (text == "sleep") {
    auto sleep = sleep_for(context.loop(), 1h);
    echo.last_end = co_await sleep;
    co_return echo.last_end;
  }
  if (text == "metadata") {
    for (const auto& entry : context.metadata()) {
      if (!entry.key.starts_with("x-")) continue;
      if (Status set = context.set_header(entry.key, entry.value); !set) co_return set;
      if (Status set = context.set_trailer(entry.key, entry.value); !set) co_return set;
    }
  }
  *static_cast<Bytes*>(call.response().object) = Bytes::copy_of("to " + text);
  co_return Status::ok();
}

void* fit_echo(Service& service) { return dynamic_cast<Echo*>(&service); }

const MethodDesc kMethods[] = {{"Unary", message_type<Bytes>(), message_type<Bytes>(), run_unary}};
const StreamDesc kStreams[] = {{"Talk", echo_bytes, true, true, message_type<Bytes>(), message_type<Bytes>()}};
const ServiceDesc kEcho = {"test.Echo", "Echo", fit_echo, kMethods, kStreams, "by hand"};

struct World {
  VirtualLoop time;
  LoopGroup loops{time.loop};
  Echo echo;
  std::unique_ptr<InProcessConn> conn = std::move(*InProcessConn::create(loops));

  World() { EXPECT_TRUE(conn->register_service(kEcho, echo).is_ok()); }
  ~World() {
    conn.reset();
    time.settle();
  }
  Status call(std::string_view text, Bytes& response, const Context& context = {}, CallOptions options = {}) {
    const Bytes request = Bytes::copy_of(text);
    Task<Status> task = conn->invoke(context, "/test.Echo/Unary", message_of(request), message_of(response), options);
    return time.run(std::move(task));
  }
  Context in(Duration timeout) { return Context{}.with_clock(time.clock).with_timeout(timeout); }
};

TEST(InProcessTest, unary_calls_and_their_statuses_go_through) {
  World world;
  Bytes response;
  EXPECT_TRUE(world.call("me", response).is_ok());
  EXPECT_EQ(response.view(), "to me");
  const Status failed = world.call("fail", response);
  EXPECT_EQ(failed.code(), StatusCode::kNotFound);
  EXPECT_EQ(failed.message(), "no such thing: \xc3\xa4%");
  EXPECT_EQ(failed.details(), "details");
}

TEST(InProcessTest, metadata_and_peer_go_through) {
  World world;
  Metadata sent, header, trailer;
  ASSERT_TRUE(sent.add("x-key", "value"));
  ASSERT_TRUE(sent.add("x-raw-bin", std::string("\0,\xff", 3)));
  Peer peer;
  Bytes response;
  EXPECT_TRUE(
      world.call("metadata", response, {}, {.metadata = &sent, .header = &header, .trailer = &trailer, .peer = &peer})
          .is_ok());
  EXPECT_EQ(header.get("x-key"), "value");
  EXPECT_EQ(trailer.get("x-raw-bin"), std::string_view("\0,\xff", 3));
  EXPECT_EQ(peer.address, "unix:@in-process");
}

TEST(InProcessTest, the_deadline_ends_caller_and_handler) {
  World world;
  Bytes response;
  EXPECT_EQ(world.call("sleep", response, world.in(1s)).code(), StatusCode::kDeadlineExceeded);
  world.time.settle();
  EXPECT_FALSE(world.echo.last_end) << "what the handler awaited was cancelled";
}

TEST(InProcessTest, cancellation_reaches_what_the_handler_awaits) {
  World world;
  CancelSource source;
  const Bytes request = Bytes::copy_of("sleep");
  Bytes response;
  TaskRecord<Status> record;
  const Context background;
  {
    const Loop::Enter enter(world.time.loop);
    Task<Status> task =
        world.conn->invoke(source.context(), "/test.Echo/Unary", message_of(request), message_of(response), {});
    start(std::move(task), record, background);
  }
  world.time.settle();
  EXPECT_FALSE(record.ended());
  source.cancel();
  world.time.settle();
  ASSERT_TRUE(record.ended());
  EXPECT_EQ(record.take().code(), StatusCode::kCancelled);
  EXPECT_EQ(world.echo.last_end.code(), StatusCode::kCancelled);
}

Task<std::string> talk(ClientConnInterface& conn) {
  CallOptions options;
  Context context;
  Task<Result<std::unique_ptr<ClientStream>>> opening =
      conn.new_stream(context, kStreams[0], "/test.Echo/Talk", options);
  Result<std::unique_ptr<ClientStream>> opened = co_await std::move(opening);
  if (!opened) co_return opened.error().to_string();
  ClientStream& stream = **opened;
  std::string heard;
  for (int i = 0; i < 3; ++i) {
    const Bytes message = Bytes::copy_of(std::string(i == 2 ? 1'000'000 : 3, static_cast<char>('a' + i)));
    Result<bool> sent = co_await stream.send(message_of(message));
    if (!sent || !*sent) co_return "not sent";
    Bytes answer;
    Result<bool> more = co_await stream.recv(message_of(answer));
    if (!more || !*more) co_return "no answer";
    heard += std::to_string(answer.size()) + std::string(answer.view().substr(0, 1)) + " ";
  }
  Status closed = co_await stream.close_send();
  Bytes rest;
  Result<bool> more = co_await stream.recv(message_of(rest));
  co_return heard + (closed.is_ok() && more && !*more ? "end" : "no end");
}

TEST(InProcessTest, streams_talk_both_ways) {
  World world;
  EXPECT_EQ(world.time.run(talk(*world.conn)), "3a 3b 1000000c end");
}

TEST(InProcessTest, unknown_methods_and_late_registrations_are_refused) {
  World world;
  Bytes request, response;
  Task<Status> task =
      world.conn->invoke(Context{}, "/test.Nobody/Unary", message_of(std::as_const(request)), message_of(response), {});
  EXPECT_EQ(world.time.run(std::move(task)).code(), StatusCode::kUnimplemented);
  Echo another;
  EXPECT_EQ(world.conn->register_service(kEcho, another).code(), StatusCode::kFailedPrecondition);
}

TEST(InProcessTest, a_call_in_flight_ends_with_the_connection) {
  World world;
  const Bytes request = Bytes::copy_of("sleep");
  Bytes response;
  TaskRecord<Status> record;
  const Context background;
  {
    const Loop::Enter enter(world.time.loop);
    Task<Status> task =
        world.conn->invoke(background, "/test.Echo/Unary", message_of(request), message_of(response), {});
    start(std::move(task), record, background);
  }
  world.time.settle();
  world.conn.reset();
  world.time.settle();
  ASSERT_TRUE(record.ended());
  EXPECT_EQ(record.take().code(), StatusCode::kCancelled);
}

// --- The pipe itself ---

struct Told final : Waiter {
  int times = 0;
  void on_ready() noexcept override { ++times; }
};

TEST(InProcessPipeTest, a_full_direction_makes_the_writer_wait_and_the_reader_wakes_it) {
  VirtualLoop time;
  auto [a, b] = make_in_process_pipe(time.loop);
  std::string bytes(kInProcessPipeBytes + 10, 'x');
  const iovec piece{bytes.data(), bytes.size()};
  EXPECT_EQ(a->write({&piece, 1}).bytes, kInProcessPipeBytes);
  EXPECT_EQ(a->write({&piece, 1}).kind, IoResult::Kind::kWouldBlock);
  Told writable;
  a->wait_writable(writable);
  time.settle();
  EXPECT_EQ(writable.times, 0);
  std::string buffer(1000, '\0');
  EXPECT_EQ(b->read({reinterpret_cast<uint8_t*>(buffer.data()), buffer.size()}).bytes, 1000u);
  EXPECT_EQ(writable.times, 0) << "never from within read";
  time.settle();
  EXPECT_EQ(writable.times, 1);
  EXPECT_EQ(a->write({&piece, 1}).bytes, 1000u);
}

TEST(InProcessPipeTest, closing_is_the_end_for_the_reader_and_an_error_for_the_writer) {
  VirtualLoop time;
  auto [a, b] = make_in_process_pipe(time.loop);
  Told readable;
  b->wait_readable(readable);
  const iovec piece{const_cast<char*>("last"), 4};
  EXPECT_TRUE(a->write({&piece, 1}).is_done());
  a->close();
  time.settle();
  EXPECT_EQ(readable.times, 1);
  uint8_t buffer[16];
  EXPECT_EQ(b->read(buffer).bytes, 4u) << "what was written before arrives";
  EXPECT_EQ(b->read(buffer).kind, IoResult::Kind::kEof);
  EXPECT_EQ(b->write({&piece, 1}).kind, IoResult::Kind::kError);
  EXPECT_EQ(a->read(buffer).kind, IoResult::Kind::kError);
}

}  // namespace
}  // namespace gaggle
