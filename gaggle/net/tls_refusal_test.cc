// SPDX-License-Identifier: Apache-2.0
//
// Handshakes with peers that won't do. Those that behave badly speak OpenSSL by hand.
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <string_view>

#include "gaggle/net/tls_handshake.h"
#include "gaggle/net/tls_world_testing.h"

namespace gaggle {
namespace {

using namespace std::chrono_literals;
using World = TlsWorld;

TEST(TlsRefusalTest, a_server_of_an_unknown_authority_is_refused) {  // [194]
  World world;
  const TestAuthority strangers("strangers");
  world.client_material.trusted = strangers.pem();
  world.connect();
  EXPECT_EQ(world.client_status.code(), StatusCode::kUnavailable);
  EXPECT_TRUE(mentions(world.client_status, "unable to get local issuer")) << world.client_status.to_string();
  EXPECT_TRUE(mentions(world.server_status, "unknown ca")) << world.server_status.to_string();
}

TEST(TlsRefusalTest, certificates_out_of_their_time_are_refused) {  // [192]
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

TEST(TlsRefusalTest, a_client_without_alpn_is_refused) {  // [189]
  World world;
  RawTlsPeer peer(TLS_client_method());
  peer.start();
  const Status status = refused_client(world, peer);
  EXPECT_TRUE(mentions(status, "no protocol by ALPN")) << status.to_string();
  EXPECT_EQ(peer.error, "tlsv1 alert no application protocol");
}

TEST(TlsRefusalTest, a_client_that_speaks_http1_only_is_refused) {  // [190]
  World world;
  RawTlsPeer peer(TLS_client_method());
  SSL_set_alpn_protos(peer.start(), kHttp1, sizeof kHttp1);
  const Status status = refused_client(world, peer);
  EXPECT_TRUE(mentions(status, "doesn't offer h2")) << status.to_string();
  EXPECT_EQ(peer.error, "tlsv1 alert no application protocol");
}

TEST(TlsRefusalTest, a_client_of_tls_1_1_is_refused) {  // [191]
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

TEST(TlsRefusalTest, ciphers_that_http2_forbids_are_refused) {
  World world;
  RawTlsPeer peer(TLS_client_method());
  SSL_CTX_set_max_proto_version(peer.context(), TLS1_2_VERSION);
  // CBC, and no forward secrecy: RFC 9113 appendix A lists both.
  SSL_CTX_set_cipher_list(peer.context(), "ECDHE-ECDSA-AES128-SHA256:AES128-GCM-SHA256");
  SSL_set_alpn_protos(peer.start(), kHttp2, sizeof kHttp2);
  const Status status = refused_client(world, peer);
  EXPECT_TRUE(mentions(status, "no shared cipher")) << status.to_string();
}

TEST(TlsRefusalTest, tls_1_2_works_and_renegotiation_does_not) {  // [196]
  World world;
  RawTlsPeer peer(TLS_client_method());
  SSL_CTX_set_max_proto_version(peer.context(), TLS1_2_VERSION);
  const std::unique_ptr<PipeStream> client = world.accept(peer);
  ASSERT_TRUE(world.server_status) << world.server_status.to_string();
  EXPECT_EQ(world.server->security()->protocol, "TLSv1.2");
  SSL_renegotiate(peer.ssl());
  peer.step();
  put(*client, peer.give());
  EXPECT_EQ(world.read_all(*world.server), "");
  peer.take(world.read_all(*client));
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

TEST(TlsRefusalTest, a_server_that_ignores_alpn_is_refused) {  // [189]
  World world;
  RawTlsPeer peer(TLS_server_method());
  peer.use(world.server_identity);
  peer.start();
  const Status status = client_status_with(world, peer);
  EXPECT_TRUE(mentions(status, "doesn't agree on HTTP/2 (ALPN h2)")) << status.to_string();
}

TEST(TlsRefusalTest, a_server_of_tls_1_1_is_refused) {  // [191]
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

TEST(TlsRefusalTest, plain_text_to_a_tls_server_is_refused) {  // [201]
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

TEST(TlsRefusalTest, a_server_that_speaks_plain_text_is_refused) {  // [202]
  World world;
  world.make_contexts();
  StreamPair pair = make_stream_pair(world.time.loop);
  put(*pair.server, std::string_view("\0\0\0\4\0\0\0\0\0", 9));  // SETTINGS, nothing in it
  world.start_client(std::move(pair.client));
  world.time.settle();
  World::finish(*world.client_record, world.client, world.client_status);
  EXPECT_TRUE(mentions(world.client_status, "the server doesn't speak TLS")) << world.client_status.to_string();
}

TEST(TlsRefusalTest, garbage_ends_the_handshake) {
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

TEST(TlsRefusalTest, a_handshake_that_stalls_ends_with_its_context) {  // [197]
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

TEST(TlsRefusalTest, a_peer_that_leaves_during_the_handshake_is_named) {
  World world;
  world.make_contexts();
  StreamPair pair = make_stream_pair(world.time.loop);
  pair.server->close();
  world.start_client(std::move(pair.client));
  world.time.settle();
  World::finish(*world.client_record, world.client, world.client_status);
  EXPECT_EQ(world.client_status.code(), StatusCode::kUnavailable) << world.client_status.to_string();
}

}  // namespace
}  // namespace gaggle
