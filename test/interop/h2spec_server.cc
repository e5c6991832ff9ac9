// SPDX-License-Identifier: Apache-2.0
//
// gaggle_h2spec_server --listen HOST:PORT
//
// A plain HTTP/2 server for h2spec: GET and POST on "/" are answered with 200 and a body, every other
// path with 404. Uses http2 and transport alone, to show that they stand without the gRPC layer.
#include <asio/signal_set.hpp>
#include <csignal>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "gaggle/net/listener.h"
#include "gaggle/net/loop.h"
#include "gaggle/net/socket_stream.h"
#include "gaggle/transport/connection.h"

namespace gaggle {
namespace {

class Session;

class PlainServer {
 public:
  explicit PlainServer(Loop& loop) : loop_(loop) {}
  ~PlainServer();
  Result<uint16_t> listen(const Address& address);
  void remove(Session* session);

 private:
  void accept(AcceptedSocket accepted);

  Loop& loop_;
  std::unique_ptr<Listener> listener_;
  std::unordered_set<Session*> sessions_;
};

// One connection. Answers a request as soon as it is complete.
class Session final : private transport::Handler {
 public:
  Session(PlainServer& server, std::unique_ptr<ByteStream> stream, const transport::Options& options)
      : server_(server), transport_(std::move(stream), http2::Role::kServer, options, *this, tallies_) {}
  void start() { transport_.start(); }

 private:
  void on_headers(http2::Stream& stream, http2::HeaderBlockRef headers, bool end_stream) override {
    const http2::HeaderField* path = headers->find(http2::HeaderName::kPath);
    const bool found = path != nullptr && path->value == "/";
    // Nothing else needs to be remembered of a request.
    stream.user = found ? this : nullptr;
    if (end_stream) answer(stream);
  }
  void on_data(http2::Stream& stream, std::span<const uint8_t> content, bool end_stream) override {
    transport_.http2().consume(stream, content.size());
    if (end_stream) answer(stream);
  }
  void on_trailers(http2::Stream& stream, http2::HeaderBlockRef) override { answer(stream); }
  void on_reset(http2::Stream& stream, http2::ErrorCode, http2::ResetOrigin) override {
    transport_.http2().release(stream);
  }
  void on_writable(http2::Stream&) override {}
  void on_events_done() override {}
  void on_closed(const Status&) override { server_.remove(this); }

  void answer(http2::Stream& stream) {
    http2::Connection& engine = transport_.http2();
    const http2::HeaderOut fields[] = {{":status", stream.user != nullptr ? "200" : "404", http2::HeaderName::kStatus},
                                       {"content-type", "text/plain", http2::HeaderName::kContentType}};
    static_cast<void>(engine.send_headers(stream, fields, false));
    static_cast<void>(engine.send_data(stream, Bytes::unowned("honk, honk\n"), true));
    engine.release(stream);
  }

  PlainServer& server_;
  http2::Tallies tallies_;
  transport::Connection transport_;
};

const transport::Options& session_options() {
  static const transport::Options options;
  return options;
}

Result<uint16_t> PlainServer::listen(const Address& address) {
  auto opened = Listener::open(loop_, address, [this](AcceptedSocket accepted) { accept(std::move(accepted)); });
  if (!opened) return opened.error();
  listener_ = std::move(*opened);
  return listener_->port();
}

void PlainServer::accept(AcceptedSocket accepted) {
  auto stream = make_socket_stream(loop_, std::move(accepted.socket));
  if (!stream) return;
  auto* session = new Session(*this, std::move(*stream), session_options());
  sessions_.insert(session);
  session->start();
}

void PlainServer::remove(Session* session) {
  sessions_.erase(session);
  delete session;
}

PlainServer::~PlainServer() {
  for (Session* session : sessions_) delete session;
}

int run(std::string_view text) {
  Result<Address> address = Address::parse(text);
  if (!address) {
    std::fprintf(stderr, "gaggle_h2spec_server: %s\n", address.error().to_string().c_str());
    return 2;
  }
  Loop loop;
  PlainServer server(loop);
  Result<uint16_t> port = server.listen(*address);
  if (!port) {
    std::fprintf(stderr, "gaggle_h2spec_server: %s\n", port.error().to_string().c_str());
    return 1;
  }
  std::printf("listening on port %u\n", static_cast<unsigned>(*port));
  std::fflush(stdout);
  asio::signal_set signals(loop.io_context(), SIGTERM, SIGINT);
  signals.async_wait([&loop](const asio::error_code&, int) { loop.stop(); });
  loop.run();
  return 0;
}

}  // namespace
}  // namespace gaggle

int main(int argc, char** argv) {
  if (argc == 3 && std::string_view(argv[1]) == "--listen") return gaggle::run(argv[2]);
  std::fprintf(stderr, "usage: gaggle_h2spec_server --listen HOST:PORT\n");
  return 2;
}
