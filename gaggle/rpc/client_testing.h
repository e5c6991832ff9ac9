// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gaggle/net/byte_stream_testing.h"
#include "gaggle/net/loop_group.h"
#include "gaggle/net/loop_testing.h"
#include "gaggle/rpc/client_conn.h"
#include "gaggle/rpc/client_dialer.h"
#include "gaggle/rpc/metadata.h"
#include "gaggle/rpc/resolver/manual.h"
#include "gaggle/rpc/service.h"
#include "gaggle/transport/connection.h"

namespace gaggle {

// One HTTP/2 connection whose server does exactly what a test tells it to.
class ScriptedServer final : public transport::Handler {
 public:
  struct Request {
    http2::Stream* stream = nullptr;
    http2::HeaderBlockRef headers;
    std::string body;
    bool ended = false;                     // END_STREAM came
    std::optional<http2::ErrorCode> reset;  // RST_STREAM came, or the connection ended
    bool answered = false;

    std::string header(std::string_view name) const;
    bool has_header(std::string_view name) const;
    // The messages in `body`, without their prefixes.
    std::vector<std::string> messages() const;
  };

  ScriptedServer(std::unique_ptr<PipeStream> stream, const http2::Options& options);
  ~ScriptedServer();

  std::deque<std::unique_ptr<Request>> requests;
  bool closed = false;
  bool goaway_came = false;
  size_t pings = 0;

  Request& request(size_t index) { return *requests.at(index); }
  size_t open_requests() const;

  // A whole answer: headers, one message, OK.
  void answer(Request& request, std::string_view message);
  void send_headers(Request& request, std::vector<http2::HeaderOut> more = {}, std::string_view status = "200",
                    std::string_view content_type = "application/grpc", bool end = false);
  void send_message(Request& request, std::string_view message);
  void send_raw(Request& request, std::string_view content, bool end = false);
  void send_trailers(Request& request, std::string_view grpc_status, std::vector<http2::HeaderOut> more = {});
  void send_fields(Request& request, const std::vector<http2::HeaderOut>& fields, bool end);
  void send_trailer_fields(Request& request, const std::vector<http2::HeaderOut>& fields);
  // Headers and trailers in one.
  void trailers_only(Request& request, std::string_view grpc_status, std::string_view message = {});
  void reset(Request& request, http2::ErrorCode code);

  http2::Connection& http2() { return connection_->http2(); }
  void flush() { connection_->flush(); }
  void drain() { connection_->drain(); }
  void close() { connection_->close(Status::unavailable("the test closed it")); }
  PipeStream& pipe() { return *pipe_; }

 private:
  void on_headers(http2::Stream& stream, http2::HeaderBlockRef headers, bool end_stream) override;
  void on_trailers(http2::Stream& stream, http2::HeaderBlockRef trailers) override;
  void on_data(http2::Stream& stream, std::span<const uint8_t> content, bool end_stream) override;
  void on_reset(http2::Stream& stream, http2::ErrorCode code, http2::ResetOrigin origin) override;
  void on_writable(http2::Stream&) override {}
  void on_goaway(uint32_t, http2::ErrorCode, std::string_view) override { goaway_came = true; }
  void on_events_done() override;
  void on_closed(const Status&) override;
  void finish(Request& request);

  const transport::Options options_;
  http2::Tallies tallies_;
  PipeStream* pipe_;
  std::unique_ptr<transport::Connection> connection_;
};

// A network of addresses that answer, refuse, or say nothing.
class ScriptedNetwork final : public Dialer {
 public:
  enum class Mode { kAnswer, kRefuse, kSilent, kMute };  // kMute: connects, and never sends a byte

  explicit ScriptedNetwork(Loop& loop) : loop_(loop) {}

  Mode mode = Mode::kAnswer;  // of addresses that `modes` doesn't name
  std::map<std::string, Mode> modes;
  http2::Options server_options;
  std::vector<std::string> dialled;  // every attempt, in order
  std::vector<std::unique_ptr<ScriptedServer>> servers;
  std::vector<std::unique_ptr<PipeStream>> raw;  // the far ends of kMute
  std::vector<PipeStream*> client_pipes;         // valid as long as their connections

  Task<Result<std::unique_ptr<ByteStream>>> dial(Loop& loop, Address address, Context context) override;

 private:
  Loop& loop_;
};

// A client, a network of scripted servers, and virtual time.
struct ClientWorld {
  VirtualLoop time;
  LoopGroup loops{time.loop};
  ScriptedNetwork network{time.loop};
  ManualResolver resolver;
  std::unique_ptr<ClientConn> conn;

  ClientWorld();
  ~ClientWorld();

  // Makes `conn`, insecure unless the options say otherwise, whose name stands for "a:1" unless the addresses say
  // otherwise.
  ClientConn& connect(ClientConnOptions options = {}, std::vector<std::string> addresses = {"a:1"});
  void resolve_to(const std::vector<std::string>& addresses);
  void settle() { time.settle(); }
  void advance(Duration by) { time.advance(by); }
  Context in(Duration timeout) { return Context{}.with_clock(time.clock).with_timeout(timeout); }
  // The latest connection.
  ScriptedServer& server() { return *network.servers.back(); }
  ScriptedServer::Request& request(size_t index = 0) { return server().request(index); }
};

// A unary call with bytes each way, on its way. Cancelled if it's destroyed before it's over.
struct UnaryRun {
  ClientWorld& world;
  Bytes request;
  Bytes response;
  TaskRecord<Status> record;
  CancelSource source;
  Context background;

  ~UnaryRun();
  UnaryRun(ClientWorld& world, const Context& context, std::string_view request, CallOptions options = {},
           std::string_view method = "/test.Service/Unary");
  bool done() const { return record.ended(); }
  Status status() { return record.take(); }
};

// A task that a test looks at from outside.
template <class T>
struct Running {
  TaskRecord<T> record;
  Context context;
  Running(ClientWorld& world, Task<T> task) {
    const Loop::Enter enter(world.time.loop);
    start(std::move(task), record, context);
  }
  bool done() const { return record.ended(); }
  T take() { return record.take(); }
};

extern const StreamDesc kBidiStream;
extern const StreamDesc kClientStream;
extern const StreamDesc kServerStream;

// The five bytes before a message, and the message.
std::string framed(std::string_view message);

}  // namespace gaggle
