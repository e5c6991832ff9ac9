// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gaggle/net/tls_context.h"
#include "gaggle/net/tls_openssl.h"

namespace gaggle {

// A certificate and its key, made for a test.
struct TestIdentity {
  X509Ptr certificate;
  PrivateKeyPtr key;

  std::string certificate_pem() const;
  std::string key_pem() const;
};

struct TestCertificate {
  std::string common_name = "test";
  std::vector<std::string> dns_names = {};
  std::vector<std::string> ip_addresses = {};
  std::vector<std::string> uris = {};
  std::chrono::seconds valid_from = std::chrono::hours{-1};  // from now
  std::chrono::seconds valid_until = std::chrono::hours{24};
  bool rsa = false;  // 2048 bits; else P-256
};

// A key of its own, for P-256 or RSA.
PrivateKeyPtr make_test_key(bool rsa = false);
std::string private_key_pem(EVP_PKEY& key);

// Somebody who vouches for others, by themselves vouched for by nobody.
class TestAuthority {
 public:
  explicit TestAuthority(std::string_view name = "test CA");
  TestIdentity issue(const TestCertificate& wish) const;
  std::string pem() const { return self_.certificate_pem(); }

 private:
  TestIdentity self_;
};

// A peer that speaks TLS as a test wants it, with OpenSSL and nothing of ours: bytes are handed to it
// and taken from it by hand.
class RawTlsPeer {
 public:
  explicit RawTlsPeer(const SSL_METHOD* method);

  SSL_CTX* context() noexcept { return context_.get(); }
  void use(const TestIdentity& identity);
  // Once everything of the context is set.
  SSL* start();
  SSL* ssl() noexcept { return ssl_.get(); }
  void take(std::string_view bytes);  // from the other side
  std::string give();                 // to the other side
  bool step();                        // of the handshake; true when it's done
  // "" when there is nothing.
  std::string read();
  void write(std::string_view bytes);
  std::string error;  // of the step that failed

 private:
  SslContextPtr context_;
  SslPtr ssl_;
};

}  // namespace gaggle
