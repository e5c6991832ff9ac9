// SPDX-License-Identifier: Apache-2.0
//
// TLS between two ends in memory, on virtual time. Peers that behave badly speak OpenSSL by hand.
#include "gaggle/net/tls_stream.h"

#include <gtest/gtest.h>
#include <malloc.h>

#include <chrono>
#include <string>
#include <vector>

#include "gaggle/net/byte_stream_testing.h"
#include "gaggle/net/loop_testing.h"
#include "gaggle/net/tls_handshake.h"
#include "gaggle/net/tls_testing.h"
#include "gaggle/net/turn_gate.h"

namespace gaggle {
namespace {

using namespace std::chrono_literals;
using Secured = Result<std::unique_ptr<ByteStream>>;

std::span<uint8_t> bytes_of(std::string& text) { return {reinterpret_cast<uint8_t*>(text.data()), text.size()}; }

IoResult put(ByteStream& stream, std::string_view text) {
  const iovec piece{const_cast<char*>(text.data()), text.size()};
  return stream.write({&piece, 1});
}

struct Told final : Waiter {
  int times = 0;
  void on_ready() noexcept override { ++times; }
};

struct World {
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
  std::unique_ptr<TaskRecord<Secured>> client_record, server_record;
  Context context;
  std::unique_ptr<ByteStream> client, server;
  Status client_status, server_status;

