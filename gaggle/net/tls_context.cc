// SPDX-License-Identifier: Apache-2.0
#include "gaggle/net/tls_context.h"

#include <openssl/pem.h>

#include <array>
#include <cstring>
#include <vector>

#include "gaggle/net/tls_openssl.h"
#include "gaggle/net/tls_stream.h"

namespace gaggle {
namespace {

constexpr const char* kTls12Ciphers =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

// ALPN's form of a list with one name (RFC 7301 §3.1).
constexpr std::array<unsigned char, 3> kHttp2 = {2, 'h', '2'};

constexpr int kMaxChainDepth = 10;
constexpr size_t kMaxChainBytes = 64 * 1024;

Status bad(std::string_view what) { return Status::invalid_argument(std::string(what) + ": " + take_openssl_error()); }

// All certificates of a PEM text, in order.
Result<std::vector<X509Ptr>> read_certificates(const std::string& pem, std::string_view what) {
  ERR_clear_error();
  const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  std::vector<X509Ptr> found;
  while (X509* const next = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)) found.emplace_back(next);
  // The end looks like an error to OpenSSL.
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  if (!at_end) return bad(what);
  ERR_clear_error();
  if (found.empty()) return Status::invalid_argument(std::string(what) + ": there is no certificate in PEM form");
  return found;
}

Status use_identity(SSL_CTX* context, const TlsMaterial& material) {
  auto chain = read_certificates(material.certificates, "the certificate can't be read");
  if (!chain) return chain.error();
  Status error;
  const PrivateKeyPtr key = read_private_key(material.private_key, error);
  if (key == nullptr) return error;
  if (SSL_CTX_use_certificate(context, chain->front().get()) != 1) return bad("the certificate can't be used");
  for (size_t i = 1; i < chain->size(); ++i) {
    if (SSL_CTX_add1_chain_cert(context, (*chain)[i].get()) != 1) return bad("the certificate's chain can't be used");
  }
  if (X509_check_private_key(chain->front().get(), key.get()) != 1) {
    ERR_clear_error();
    return Status::invalid_argument("certificate and private key don't belong together");
  }
  if (SSL_CTX_use_PrivateKey(context, key.get()) != 1) return bad("the private key can't be used");
  return {};
}

Status trust(SSL_CTX* context, const std::string& pem, bool name_them) {
  auto trusted = read_certificates(pem, "the CA certificates can't be read");
  if (!trusted) return trusted.error();
  X509_STORE* const store = SSL_CTX_get_cert_store(context);
  for (const X509Ptr& each : *trusted) {
    if (X509_STORE_add_cert(store, each.get()) != 1) return bad("a CA certificate can't be used");
    // Tells clients which of their certificates would do.
    if (name_them && SSL_CTX_add_client_CA(context, each.get()) != 1) return bad("a CA certificate can't be used");
  }
  return {};
}

SslContextPtr make_context(const SSL_METHOD* method) {
  SslContextPtr context(SSL_CTX_new(method));
  if (context == nullptr) return context;
  SSL_CTX* const raw = context.get();
  SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION);
  SSL_CTX_set_options(raw, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                               SSL_OP_PRIORITIZE_CHACHA);
  // An idle connection gives its record buffers back.
  SSL_CTX_set_mode(raw, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(raw, 0);
  SSL_CTX_set_max_cert_list(raw, kMaxChainBytes);
  SSL_CTX_set_verify_depth(raw, kMaxChainDepth);
  SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
  if (SSL_CTX_set_cipher_list(raw, kTls12Ciphers) != 1) context.reset();
  return context;
}

// --- Server: HTTP/2 or nothing ---

// Before anything costly: a client that doesn't offer protocols doesn't speak HTTP/2.
int on_client_hello(SSL* ssl, int* alert, void*) {
  const unsigned char* offered = nullptr;
  size_t size = 0;
  if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_application_layer_protocol_negotiation, &offered, &size) == 1) {
    return SSL_CLIENT_HELLO_SUCCESS;
  }
  TlsStream::note(*ssl, "the client offers no protocol by ALPN; gRPC needs h2");
  *alert = SSL_AD_NO_APPLICATION_PROTOCOL;
  return SSL_CLIENT_HELLO_ERROR;
}

int choose_protocol(SSL* ssl, const unsigned char** chosen, unsigned char* chosen_size, const unsigned char* offered,
                    unsigned int size, void*) {
  for (unsigned int at = 0; at < size; at += 1u + offered[at]) {
    if (size - at < kHttp2.size() || std::memcmp(offered + at, kHttp2.data(), kHttp2.size()) != 0) continue;
    *chosen = offered + at + 1;
    *chosen_size = offered[at];
    return SSL_TLSEXT_ERR_OK;
  }
  TlsStream::note(*ssl, "the client doesn't offer h2 by ALPN");
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

}  // namespace

TlsContext::TlsContext(SSL_CTX* context, size_t max_sessions) : context_(context), sessions_(max_sessions) {}
TlsContext::~TlsContext() { SSL_CTX_free(context_); }

Result<std::shared_ptr<const TlsContext>> TlsContext::client(const TlsMaterial& material, size_t max_sessions) {
  SslContextPtr context = make_context(TLS_client_method());
  if (context == nullptr) return bad("OpenSSL");
  SSL_CTX* const raw = context.get();
  if (material.certificates.empty() != material.private_key.empty()) {
    return Status::invalid_argument("a client certificate needs a private key, and the other way round");
  }
  if (!material.certificates.empty()) {
    if (Status status = use_identity(raw, material); !status) return status;
  }
  if (material.trusted.empty()) {
    if (SSL_CTX_set_default_verify_paths(raw) != 1) return bad("the system's CA certificates can't be used");
  } else if (Status status = trust(raw, material.trusted, false); !status) {
    return status;
  }
  SSL_CTX_set_verify(raw, SSL_VERIFY_PEER, TlsStream::on_verified);
  SSL_CTX_set_alpn_protos(raw, kHttp2.data(), kHttp2.size());
  if (max_sessions != 0) {
    SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(raw, TlsStream::on_new_session);
  }
  return std::make_shared<const TlsContext>(context.release(), max_sessions);
}

Result<std::shared_ptr<const TlsContext>> TlsContext::server(const TlsMaterial& material,
                                                             ClientCertificates client_certificates, bool tickets) {
  SslContextPtr context = make_context(TLS_server_method());
  if (context == nullptr) return bad("OpenSSL");
  SSL_CTX* const raw = context.get();
  if (Status status = use_identity(raw, material); !status) return status;
  if (client_certificates != ClientCertificates::kNone) {
    if (Status status = trust(raw, material.trusted, true); !status) return status;
    const int fail_without = client_certificates == ClientCertificates::kRequire ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0;
    SSL_CTX_set_verify(raw, SSL_VERIFY_PEER | fail_without, TlsStream::on_verified);
  }
  SSL_CTX_set_client_hello_cb(raw, on_client_hello, nullptr);
  SSL_CTX_set_alpn_select_cb(raw, choose_protocol, nullptr);
  // Tickets hold all that a resumed connection needs; the server remembers nothing.
  constexpr std::array<unsigned char, 6> kSessionContext = {'g', 'a', 'g', 'g', 'l', 'e'};
  SSL_CTX_set_session_id_context(raw, kSessionContext.data(), kSessionContext.size());
  if (!tickets) {
    SSL_CTX_set_options(raw, SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(raw, 0);
  }
  return std::make_shared<const TlsContext>(context.release(), 0);
}

}  // namespace gaggle
