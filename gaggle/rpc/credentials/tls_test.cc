// SPDX-License-Identifier: Apache-2.0
//
// Calls over TLS: a real server, real sockets, certificates made here.
#include "gaggle/rpc/credentials/tls.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "gaggle/net/connect.h"
#include "gaggle/net/file_descriptor.h"
#include "gaggle/net/loop_testing.h"
#include "gaggle/net/socket_address.h"
#include "gaggle/rpc/client_testing.h"
#include "gaggle/rpc/credentials/credentials_testing.h"

namespace gaggle {
namespace {

using namespace std::chrono_literals;

bool mentions(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

std::unique_ptr<TlsServerCredentials> server_credentials(const TestIdentity& identity, TlsServerOptions options = {}) {
  options.certificates.text = identity.certificate_pem();
  options.private_key.text = identity.key_pem();
  return std::move(*TlsServerCredentials::create(std::move(options)));
}

struct World {
  LoopGroup loops{1};
  TestAuthority authority;
  TestIdentity identity = authority.issue(
      {.common_name = "server", .dns_names = {"localhost", "scores.example"}, .ip_addresses = {"127.0.0.1"}});
  std::unique_ptr<TlsServerCredentials> server_tls;
  std::unique_ptr<TlsChannelCredentials> client_tls;
  WhoService service;
  std::unique_ptr<Server> server = std::move(*Server::create(loops));
  std::string address;
  std::unique_ptr<ClientConn> conn;

  World() { EXPECT_TRUE(server->register_service(kWho, service)); }
  void listen(TlsServerOptions options = {}) {
    server_tls = server_credentials(identity, std::move(options));
    address = "127.0.0.1:" + std::to_string(*server->listen("127.0.0.1:0", *server_tls));
  }
  void trust(TlsChannelOptions options = {}) {
    if (options.trusted.empty()) options.trusted.text = authority.pem();
    client_tls = std::move(*TlsChannelCredentials::create(std::move(options)));
  }
  std::string ask(ClientConnOptions options = {}, CallOptions call = {}) {
    options.credentials = client_tls.get();
    conn = std::move(*ClientConn::create(loops, address, std::move(options)));
    return block_on(loops.next(), ask_who(*conn, {}, call));
  }
};

TEST(TlsCallTest, a_call_goes_through_and_both_sides_know_how) {
  World world;
  world.listen();
  world.trust();
  Peer peer;
  EXPECT_EQ(world.ask({}, {.peer = &peer}), "TLSv1.3  " + world.address);
  ASSERT_NE(peer.security, nullptr);
  EXPECT_EQ(peer.security->level, SecurityLevel::kPrivacyAndIntegrity);
  EXPECT_EQ(peer.security->peer_certificate.subject, "CN=server");
  EXPECT_EQ(peer.security->server_name, "127.0.0.1") << "the target's host, without its port";
}

TEST(TlsCallTest, the_servers_name_can_be_given_and_becomes_the_authority) {
  World world;
  world.listen();
  world.trust({.server_name = "scores.example"});
  EXPECT_EQ(world.ask(), "TLSv1.3  scores.example");
}

TEST(TlsCallTest, an_authority_of_the_connection_is_the_name_to_prove) {
  World world;
  world.listen();
  world.trust();
  EXPECT_EQ(world.ask({.authority = "scores.example:99"}), "TLSv1.3  scores.example:99");
  const std::string refused = world.ask({.authority = "other.example"});
  EXPECT_TRUE(mentions(refused, "UNAVAILABLE")) << refused;
  EXPECT_TRUE(mentions(refused, "it is for localhost, scores.example, 127.0.0.1, not for other.example")) << refused;
  EXPECT_TRUE(mentions(refused, world.address)) << "and where: " << refused;
}

TEST(TlsCallTest, handlers_see_whose_certificate_came) {
  World world;
  const TestIdentity client = world.authority.issue({.common_name = "client 7"});
  world.listen({.client_ca = {.text = world.authority.pem()}, .client_certificates = ClientCertificates::kRequire});
  world.trust({.certificates = {.text = client.certificate_pem()}, .private_key = {.text = client.key_pem()}});
  EXPECT_EQ(world.ask(), "TLSv1.3 CN=client 7 " + world.address);
}

TEST(TlsCallTest, a_client_without_a_certificate_learns_why_it_is_refused) {
  World world;
  world.listen({.client_ca = {.text = world.authority.pem()}, .client_certificates = ClientCertificates::kRequire});
  world.trust();
  const std::string refused = world.ask();
  EXPECT_TRUE(mentions(refused, "UNAVAILABLE")) << refused;
  EXPECT_TRUE(mentions(refused, "certificate required")) << refused;
  world.server->stop();
  ASSERT_TRUE(world.server->wait());
  EXPECT_GE(world.server->counters().handshakes_failed, 1u);
}

TEST(TlsCallTest, strangers_are_refused_with_the_reason) {
  World world;
  world.listen();
  const TestAuthority strangers;
  world.trust({.trusted = {.text = strangers.pem()}});
  const std::string refused = world.ask();
  EXPECT_TRUE(mentions(refused, "UNAVAILABLE")) << refused;
  EXPECT_TRUE(mentions(refused, "certificate isn't accepted")) << refused;
}

TEST(TlsCallTest, plain_text_and_tls_never_meet) {
  World world;
  world.listen();
  auto plain = std::move(*ClientConn::create(world.loops, world.address, {.credentials = insecure_credentials()}));
  EXPECT_TRUE(mentions(block_on(world.loops.next(), ask_who(*plain)), "UNAVAILABLE"));
  world.address = "127.0.0.1:" + std::to_string(*world.server->listen("127.0.0.1:0"));
  world.trust();
  const std::string refused = world.ask();
  EXPECT_TRUE(mentions(refused, "UNAVAILABLE")) << refused;
  EXPECT_TRUE(mentions(refused, "TLS")) << refused;
}

TEST(TlsCallTest, one_server_has_addresses_of_both_kinds) {
  World world;
  world.listen();
  const std::string plain_address = "127.0.0.1:" + std::to_string(*world.server->listen("127.0.0.1:0"));
  world.trust();
  EXPECT_TRUE(mentions(world.ask(), "TLSv1.3"));
  auto plain = std::move(*ClientConn::create(world.loops, plain_address, {.credentials = insecure_credentials()}));
  EXPECT_EQ(block_on(world.loops.next(), ask_who(*plain)), "plain " + plain_address);
}

TEST(TlsCallTest, the_second_connection_is_resumed) {
  World world;
  world.listen();
  world.trust();
  Peer peer;
  world.ask({}, {.peer = &peer});
  EXPECT_FALSE(peer.security->resumed);
  world.ask({}, {.peer = &peer});
  EXPECT_TRUE(peer.security->resumed) << "the credentials keep tickets for all their connections";
}

TEST(TlsCallTest, a_large_message_goes_both_ways) {
  World world;
  world.listen();
  world.trust();
  ASSERT_TRUE(mentions(world.ask(), "TLSv1.3"));
  Metadata metadata;
  ASSERT_TRUE(metadata.add("x-text", "metadata"));
  EXPECT_EQ(block_on(world.loops.next(), ask_who(*world.conn, "x-text", {.metadata = &metadata})), "metadata");
  const std::string answer = block_on(world.loops.next(), ask_who(*world.conn, std::string(3'000'000, 'x')));
  EXPECT_EQ(answer, "") << "three megabytes arrived: no metadata has such a key";
}

// --- Time ---

TEST(TlsCallTest, a_handshake_that_stalls_counts_in_the_connect_timeout) {  // [197]
  ClientWorld world;
  world.network.mode = ScriptedNetwork::Mode::kMute;
  const TestAuthority authority;
  auto tls = std::move(*TlsChannelCredentials::create({.trusted = {.text = authority.pem()}}));
  ClientConnOptions options{.credentials = tls.get()};
  options.backoff.min_connect_timeout = 5s;
  world.connect(std::move(options));
  UnaryRun call(world, Context{}, "x");
  world.advance(4s);
  EXPECT_FALSE(call.done());
  world.advance(1s);
  ASSERT_TRUE(call.done());
  EXPECT_EQ(call.status().code(), StatusCode::kUnavailable);
}

struct VirtualServer {
  VirtualLoop time;
  LoopGroup loops{time.loop};
  TestAuthority authority;
  TestIdentity identity = authority.issue({.dns_names = {"localhost"}});
  std::unique_ptr<TlsServerCredentials> tls = server_credentials(identity);
  std::unique_ptr<Server> server = std::move(*Server::create(loops));
  FileDescriptor socket;

  ~VirtualServer() {
    server.reset();
    time.settle();
  }
  // A client that connects, and says nothing.
  void connect_mute() {
    const uint16_t port = *server->listen("127.0.0.1:0", *tls);
    const SocketAddress where = *SocketAddress::of(Address::tcp("127.0.0.1", port));
    socket = FileDescriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ASSERT_EQ(::connect(socket.get(), where.get(), where.size), 0);
    // The kernel decides when the loop sees it.
    for (int i = 0; i < 1000 && loops.loop(0).load() == 0; ++i) time.settle();
    ASSERT_EQ(loops.loop(0).load(), 1);
  }
};

TEST(TlsServerTest, a_client_that_stalls_has_the_time_for_a_new_connection) {  // [197]
  VirtualServer world;
  world.connect_mute();
  world.time.advance(9s);
  EXPECT_EQ(world.server->counters().handshakes_failed, 0u);
  world.time.advance(1s);
  EXPECT_EQ(world.server->counters().handshakes_failed, 1u);
  char byte = 0;
  EXPECT_EQ(::recv(world.socket.get(), &byte, 1, 0), 0) << "closed";
  EXPECT_EQ(world.loops.loop(0).load(), 0);
}

TEST(TlsServerTest, a_server_that_ends_does_not_wait_for_handshakes) {
  VirtualServer world;
  world.connect_mute();
  world.server->shutdown(30s);
  world.time.settle();
  EXPECT_EQ(world.loops.loop(0).load(), 0);
  char byte = 0;
  EXPECT_EQ(::recv(world.socket.get(), &byte, 1, 0), 0);
}

TEST(TlsServerTest, a_loop_that_ends_takes_handshakes_with_it) {
  auto world = std::make_unique<VirtualServer>();
  world->connect_mute();
  world.reset();  // sanitizers watch
}

// --- Options ---

TEST(TlsOptionsTest, what_cannot_work_is_refused_at_creation) {
  World world;
  const std::string certificate = world.identity.certificate_pem();
  const std::string key = world.identity.key_pem();
  const auto server = [](TlsServerOptions options) {
    return TlsServerCredentials::create(std::move(options)).status().to_string();
  };
  EXPECT_TRUE(mentions(server({}), "needs a certificate"));
  EXPECT_TRUE(mentions(server({.certificates = {.text = certificate},
                               .private_key = {.text = key},
                               .client_certificates = ClientCertificates::kRequire}),
                       "client_ca is missing"));
  EXPECT_TRUE(mentions(server({.certificates = {.text = certificate},
                               .private_key = {.text = key},
                               .client_ca = {.text = world.authority.pem()}}),
                       "says not to ask"));
  EXPECT_TRUE(mentions(server({.certificates = {.file = "/nowhere/cert.pem"}, .private_key = {.text = key}}),
                       "/nowhere/cert.pem can't be read"));
  const auto client = TlsChannelCredentials::create({.trusted = {.file = "a", .text = "b"}});
  EXPECT_TRUE(mentions(client.status().message(), "not both"));
}

}  // namespace
}  // namespace gaggle
