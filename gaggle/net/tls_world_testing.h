// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "gaggle/net/byte_stream_testing.h"
#include "gaggle/net/loop_testing.h"
#include "gaggle/net/stream_security.h"
#include "gaggle/net/tls_handshake.h"
#include "gaggle/net/tls_testing.h"
#include "gaggle/net/turn_gate.h"

namespace gaggle {

using SecuredStream = Result<std::unique_ptr<ByteStream>>;

inline std::span<uint8_t> bytes_of(std::string& text) { return {reinterpret_cast<uint8_t*>(text.data()), text.size()}; }

inline IoResult put(ByteStream& stream, std::string_view text) {
  const iovec piece{const_cast<char*>(text.data()), text.size()};
  return stream.write({&piece, 1});
}

// Counts.
struct Told final : Waiter {
  int times = 0;
  void on_ready() noexcept override { ++times; }
};

// ALPN's way to say it, for peers made by hand.
inline constexpr unsigned char kHttp2[] = {2, 'h', '2'};

// Two ends in memory that shake hands, on virtual time.
struct TlsWorld {
  VirtualLoop time;
  TestAuthority authority;
  TestIdentity server_identity = authority.issue({.dns_names = {"scores.example", "*.wild.example"},
                                                  .ip_addresses = {"10.1.2.3", "fd00::1"},
                                                  .uris = {"spiffe://example/scores"}});
  TlsMaterial client_material{.trusted = authority.pem()};
  TlsMaterial server_material{
      .certificates = server_identity.certificate_pem(), .private_key = server_identity.key_pem(), .trusted = {}};
  ClientCertificates client_certificates = ClientCertificates::kNone;
  size_t max_sessions = 8;
  bool tickets = true;
  PipeOptions up, down;
  std::string name = "scores.example";
  TurnGate gate{time.loop, 4};

  std::shared_ptr<const TlsContext> client_context, server_context;
  PipeStream* client_pipe = nullptr;
  PipeStream* server_pipe = nullptr;
  std::unique_ptr<TaskRecord<SecuredStream>> client_record, server_record;
  Context context;
  std::unique_ptr<ByteStream> client, server;
  Status client_status, server_status;

  ~TlsWorld() {
    client.reset();
    server.reset();
    time.settle();
  }
  void make_contexts() {
    if (client_context == nullptr) client_context = std::move(*TlsContext::client(client_material, max_sessions));
    if (server_context == nullptr) {
      server_context = std::move(*TlsContext::server(server_material, client_certificates, tickets));
    }
  }
  void start_server(std::unique_ptr<ByteStream> pipe) {
    const Loop::Enter enter(time.loop);
    server_record = std::make_unique<TaskRecord<SecuredStream>>();
    Task<SecuredStream> task = tls_accept(std::move(pipe), server_context, gate, context);
    start(std::move(task), *server_record, context);
  }
  void start_client(std::unique_ptr<ByteStream> pipe) {
    const Loop::Enter enter(time.loop);
    client_record = std::make_unique<TaskRecord<SecuredStream>>();
    Task<SecuredStream> task = tls_connect(std::move(pipe), client_context, name, context);
    start(std::move(task), *client_record, context);
  }
  static void finish(TaskRecord<SecuredStream>& record, std::unique_ptr<ByteStream>& stream, Status& status) {
    if (!record.ended()) {
      status = Status::unknown("still shaking hands");
      return;
    }
    SecuredStream result = record.take();
    status = result.status();
    if (result) stream = std::move(*result);
  }
  // Both ends shake hands.
  void connect() {
    client.reset();
    server.reset();
    make_contexts();
    StreamPair pair = make_stream_pair(time.loop, up, down);
    client_pipe = pair.client.get();
    server_pipe = pair.server.get();
    start_server(std::move(pair.server));
    start_client(std::move(pair.client));
    time.advance(std::chrono::seconds{3});  // refusals linger for a second
    finish(*client_record, client, client_status);
    finish(*server_record, server, server_status);
  }
  // Our server and a client made by hand shake hands. Gives the client's end of the pipe.
  std::unique_ptr<PipeStream> accept(RawTlsPeer& peer) {
    make_contexts();
    SSL_set_alpn_protos(peer.start(), kHttp2, sizeof kHttp2);
    SSL_set_connect_state(peer.ssl());
    StreamPair pair = make_stream_pair(time.loop);
    start_server(std::move(pair.server));
    for (int i = 0; i < 4 && !peer.step(); ++i) {
      put(*pair.client, peer.give());
      peer.take(read_all(*pair.client));
    }
    put(*pair.client, peer.give());
    time.settle();
    finish(*server_record, server, server_status);
    return std::move(pair.client);
  }
  // All that can be read now.
  std::string read_all(ByteStream& stream, size_t buffer_bytes = 64 * 1024) {
    std::string buffer(buffer_bytes, '\0');
    std::string all;
    for (int waits = 0;;) {
      time.settle();
      const IoResult result = stream.read(bytes_of(buffer));
      last = result.kind;
      last_error = result.error;
      // What the other end could write only now comes with the next look.
      if (result.kind == IoResult::Kind::kWouldBlock && ++waits < 4) continue;
      if (!result.is_done()) return all;
      waits = 0;
      all.append(buffer, 0, result.bytes);
    }
  }
  IoResult::Kind last{};
  Status last_error;
};

inline bool mentions(const Status& status, std::string_view text) {
  return status.message().find(text) != std::string_view::npos;
}

}  // namespace gaggle
