// SPDX-License-Identifier: Apache-2.0
#include "gaggle/net/tls_context.h"

#include <gtest/gtest.h>

#include <string>

#include "gaggle/net/tls_world_testing.h"

namespace gaggle {
namespace {

using World = TlsWorld;

TEST(TlsSessionsTest, the_number_of_tickets_is_bounded) {
  const auto ticket = [] { return TlsSessionPtr(SSL_SESSION_new()); };
  TlsSessions sessions(3);
  for (const char* name : {"a", "a", "a"}) sessions.add(name, ticket());
  EXPECT_EQ(sessions.size(), 2u) << "two per name";
  for (const char* name : {"b", "c", "d"}) sessions.add(name, ticket());
  EXPECT_EQ(sessions.size(), 3u);
  EXPECT_EQ(sessions.take("a"), nullptr) << "the oldest have gone";
}

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
