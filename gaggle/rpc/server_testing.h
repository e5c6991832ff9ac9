// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gaggle/net/byte_stream_testing.h"
#include "gaggle/net/event.h"
#include "gaggle/net/loop_group.h"
#include "gaggle/net/loop_testing.h"
#include "gaggle/rpc/framing.h"
#include "gaggle/rpc/server.h"
#include "gaggle/rpc/server_stream.h"
#include "gaggle/rpc/service.h"
#include "gaggle/transport/connection.h"

namespace gaggle {

// A message type that can refuse: "\xff" in it can't be decoded, "unencodable" can't be encoded.
struct Text {
  std::string value;
};
template <>
struct MessageTypeOf<Text> {
  static const MessageType* get() noexcept;
};

// A service whose methods do what a test says. Registered by hand, as "test.Service".
class TestService : public Service {
 public:
  using Unary = Task<Status> (*)(TestService& service, ServerContext& context, const Text& request, Text& response);
  using Stream = Task<Status> (*)(TestService& service, ServerStream& stream);

  static const ServiceDesc& desc();

  static Task<Status> echo(TestService& service, ServerContext& context, const Text& request, Text& response);
  // Waits until the call's context ends, and ends with its status.
  static Task<Status> wait_for_the_end(TestService& service, ServerContext& context, const Text& request,
                                       Text& response);
  // Waits for `gate`, then echoes, whatever became of the call meanwhile.
  static Task<Status> wait_for_gate(TestService& service, ServerContext& context, const Text& request, Text& response);
  // Sends back what comes.
  static Task<Status> chat(TestService& service, ServerStream& stream);

  Unary unary = echo;
  Stream stream = chat;
  AsyncEvent* gate = nullptr;  // made by the test
  std::vector<Status> ended;   // what handlers that record it ended with
  std::vector<std::string> received;
  int running = 0;
  int most_running = 0;
  int started = 0;
};

// What came back on one call.
struct ClientCall {
  http2::Stream* stream = nullptr;
  std::vector<std::pair<std::string, std::string>> header;
  std::vector<std::pair<std::string, std::string>> trailer;
  std::string content;
  bool ended = false;                     // END_STREAM came
  std::optional<http2::ErrorCode> reset;  // RST_STREAM came, or the connection was lost
  bool trailers_only = false;
  MessageCounter arrived;

  bool over() const noexcept { return ended || reset.has_value(); }
  std::string header_value(std::string_view name) const;
  // In the trailers, or in a Trailers-Only header section.
  std::string trailer_value(std::string_view name) const;
  std::string grpc_status() const { return trailer_value("grpc-status"); }
  std::string grpc_message() const { return trailer_value("grpc-message"); }
  std::vector<std::string> messages() const;
};

using TestFields = std::vector<std::pair<std::string, std::string>>;

// A client that knows HTTP/2, but of gRPC only what the test spells out.
class FrameClient final : public transport::Handler {
 public:
  FrameClient(std::unique_ptr<ByteStream> stream, const http2::Options& options = {});
  ~FrameClient();

  // The header section of an honest call of "/test.Service/<method>".
  static TestFields request(std::string_view method, const TestFields& more = {});
  // A message with its prefix.
  static std::string message(std::string_view text);

  ClientCall& start(const TestFields& fields, bool end = false);
  // A whole call with one message.
  ClientCall& call(std::string_view method, std::string_view text, const TestFields& more = {});
  void send(ClientCall& call, std::string_view content, bool end = false);
  void reset(ClientCall& call, http2::ErrorCode code = http2::ErrorCode::kCancel);
  // Without it, what arrives takes credit from the server.
  void consume_automatically(bool consume) { consume_ = consume; }
  void consume(ClientCall& call, size_t bytes);
  void close();

  http2::Connection& http2() { return transport_->http2(); }
  void flush() { transport_->flush(); }

  std::deque<ClientCall> calls;
  bool closed = false;
  std::vector<uint32_t> goaways;  // their last stream ids
  std::vector<http2::ErrorCode> goaway_codes;
  std::vector<std::string> goaway_texts;

 private:
  void on_headers(http2::Stream& stream, http2::HeaderBlockRef headers, bool end_stream) override;
  void on_trailers(http2::Stream& stream, http2::HeaderBlockRef trailers) override;
  void on_data(http2::Stream& stream, std::span<const uint8_t> content, bool end_stream) override;
  void on_reset(http2::Stream& stream, http2::ErrorCode code, http2::ResetOrigin origin) override;
  void on_writable(http2::Stream&) override {}
  void on_goaway(uint32_t last_stream_id, http2::ErrorCode code, std::string_view debug) override {
    goaways.push_back(last_stream_id);
    goaway_codes.push_back(code);
    goaway_texts.emplace_back(debug);
  }
  void on_events_done() override {}
  void on_closed(const Status&) override { closed = true; }

  bool consume_ = true;
  transport::Options options_;
  http2::Tallies tallies_;
  std::unique_ptr<transport::Connection> transport_;
};

// A server with a TestService on virtual time, and clients on pipes in memory.
class ServerWorld {
 public:
  explicit ServerWorld(ServerOptions options = {}, const PipeOptions& to_server = {},
                       const PipeOptions& to_client = {});
  ~ServerWorld();

  // One more client.
  FrameClient& connect(const http2::Options& options = {});
  // Everything that can happen without time passing.
  void settle() { world.settle(); }
  // Makes a call and waits for its end.
  ClientCall& finish(ClientCall& call);

  VirtualLoop world;
  LoopGroup loops{world.loop};
  AsyncEvent gate{world.loop};
  TestService service;
  std::unique_ptr<Server> server;
  std::deque<std::unique_ptr<FrameClient>> clients;
  std::deque<PipeStream*> server_pipes;  // valid as long as their connections
  FrameClient& client() { return *clients.front(); }

 private:
  PipeOptions to_server_;
  PipeOptions to_client_;
};

}  // namespace gaggle
