// SPDX-License-Identifier: Apache-2.0
//
// Handshakes between two good ends in memory, on virtual time.
#include "gaggle/net/tls_handshake.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "gaggle/net/tls_world_testing.h"

namespace gaggle {
namespace {

using namespace std::chrono_literals;
using World = TlsWorld;

TEST(TlsHandshakeTest, both_ends_agree_and_bytes_go_both_ways) {
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

TEST(TlsHandshakeTest, the_client_knows_whom_it_talks_to) {
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

TEST(TlsHandshakeTest, names_are_those_of_the_san_and_wildcards_cover_one_label) {
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

TEST(TlsHandshakeTest, a_name_that_nobody_can_have_is_refused_before_anything_is_sent) {
  for (const char* bad : {"", ".example", ".wild.example"}) {  // OpenSSL reads the latter as "anything below"
    World world;
    world.name = bad;
    world.connect();
    EXPECT_TRUE(mentions(world.client_status, "is no name that a server can prove")) << world.client_status.to_string();
  }
}

TEST(TlsHandshakeTest, the_common_name_is_no_name) {
  World world;
  const TestIdentity old = world.authority.issue({.common_name = "scores.example"});
  world.server_material = {.certificates = old.certificate_pem(), .private_key = old.key_pem(), .trusted = {}};
  world.connect();
  EXPECT_TRUE(mentions(world.client_status, "it is for no name")) << world.client_status.to_string();
}

TEST(TlsHandshakeTest, rsa_and_chains_work) {
  World world;
  const TestIdentity rsa = world.authority.issue({.dns_names = {"scores.example"}, .rsa = true});
  world.server_material.certificates = rsa.certificate_pem() + world.authority.pem();
  world.server_material.private_key = rsa.key_pem();
  world.connect();
  EXPECT_TRUE(world.client_status) << world.client_status.to_string();
}

// --- Client certificates ---

TEST(TlsHandshakeTest, a_client_that_proves_itself_is_known_to_the_server) {
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

TEST(TlsHandshakeTest, a_client_without_a_certificate_is_refused_where_one_is_required) {  // [195]
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

TEST(TlsHandshakeTest, a_refused_client_that_writes_to_a_closed_connection_learns_the_reason) {
  World world;
  world.server_material.trusted = world.authority.pem();
  world.client_certificates = ClientCertificates::kRequire;
  world.connect();
  ASSERT_TRUE(world.client_status);
  const IoResult written = put(*world.client, "hello");
  EXPECT_EQ(written.kind, IoResult::Kind::kError) << "the server has closed";
  EXPECT_TRUE(mentions(written.error, "certificate required")) << written.error.to_string();
  EXPECT_EQ(world.read_all(*world.client), "");
  EXPECT_TRUE(mentions(world.last_error, "certificate required")) << "and a reader is told the same";
}

TEST(TlsHandshakeTest, a_client_certificate_of_strangers_is_refused) {
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

TEST(TlsHandshakeTest, a_client_may_come_without_where_it_only_may_show_one) {
  World world;
  world.server_material.trusted = world.authority.pem();
  world.client_certificates = ClientCertificates::kVerifyIfGiven;
  world.connect();
  ASSERT_TRUE(world.server_status) << world.server_status.to_string();
  EXPECT_FALSE(world.server->security()->has_peer_certificate);
}

// --- Resumption ---

TEST(TlsHandshakeTest, a_second_connection_is_resumed_and_still_knows_the_certificate) {
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

TEST(TlsHandshakeTest, a_ticket_is_for_one_name) {
  World world;
  world.connect();
  EXPECT_EQ(world.read_all(*world.client), "");
  world.name = "other.example";
  world.connect();
  EXPECT_TRUE(mentions(world.client_status, "not for other.example")) << world.client_status.to_string();
}

TEST(TlsHandshakeTest, without_tickets_nothing_is_resumed) {
  World world;
  world.tickets = false;
  world.connect();
  EXPECT_EQ(world.read_all(*world.client), "");
  EXPECT_EQ(world.client_context->sessions().size(), 0u);
  world.connect();
  ASSERT_TRUE(world.client_status);
  EXPECT_FALSE(world.client->security()->resumed);
}

TEST(TlsHandshakeTest, tickets_of_a_server_that_has_new_keys_lead_to_a_full_handshake) {
  World world;
  world.connect();
  EXPECT_EQ(world.read_all(*world.client), "");
  world.server_context = nullptr;
  world.connect();
  ASSERT_TRUE(world.client_status) << world.client_status.to_string();
  EXPECT_FALSE(world.client->security()->resumed);
}

}  // namespace
}  // namespace gaggle