  ~World() {
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
    server_record = std::make_unique<TaskRecord<Secured>>();
    Task<Secured> task = tls_accept(std::move(pipe), server_context, gate, context);
    start(std::move(task), *server_record, context);
  }
  void start_client(std::unique_ptr<ByteStream> pipe) {
    const Loop::Enter enter(time.loop);
    client_record = std::make_unique<TaskRecord<Secured>>();
    Task<Secured> task = tls_connect(std::move(pipe), client_context, name, context);
    start(std::move(task), *client_record, context);
  }
  static void finish(TaskRecord<Secured>& record, std::unique_ptr<ByteStream>& stream, Status& status) {
    if (!record.ended()) {
      status = Status::unknown("still shaking hands");
      return;
    }
    Secured result = record.take();
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
    time.advance(3s);  // refusals linger for a second
    finish(*client_record, client, client_status);
    finish(*server_record, server, server_status);
  }
  // All that `to` can read now.
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

bool mentions(const Status& status, std::string_view text) {
  return status.message().find(text) != std::string_view::npos;
}

// --- Good handshakes ---

TEST(TlsStreamTest, both_ends_agree_and_bytes_go_both_ways) {
  World world;
  world.connect();
  ASSERT_TRUE(world.client_status) << world.client_status.to_string();
  ASSERT_TRUE(world.server_status) << world.server_status.to_string();
  EXPECT_EQ(put(*world.client, "hello").bytes, 5u);
  EXPECT_EQ(world.read_all(*world.server), "hello");
  EXPECT_EQ(put(*world.server, "back").bytes, 4u);
  EXPECT_EQ(world.read_all(*world.client), "back");
  EXPECT_EQ(world.last, IoResult::Kind::kWouldBlock);
}

TEST(TlsStreamTest, the_client_knows_whom_it_talks_to) {
  World world;
  world.connect();
  ASSERT_TRUE(world.client_status);
  const auto seen = world.client->security();
  ASSERT_NE(seen, nullptr);
  EXPECT_EQ(seen->level, SecurityLevel::kPrivacyAndIntegrity);
  EXPECT_EQ(seen->protocol, "TLSv1.3");
  EXPECT_TRUE(seen->cipher.starts_with("TLS_")) << seen->cipher;
  EXPECT_EQ(seen->server_name, "scores.example");
  ASSERT_TRUE(seen->has_peer_certificate);
  const PeerCertificate& certificate = seen->peer_certificate;
  EXPECT_EQ(certificate.subject, "CN=test");
  EXPECT_EQ(certificate.issuer, "CN=test CA");
  EXPECT_EQ(certificate.dns_names, (std::vector<std::string>{"scores.example", "*.wild.example"}));
  EXPECT_EQ(certificate.ip_addresses, (std::vector<std::string>{"10.1.2.3", "fd00::1"}));
  EXPECT_EQ(certificate.uris, (std::vector<std::string>{"spiffe://example/scores"}));
  EXPECT_FALSE(certificate.serial_number.empty());
  EXPECT_TRUE(certificate.der.starts_with('\x30')) << "a DER sequence";
  EXPECT_FALSE(world.server->security()->has_peer_certificate) << "nobody asked the client for one";
  EXPECT_EQ(world.server->security()->server_name, "scores.example") << "what SNI said";
}

TEST(TlsStreamTest, names_are_those_of_the_san_and_wildcards_cover_one_label) {
  for (const char* good : {"scores.example", "SCORES.example", "a.wild.example", "10.1.2.3", "fd00::1"}) {
    World world;
    world.name = good;
    world.connect();
    EXPECT_TRUE(world.client_status) << good << ": " << world.client_status.to_string();
  }
  for (const char* bad : {"other.example", "a.b.wild.example", "wild.example", "10.1.2.4", "fd00::2"}) {  // [193]
    World world;
    world.name = bad;
    world.connect();
    EXPECT_EQ(world.client_status.code(), StatusCode::kUnavailable) << bad;
    EXPECT_TRUE(mentions(world.client_status, "it is for scores.example")) << world.client_status.to_string();
    EXPECT_TRUE(mentions(world.server_status, "refuses the connection: alert"))
        << "the server hears of it: " << world.server_status.to_string();
  }
}

TEST(TlsStreamTest, the_common_name_is_no_name) {
  World world;
  const TestIdentity old = world.authority.issue({.common_name = "scores.example"});
  world.server_material = {.certificates = old.certificate_pem(), .private_key = old.key_pem(), .trusted = {}};
  world.connect();
  EXPECT_TRUE(mentions(world.client_status, "it is for no name")) << world.client_status.to_string();
}

TEST(TlsStreamTest, rsa_and_chains_work) {
  World world;
  const TestIdentity rsa = world.authority.issue({.dns_names = {"scores.example"}, .rsa = true});
  world.server_material.certificates = rsa.certificate_pem() + world.authority.pem();
  world.server_material.private_key = rsa.key_pem();
  world.connect();
  EXPECT_TRUE(world.client_status) << world.client_status.to_string();
}

// --- Client certificates ---

TEST(TlsStreamTest, a_client_that_proves_itself_is_known_to_the_server) {
  World world;
  const TestIdentity who = world.authority.issue({.common_name = "a client", .uris = {"spiffe://example/client"}});
  world.client_material.certificates = who.certificate_pem();
  world.client_material.private_key = who.key_pem();
  world.server_material.trusted = world.authority.pem();
  world.client_certificates = ClientCertificates::kRequire;
  world.connect();
  ASSERT_TRUE(world.server_status) << world.server_status.to_string();
  ASSERT_TRUE(world.server->security()->has_peer_certificate);
  EXPECT_EQ(world.server->security()->peer_certificate.subject, "CN=a client");
  EXPECT_EQ(world.server->security()->peer_certificate.uris.at(0), "spiffe://example/client");
}

TEST(TlsStreamTest, a_client_without_a_certificate_is_refused_where_one_is_required) {  // [195]
  World world;
  world.server_material.trusted = world.authority.pem();
  world.client_certificates = ClientCertificates::kRequire;
  world.connect();
  EXPECT_EQ(world.server_status.code(), StatusCode::kUnavailable);
  EXPECT_TRUE(mentions(world.server_status, "did not return a certificate")) << world.server_status.to_string();
  // In TLS 1.3 a client is done before the server has looked; it learns the reason when it reads.
  ASSERT_TRUE(world.client_status);
  EXPECT_EQ(world.read_all(*world.client), "");
  EXPECT_EQ(world.last, IoResult::Kind::kError);
  EXPECT_TRUE(mentions(world.last_error, "certificate required")) << world.last_error.to_string();
}

TEST(TlsStreamTest, a_client_certificate_of_strangers_is_refused) {
  World world;
  const TestAuthority strangers("strangers");
  const TestIdentity who = strangers.issue({.common_name = "a client"});
  world.client_material.certificates = who.certificate_pem();
  world.client_material.private_key = who.key_pem();
  world.server_material.trusted = world.authority.pem();
  world.client_certificates = ClientCertificates::kVerifyIfGiven;
  world.connect();
  EXPECT_TRUE(mentions(world.server_status, "the client's certificate isn't accepted"))
      << world.server_status.to_string();
}

TEST(TlsStreamTest, a_client_may_come_without_where_it_only_may_show_one) {
  World world;
  world.server_material.trusted = world.authority.pem();
  world.client_certificates = ClientCertificates::kVerifyIfGiven;
  world.connect();
  ASSERT_TRUE(world.server_status) << world.server_status.to_string();
  EXPECT_FALSE(world.server->security()->has_peer_certificate);
}

// --- Resumption ---

TEST(TlsStreamTest, a_second_connection_is_resumed_and_still_knows_the_certificate) {
  World world;
  world.connect();
  ASSERT_TRUE(world.client_status);
  EXPECT_FALSE(world.client->security()->resumed);
  EXPECT_EQ(world.read_all(*world.client), "") << "tickets come with the first read";
  EXPECT_EQ(world.client_context->sessions().size(), 2u);
  world.connect();
  ASSERT_TRUE(world.client_status) << world.client_status.to_string();
  EXPECT_TRUE(world.client->security()->resumed);
  EXPECT_TRUE(world.server->security()->resumed);
  EXPECT_EQ(world.client->security()->peer_certificate.dns_names.at(0), "scores.example");
  EXPECT_EQ(world.client_context->sessions().size(), 1u) << "a ticket is used once";
}

TEST(TlsStreamTest, a_ticket_is_for_one_name) {
  World world;
  world.connect();
  EXPECT_EQ(world.read_all(*world.client), "");
  world.name = "other.example";
  world.connect();
  EXPECT_TRUE(mentions(world.client_status, "not for other.example")) << world.client_status.to_string();
}

TEST(TlsStreamTest, without_tickets_nothing_is_resumed) {
  World world;
  world.tickets = false;
  world.connect();
  EXPECT_EQ(world.read_all(*world.client), "");
  EXPECT_EQ(world.client_context->sessions().size(), 0u);
  world.connect();
  ASSERT_TRUE(world.client_status);
  EXPECT_FALSE(world.client->security()->resumed);
}

TEST(TlsStreamTest, tickets_of_a_server_that_has_new_keys_lead_to_a_full_handshake) {
  World world;
  world.connect();
  EXPECT_EQ(world.read_all(*world.client), "");
  world.server_context = nullptr;
  world.connect();
  ASSERT_TRUE(world.client_status) << world.client_status.to_string();
  EXPECT_FALSE(world.client->security()->resumed);
}

TEST(TlsSessionsTest, the_number_of_tickets_is_bounded) {
  const auto ticket = [] { return SSL_SESSION_new(); };
  TlsSessions sessions(3);
  for (const char* name : {"a", "a", "a"}) sessions.add(name, ticket());
  EXPECT_EQ(sessions.size(), 2u) << "two per name";
  for (const char* name : {"b", "c", "d"}) sessions.add(name, ticket());
  EXPECT_EQ(sessions.size(), 3u);
  EXPECT_EQ(sessions.take("a"), nullptr) << "the oldest have gone";
}

// --- Peers that won't do ---

TEST(TlsStreamTest, a_server_of_an_unknown_authority_is_refused) {  // [194]
  World world;
  const TestAuthority strangers("strangers");
  world.client_material.trusted = strangers.pem();
  world.connect();
  EXPECT_EQ(world.client_status.code(), StatusCode::kUnavailable);
  EXPECT_TRUE(mentions(world.client_status, "unable to get local issuer")) << world.client_status.to_string();
  EXPECT_TRUE(mentions(world.server_status, "unknown ca")) << world.server_status.to_string();
}

TEST(TlsStreamTest, certificates_out_of_their_time_are_refused) {  // [192]
  const auto status_with = [](std::chrono::seconds from, std::chrono::seconds until) {
    World world;
    const TestIdentity identity =
        world.authority.issue({.dns_names = {"scores.example"}, .valid_from = from, .valid_until = until});
    world.server_material.certificates = identity.certificate_pem();
    world.server_material.private_key = identity.key_pem();
    world.connect();
    return world.client_status;
  };
  EXPECT_TRUE(mentions(status_with(-2h, -1h), "certificate has expired"));
  EXPECT_TRUE(mentions(status_with(1h, 2h), "certificate is not yet valid"));
}

// A client made by hand against our server; gives what our server says of it.
Status refused_client(World& world, RawTlsPeer& peer) {
  world.make_contexts();
  StreamPair pair = make_stream_pair(world.time.loop);
  world.start_server(std::move(pair.server));
  SSL_set_connect_state(peer.ssl());
  for (int i = 0; i < 4; ++i) {
    peer.step();
    put(*pair.client, peer.give());
    peer.take(world.read_all(*pair.client));
  }
  peer.read();
  world.time.advance(3s);
  World::finish(*world.server_record, world.server, world.server_status);
  return world.server_status;
}

constexpr unsigned char kHttp1[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
constexpr unsigned char kHttp2[] = {2, 'h', '2'};

TEST(TlsStreamTest, a_client_without_alpn_is_refused) {  // [189]
  World world;
  RawTlsPeer peer(TLS_client_method());
  peer.start();
  const Status status = refused_client(world, peer);
  EXPECT_TRUE(mentions(status, "no protocol by ALPN")) << status.to_string();
  EXPECT_EQ(peer.error, "tlsv1 alert no application protocol");
}

TEST(TlsStreamTest, a_client_that_speaks_http1_only_is_refused) {  // [190]
  World world;
  RawTlsPeer peer(TLS_client_method());
  SSL_set_alpn_protos(peer.start(), kHttp1, sizeof kHttp1);
  const Status status = refused_client(world, peer);
  EXPECT_TRUE(mentions(status, "doesn't offer h2")) << status.to_string();
  EXPECT_EQ(peer.error, "tlsv1 alert no application protocol");
}

TEST(TlsStreamTest, a_client_of_tls_1_1_is_refused) {  // [191]
  World world;
  RawTlsPeer peer(TLS_client_method());
  SSL_CTX_set_min_proto_version(peer.context(), TLS1_1_VERSION);
  SSL_CTX_set_max_proto_version(peer.context(), TLS1_1_VERSION);
  SSL_CTX_set_cipher_list(peer.context(), "ALL:@SECLEVEL=0");
  SSL_set_alpn_protos(peer.start(), kHttp2, sizeof kHttp2);
  const Status status = refused_client(world, peer);
  EXPECT_TRUE(mentions(status, "unsupported protocol")) << status.to_string();
  EXPECT_EQ(peer.error, "tlsv1 alert protocol version");
}

TEST(TlsStreamTest, ciphers_that_http2_forbids_are_refused) {
  World world;
  RawTlsPeer peer(TLS_client_method());
  SSL_CTX_set_max_proto_version(peer.context(), TLS1_2_VERSION);
  // CBC, and no forward secrecy: RFC 9113 appendix A lists both.
  SSL_CTX_set_cipher_list(peer.context(), "ECDHE-ECDSA-AES128-SHA256:AES128-GCM-SHA256");
  SSL_set_alpn_protos(peer.start(), kHttp2, sizeof kHttp2);
  const Status status = refused_client(world, peer);
  EXPECT_TRUE(mentions(status, "no shared cipher")) << status.to_string();
}

TEST(TlsStreamTest, tls_1_2_works_and_renegotiation_does_not) {  // [196]
  World world;
  world.make_contexts();
  RawTlsPeer peer(TLS_client_method());
  SSL_CTX_set_max_proto_version(peer.context(), TLS1_2_VERSION);
  SSL_set_alpn_protos(peer.start(), kHttp2, sizeof kHttp2);
  SSL_set_connect_state(peer.ssl());
  StreamPair pair = make_stream_pair(world.time.loop);
  world.start_server(std::move(pair.server));
  for (int i = 0; i < 4 && !peer.step(); ++i) {
    put(*pair.client, peer.give());
    peer.take(world.read_all(*pair.client));
  }
  World::finish(*world.server_record, world.server, world.server_status);
  ASSERT_TRUE(world.server_status) << world.server_status.to_string();
  EXPECT_EQ(world.server->security()->protocol, "TLSv1.2");
  SSL_renegotiate(peer.ssl());
  peer.step();
  put(*pair.client, peer.give());
  EXPECT_EQ(world.read_all(*world.server), "");
  peer.take(world.read_all(*pair.client));
  peer.step();
  EXPECT_EQ(peer.error, "no renegotiation") << "the server said so, and computed nothing";
}

// A server made by hand against our client.
Status client_status_with(World& world, RawTlsPeer& peer) {
  world.make_contexts();
  StreamPair pair = make_stream_pair(world.time.loop);
  world.start_client(std::move(pair.client));
  SSL_set_accept_state(peer.ssl());
  for (int i = 0; i < 4; ++i) {
    peer.take(world.read_all(*pair.server));
    peer.step();
    put(*pair.server, peer.give());
  }
  world.time.settle();
  World::finish(*world.client_record, world.client, world.client_status);
  return world.client_status;
}

TEST(TlsStreamTest, a_server_that_ignores_alpn_is_refused) {  // [189]
  World world;
  RawTlsPeer peer(TLS_server_method());
  peer.use(world.server_identity);
  peer.start();
  const Status status = client_status_with(world, peer);
  EXPECT_TRUE(mentions(status, "doesn't agree on HTTP/2 (ALPN h2)")) << status.to_string();
}

TEST(TlsStreamTest, a_server_of_tls_1_1_is_refused) {  // [191]
  World world;
  RawTlsPeer peer(TLS_server_method());
  peer.use(world.server_identity);
  SSL_CTX_set_min_proto_version(peer.context(), TLS1_1_VERSION);
  SSL_CTX_set_max_proto_version(peer.context(), TLS1_1_VERSION);
  SSL_CTX_set_cipher_list(peer.context(), "ALL:@SECLEVEL=0");
  peer.start();
  const Status status = client_status_with(world, peer);
  EXPECT_EQ(status.code(), StatusCode::kUnavailable);
  EXPECT_TRUE(mentions(status, "protocol")) << status.to_string();
}

TEST(TlsStreamTest, plain_text_to_a_tls_server_is_refused) {  // [201]
  for (const std::string_view text : {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "GET / HTTP/1.1\r\n\r\n"}) {
    World world;
    world.make_contexts();
    StreamPair pair = make_stream_pair(world.time.loop);
    world.start_server(std::move(pair.server));
    put(*pair.client, text);
    world.time.advance(3s);
    World::finish(*world.server_record, world.server, world.server_status);
    EXPECT_TRUE(mentions(world.server_status, "the client doesn't speak TLS")) << world.server_status.to_string();
    world.read_all(*pair.client);
    EXPECT_EQ(world.last, IoResult::Kind::kEof) << "and the connection is closed";
  }
}

TEST(TlsStreamTest, a_server_that_speaks_plain_text_is_refused) {  // [202]
  World world;
  world.make_contexts();
  StreamPair pair = make_stream_pair(world.time.loop);
  put(*pair.server, std::string_view("\0\0\0\4\0\0\0\0\0", 9));  // SETTINGS, nothing in it
  world.start_client(std::move(pair.client));
  world.time.settle();
  World::finish(*world.client_record, world.client, world.client_status);
  EXPECT_TRUE(mentions(world.client_status, "the server doesn't speak TLS")) << world.client_status.to_string();
}

TEST(TlsStreamTest, garbage_ends_the_handshake) {
  uint32_t state = 12345;
  for (int round = 0; round < 50; ++round) {
    World world;
    world.make_contexts();
    StreamPair pair = make_stream_pair(world.time.loop);
    world.start_server(std::move(pair.server));
    std::string garbage = round % 2 == 0 ? std::string("\x16\x03\x01\x00\x40\x01\x00\x00\x3c\x03\x03", 11) : "";
    for (int i = 0; i < 300; ++i) garbage.push_back(static_cast<char>((state = state * 1664525 + 1013904223) >> 24));
    put(*pair.client, garbage);
    world.time.settle();
    pair.client->close();
    world.time.advance(3s);
    World::finish(*world.server_record, world.server, world.server_status);
    EXPECT_EQ(world.server_status.code(), StatusCode::kUnavailable) << world.server_status.to_string();
  }
}

TEST(TlsStreamTest, a_handshake_that_stalls_ends_with_its_context) {  // [197]
  World world;
  world.make_contexts();
  StreamPair pair = make_stream_pair(world.time.loop);
  RawTlsPeer peer(TLS_client_method());
  SSL_set_alpn_protos(peer.start(), kHttp2, sizeof kHttp2);
  SSL_set_connect_state(peer.ssl());
  peer.step();
  put(*pair.client, peer.give());
  world.context = Context{}.with_clock(world.time.clock).with_timeout(10s);
  world.start_server(std::move(pair.server));
  world.time.advance(9s);
  EXPECT_FALSE(world.server_record->ended());
  world.time.advance(1s);
  World::finish(*world.server_record, world.server, world.server_status);
  EXPECT_EQ(world.server_status.code(), StatusCode::kDeadlineExceeded);
  EXPECT_TRUE(mentions(world.server_status, "not done in time")) << world.server_status.to_string();
}

TEST(TlsStreamTest, a_peer_that_leaves_during_the_handshake_is_named) {
  World world;
  world.make_contexts();
  StreamPair pair = make_stream_pair(world.time.loop);
  pair.server->close();
  world.start_client(std::move(pair.client));
  world.time.settle();
  World::finish(*world.client_record, world.client, world.client_status);
  EXPECT_EQ(world.client_status.code(), StatusCode::kUnavailable) << world.client_status.to_string();
}

// --- Bytes ---

TEST(TlsStreamTest, bytes_arrive_whole_however_they_are_cut) {  // [198]
  std::string sent;
  for (int i = 0; i < 300'000; ++i) sent.push_back(static_cast<char>(i * 7 + i / 256));
  for (const size_t cut : {size_t{1}, size_t{1000}, size_t{17'000}, SIZE_MAX}) {
    World world;
    world.down.max_read_bytes = cut;
    world.down.max_write_bytes = cut == 1 ? 5000 : cut;
    world.connect();
    ASSERT_TRUE(world.client_status) << world.client_status.to_string();
    std::string got;
    std::string_view left = std::string_view(sent).substr(0, cut == 1 ? 40'000 : sent.size());
    const size_t whole = left.size();
    while (got.size() < whole) {
      const IoResult result = put(*world.server, left);
      if (result.is_done()) left.remove_prefix(result.bytes);
      const size_t before = got.size();
      got += world.read_all(*world.client, cut == 1000 ? 100 : 64 * 1024);
      ASSERT_TRUE(result.is_done() || got.size() > before) << "neither end moves";
    }
    EXPECT_TRUE(got == sent.substr(0, whole)) << "cut at " << cut;
  }
}

TEST(TlsStreamTest, small_pieces_share_records_and_leave_in_one_write) {
  World world;
  world.connect();
  std::vector<std::string> texts(60, std::string(1000, 'x'));
  std::vector<iovec> pieces;
  for (std::string& text : texts) pieces.push_back({text.data(), text.size()});
  const uint64_t writes = world.client_pipe->write_calls();
  const uint64_t bytes = world.client_pipe->bytes_written();
  EXPECT_EQ(world.client->write(pieces).bytes, 60'000u);
  EXPECT_EQ(world.client_pipe->write_calls() - writes, 1u);
  EXPECT_LT(world.client_pipe->bytes_written() - bytes, 60'000u + 4 * 64) << "four records, not sixty";
  EXPECT_EQ(world.read_all(*world.server).size(), 60'000u);
}

TEST(TlsStreamTest, what_a_full_peer_did_not_take_leaves_later_and_the_writer_hears_of_it) {
  World world;
  world.down.capacity_bytes = 20'000;
  world.connect();
  EXPECT_EQ(put(*world.server, std::string(100'000, 'y')).bytes, 100'000u) << "one write is taken";
  EXPECT_EQ(put(*world.server, "z").kind, IoResult::Kind::kWouldBlock) << "but not a second";
  Told writable;
  world.server->wait_writable(writable);
  world.time.settle();
  EXPECT_EQ(writable.times, 0);
  EXPECT_EQ(world.read_all(*world.client).size(), 100'000u);
  EXPECT_EQ(writable.times, 1);
  EXPECT_EQ(put(*world.server, "z").bytes, 1u);
  EXPECT_EQ(world.read_all(*world.client), "z");
}

TEST(TlsStreamTest, a_reader_hears_of_bytes_that_are_decrypted_already) {
  World world;
  world.connect();
  put(*world.server, std::string(5000, 'a'));
  world.time.settle();
  std::string small(10, '\0');
  Told readable;
  world.client->wait_readable(readable);
  EXPECT_EQ(readable.times, 0) << "never from within the call";
  world.time.settle();
  EXPECT_EQ(readable.times, 1);
  EXPECT_EQ(world.client->read(bytes_of(small)).bytes, 10u);
  world.client->wait_readable(readable);
  world.time.settle();
  EXPECT_EQ(readable.times, 2) << "the pipe is empty, but the record isn't";
  EXPECT_EQ(world.read_all(*world.client).size(), 4990u);
  world.client->wait_readable(readable);
  world.time.settle();
  EXPECT_EQ(readable.times, 2);
}

TEST(TlsStreamTest, a_reader_of_half_a_record_waits_and_does_not_spin) {
  World world;
  world.connect();
  EXPECT_EQ(world.read_all(*world.client), "");
  world.server_pipe->hold_writes(true);
  put(*world.server, std::string(5000, 'a'));
  world.server_pipe->hold_writes(false);
  // Only the first bytes of the record are there.
  world.client_pipe->hold_writes(false);
  std::string piece(64, '\0');
  EXPECT_EQ(world.client_pipe->read(bytes_of(piece)).kind, IoResult::Kind::kDone);
  // What was taken away breaks the record: the reader sees an error, not good bytes.
  EXPECT_EQ(world.read_all(*world.client), "");
  EXPECT_EQ(world.last, IoResult::Kind::kError);
}

// --- Ends ---

TEST(TlsStreamTest, close_notify_is_the_end) {
  World world;
  world.connect();
  put(*world.server, "last words");
  world.server->shutdown_write();
  EXPECT_EQ(world.read_all(*world.client), "last words");
  EXPECT_EQ(world.last, IoResult::Kind::kEof);
  EXPECT_EQ(put(*world.client, "answer").bytes, 6u) << "the other direction goes on";
  EXPECT_EQ(world.read_all(*world.server), "answer");
}

TEST(TlsStreamTest, shutdown_waits_for_what_was_written) {
  World world;
  world.down.capacity_bytes = 10'000;
  world.connect();
  put(*world.server, std::string(50'000, 'x'));
  world.server->shutdown_write();
  EXPECT_EQ(world.read_all(*world.client).size(), 50'000u);
  EXPECT_EQ(world.last, IoResult::Kind::kEof);
}

TEST(TlsStreamTest, an_end_without_close_notify_is_an_error) {  // [199]
  World world;
  world.connect();
  put(*world.server, "half a mess");
  world.server_pipe->shutdown_write();
  EXPECT_EQ(world.read_all(*world.client), "half a mess");
  EXPECT_EQ(world.last, IoResult::Kind::kError);
  EXPECT_TRUE(mentions(world.last_error, "without close_notify")) << world.last_error.to_string();
}

TEST(TlsStreamTest, a_byte_that_was_changed_on_the_way_is_an_error) {
  World world;
  world.make_contexts();
  world.connect();
  EXPECT_EQ(world.read_all(*world.client), "");
  put(*world.server_pipe, std::string("\x17\x03\x03\x00\x20", 5) + std::string(32, 'x'));
  EXPECT_EQ(world.read_all(*world.client), "");
  EXPECT_EQ(world.last, IoResult::Kind::kError);
  EXPECT_EQ(put(*world.client, "more").kind, IoResult::Kind::kError) << "and it stays one";
}

TEST(TlsStreamTest, a_record_larger_than_any_is_an_error) {
  World world;
  world.connect();
  EXPECT_EQ(world.read_all(*world.client), "");
  put(*world.server_pipe, std::string("\x17\x03\x03\xff\xff", 5) + std::string(65'535, 'x'));
  EXPECT_EQ(world.read_all(*world.client), "");
  EXPECT_EQ(world.last, IoResult::Kind::kError);
}

TEST(TlsStreamTest, endless_empty_records_do_not_keep_a_reader_busy) {  // [198]
  World world;
  world.make_contexts();
  RawTlsPeer peer(TLS_client_method());
  SSL_set_alpn_protos(peer.start(), kHttp2, sizeof kHttp2);
  SSL_set_connect_state(peer.ssl());
  StreamPair pair = make_stream_pair(world.time.loop);
  world.start_server(std::move(pair.server));
  for (int i = 0; i < 4 && !peer.step(); ++i) {
    put(*pair.client, peer.give());
    peer.take(world.read_all(*pair.client));
  }
  put(*pair.client, peer.give());
  world.time.settle();
  World::finish(*world.server_record, world.server, world.server_status);
  ASSERT_TRUE(world.server_status) << world.server_status.to_string();
  // OpenSSL refuses to write them; new keys again and again are as empty.
  for (int i = 0; i < 100; ++i) {
    SSL_key_update(peer.ssl(), SSL_KEY_UPDATE_NOT_REQUESTED);
    peer.step();
  }
  put(*pair.client, peer.give());
  EXPECT_EQ(world.read_all(*world.server), "");
  EXPECT_NE(world.last, IoResult::Kind::kDone);
}

TEST(TlsStreamTest, a_lost_connection_says_so) {
  World world;
  world.connect();
  world.client_pipe->break_connection(Status::unavailable("connection reset by peer"));
  EXPECT_EQ(world.read_all(*world.client), "");
  EXPECT_TRUE(mentions(world.last_error, "reset by peer"));
  EXPECT_EQ(put(*world.server, "x").kind, IoResult::Kind::kError);
}

// --- Cost ---

TEST(TlsStreamTest, handshakes_take_turns) {
  World world;
  world.make_contexts();
  constexpr size_t kClients = 10;
  TurnGate gate(world.time.loop, 2);
  std::vector<std::unique_ptr<TaskRecord<Secured>>> records;
  std::vector<std::unique_ptr<PipeStream>> clients;
  for (size_t i = 0; i < kClients; ++i) {
    const Loop::Enter enter(world.time.loop);
    StreamPair pair = make_stream_pair(world.time.loop);
    records.push_back(std::make_unique<TaskRecord<Secured>>());
    Task<Secured> task = tls_accept(std::move(pair.server), world.server_context, gate, world.context);
    start(std::move(task), *records.back(), world.context);
    put(*pair.client, "no TLS at all");
    clients.push_back(std::move(pair.client));
  }
  world.time.settle();
  EXPECT_EQ(gate.delayed(), kClients - 2) << "two in the first turn";
  world.time.advance(3s);
  for (const auto& record : records) {
    ASSERT_TRUE(record->ended()) << "and the others later";
    EXPECT_FALSE(record->take());
  }
}

TEST(TlsStreamTest, an_idle_connection_holds_little) {
  std::vector<std::unique_ptr<World>> worlds;
  World first;  // what OpenSSL makes once
  first.connect();
  constexpr size_t kConnections = 20;
  std::vector<std::unique_ptr<ByteStream>> kept;
  const size_t before = mallinfo2().uordblks;
  for (size_t i = 0; i < kConnections; ++i) {
    first.connect();
    ASSERT_TRUE(first.client_status && first.server_status);
    put(*first.server, std::string(30'000, 'x'));
    ASSERT_EQ(first.read_all(*first.client).size(), 30'000u);
    put(*first.client, "y");
    ASSERT_EQ(first.read_all(*first.server), "y");
    kept.push_back(std::move(first.client));
    kept.push_back(std::move(first.server));
  }
  const size_t after = mallinfo2().uordblks;
  const size_t each = (after - before) / kept.size();
  RecordProperty("bytes_per_idle_connection", static_cast<int>(each));
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  EXPECT_LT(each, 20u * 1024) << "two record buffers alone would be 34 KiB";
#endif
}

// --- Material ---

TEST(TlsContextTest, bad_texts_are_named) {
  World world;
  const auto client = [&](TlsMaterial material) { return TlsContext::client(material, 0).status(); };
  const auto server = [&](TlsMaterial material, ClientCertificates certificates = ClientCertificates::kNone) {
    return TlsContext::server(material, certificates, true).status();
  };
  const std::string certificate = world.server_identity.certificate_pem();
  const std::string key = world.server_identity.key_pem();
  const std::string other_key = private_key_pem(*make_test_key());
  EXPECT_TRUE(mentions(client({.trusted = "nonsense"}), "no certificate in PEM form"));
  EXPECT_TRUE(mentions(client({.certificates = certificate}), "needs a private key"));
  EXPECT_TRUE(mentions(server({}), "no certificate in PEM form"));
  EXPECT_TRUE(mentions(server({.certificates = certificate, .private_key = "x"}), "private key can't be read"));
  EXPECT_TRUE(mentions(server({.certificates = certificate, .private_key = other_key}), "don't belong together"));
  EXPECT_TRUE(mentions(server({.certificates = certificate.substr(0, certificate.size() / 2), .private_key = key}),
                       "certificate can't be read"));
  EXPECT_TRUE(mentions(server({.certificates = certificate, .private_key = key}, ClientCertificates::kRequire),
                       "CA certificates can't be read"));
  EXPECT_TRUE(client({})) << "the system's roots";
}

}  // namespace
}  // namespace gaggle
