// SPDX-License-Identifier: Apache-2.0
#include "gaggle/net/tls_testing.h"

#include <openssl/pem.h>
#include <openssl/rand.h>

#include <array>
#include <stdexcept>

namespace gaggle {
namespace {

void check(bool good) {
  if (!good) throw std::runtime_error("OpenSSL: " + take_openssl_error());
}

std::string text_in(BIO* bio) {
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio, &text);
  return {text, static_cast<size_t>(size)};
}

void set_name(X509_NAME* name, const std::string& common_name) {
  check(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                   reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1, 0) == 1);
}

void add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  check(extension != nullptr);
  check(X509_add_ext(certificate, extension, -1) == 1);
  X509_EXTENSION_free(extension);
}

std::string alternative_names(const TestCertificate& wish) {
  std::string text;
  const auto add = [&](const char* kind, const std::vector<std::string>& names) {
    for (const std::string& name : names) text.append(text.empty() ? "" : ",").append(kind).append(name);
  };
  add("DNS:", wish.dns_names);
  add("IP:", wish.ip_addresses);
  add("URI:", wish.uris);
  return text;
}

X509Ptr blank(const TestCertificate& wish, EVP_PKEY* key) {
  X509Ptr certificate(X509_new());
  check(X509_set_version(certificate.get(), 2) == 1);
  uint32_t serial = 0;
  check(RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) == 1);
  check(ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate.get()), serial | 1u) == 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), static_cast<long>(wish.valid_from.count()));
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), static_cast<long>(wish.valid_until.count()));
  check(X509_set_pubkey(certificate.get(), key) == 1);
  set_name(X509_get_subject_name(certificate.get()), wish.common_name);
  return certificate;
}

}  // namespace

PrivateKeyPtr make_test_key(bool rsa) {
  PrivateKeyPtr key(rsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256"));
  check(key != nullptr);
  return key;
}

std::string private_key_pem(EVP_PKEY& key) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  check(PEM_write_bio_PrivateKey(bio.get(), &key, nullptr, nullptr, 0, nullptr, nullptr) == 1);
  return text_in(bio.get());
}

std::string TestIdentity::certificate_pem() const {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  check(PEM_write_bio_X509(bio.get(), certificate.get()) == 1);
  return text_in(bio.get());
}

std::string TestIdentity::key_pem() const { return private_key_pem(*key); }

TestAuthority::TestAuthority(std::string_view name) {
  self_.key = make_test_key();
  self_.certificate = blank({.common_name = std::string(name)}, self_.key.get());
  X509* const certificate = self_.certificate.get();
  check(X509_set_issuer_name(certificate, X509_get_subject_name(certificate)) == 1);
  add_extension(certificate, certificate, NID_basic_constraints, "critical,CA:TRUE");
  add_extension(certificate, certificate, NID_key_usage, "critical,keyCertSign,cRLSign");
  check(X509_sign(certificate, self_.key.get(), EVP_sha256()) != 0);
}

TestIdentity TestAuthority::issue(const TestCertificate& wish) const {
  TestIdentity out;
  out.key = make_test_key(wish.rsa);
  out.certificate = blank(wish, out.key.get());
  X509* const issuer = self_.certificate.get();
  check(X509_set_issuer_name(out.certificate.get(), X509_get_subject_name(issuer)) == 1);
  const std::string names = alternative_names(wish);
  if (!names.empty()) add_extension(out.certificate.get(), issuer, NID_subject_alt_name, names);
  check(X509_sign(out.certificate.get(), self_.key.get(), EVP_sha256()) != 0);
  return out;
}

RawTlsPeer::RawTlsPeer(const SSL_METHOD* method) : context_(SSL_CTX_new(method)) {}

void RawTlsPeer::use(const TestIdentity& identity) {
  check(SSL_CTX_use_certificate(context(), identity.certificate.get()) == 1);
  check(SSL_CTX_use_PrivateKey(context(), identity.key.get()) == 1);
}

SSL* RawTlsPeer::start() {
  ssl_.reset(SSL_new(context()));
  check(ssl_ != nullptr);
  SSL_set_bio(ssl(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  return ssl();
}

void RawTlsPeer::take(std::string_view bytes) {
  if (!bytes.empty()) BIO_write(SSL_get_rbio(ssl()), bytes.data(), static_cast<int>(bytes.size()));
}

std::string RawTlsPeer::give() {
  std::string bytes = text_in(SSL_get_wbio(ssl()));
  static_cast<void>(BIO_reset(SSL_get_wbio(ssl())));
  return bytes;
}

bool RawTlsPeer::step() {
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl());
  if (result != 1 && SSL_get_error(ssl(), result) != SSL_ERROR_WANT_READ && error.empty()) error = take_openssl_error();
  return result == 1;
}

std::string RawTlsPeer::read() {
  std::string bytes;
  std::array<char, 4096> buffer;
  ERR_clear_error();
  for (;;) {
    const int count = SSL_read(ssl(), buffer.data(), buffer.size());
    if (count > 0) {
      bytes.append(buffer.data(), static_cast<size_t>(count));
      continue;
    }
    if (SSL_get_error(ssl(), count) != SSL_ERROR_WANT_READ && error.empty()) error = take_openssl_error();
    return bytes;
  }
}

void RawTlsPeer::write(std::string_view bytes) {
  check(SSL_write(ssl(), bytes.data(), static_cast<int>(bytes.size())) == static_cast<int>(bytes.size()));
}

}  // namespace gaggle
