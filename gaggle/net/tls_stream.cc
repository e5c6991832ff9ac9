// SPDX-License-Identifier: Apache-2.0
//
// The life of a TLS connection: its beginning, the handshake, what came of it, and its end.
#include "gaggle/net/tls_stream.h"

#include <array>
#include <cassert>
#include <utility>

#include "gaggle/net/tls_certificate.h"
#include "gaggle/net/tls_openssl.h"

namespace gaggle {
namespace {

constexpr size_t kHandshakeScratch = 4096;
// Reads of one step; what comes beyond waits for the next.
constexpr int kHandshakeReads = 8;

TlsStream& stream_of(const SSL& ssl) { return *static_cast<TlsStream*>(SSL_get_app_data(&ssl)); }

}  // namespace

std::unique_ptr<TlsStream> TlsStream::client(std::unique_ptr<ByteStream> lower,
                                             std::shared_ptr<const TlsContext> context, std::string_view server_name) {
  std::unique_ptr<TlsStream> stream(new TlsStream(std::move(lower), std::move(context), true));
  stream->begin_client(server_name);
  return stream;
}

std::unique_ptr<TlsStream> TlsStream::server(std::unique_ptr<ByteStream> lower,
                                             std::shared_ptr<const TlsContext> context) {
  std::unique_ptr<TlsStream> stream(new TlsStream(std::move(lower), std::move(context), false));
  if (stream->ssl_ != nullptr) SSL_set_accept_state(stream->ssl_);
  return stream;
}

TlsStream::~TlsStream() { TlsStream::close(); }

void TlsStream::begin_client(std::string_view server_name) {
  if (ssl_ == nullptr) return;
  server_name_ = server_name;
  SSL_set_connect_state(ssl_);
  bool set = require_server_name(*SSL_get0_param(ssl_), server_name_);
  // SNI has no addresses (RFC 6066 §3).
  if (set && !is_ip_address(server_name_)) set = SSL_set_tlsext_host_name(ssl_, server_name_.c_str()) == 1;
  if (!set) {
    fail("\"" + server_name_ + "\" is no name that a server can prove");
    ERR_clear_error();
  }
  // OpenSSL takes a reference of its own.
  if (const TlsSessionPtr session = context_->sessions().take(server_name_)) SSL_set_session(ssl_, session.get());
}

// --- The handshake ---

TlsStream::Step TlsStream::handshake_step() {
  if (!failure_.is_ok()) return Step::kFailed;
  if (done_) return Step::kDone;
  std::array<uint8_t, kHandshakeScratch> scratch;
  Step step = Step::kWait;
  corked_ = true;
  for (int reads = 0;; ++reads) {
    ERR_clear_error();
    const int result = SSL_do_handshake(ssl_);
    if (result == 1) {
      step = Step::kDone;
      finish_handshake();
      break;
    }
    const int error = SSL_get_error(ssl_, result);
    if (error != SSL_ERROR_WANT_READ) {
      note_failure(error);
      break;
    }
    // What was answered leaves before we wait for the answer to it.
    flush();
    if (reads == kHandshakeReads) break;
    const IoResult got = fill(scratch);
    if (got.kind == IoResult::Kind::kWouldBlock || got.kind == IoResult::Kind::kError) break;
  }
  corked_ = false;
  keep_rest();
  flush();
  return failure_.is_ok() ? step : Step::kFailed;
}

void TlsStream::finish_handshake() {
  done_ = true;
  // RFC 9113 §3.2: HTTP/2 over TLS is agreed upon by ALPN. Only servers that ignore it get here.
  const unsigned char* protocol = nullptr;
  unsigned int size = 0;
  SSL_get0_alpn_selected(ssl_, &protocol, &size);
  if (std::string_view(reinterpret_cast<const char*>(protocol), size) != "h2") {
    return fail("the server doesn't agree on HTTP/2 (ALPN h2)");
  }
  auto security = std::make_shared<StreamSecurity>();
  security->level = SecurityLevel::kPrivacyAndIntegrity;
  security->protocol = SSL_get_version(ssl_);
  security->cipher = SSL_get_cipher_name(ssl_);
  security->resumed = SSL_session_reused(ssl_) == 1;
  const char* const asked_for = is_client_ ? nullptr : SSL_get_servername(ssl_, TLSEXT_NAMETYPE_host_name);
  security->server_name = asked_for != nullptr ? asked_for : server_name_;
  // A certificate that wasn't good would have ended the handshake.
  if (const X509* const certificate = SSL_get0_peer_certificate(ssl_)) {
    security->has_peer_certificate = true;
    security->peer_certificate = describe_certificate(*certificate);
  }
  security_ = std::move(security);
}

void TlsStream::fail(std::string_view what) {
  if (failure_.is_ok()) failure_ = Status::unavailable("TLS: " + std::string(what));
}

void TlsStream::note_failure(int ssl_error) {
  const std::string text = describe_failure(ssl_error);
  fail(text);
}

std::string TlsStream::describe_failure(int ssl_error) {
  const std::string peer = is_client_ ? "the server" : "the client";
  const int reason = ERR_GET_REASON(ERR_peek_last_error());
  const std::string words = take_openssl_error();
  if (!note_.empty()) return note_;
  if (reason > SSL_AD_REASON_OFFSET && reason < SSL_AD_REASON_OFFSET + 256) {
    explained_ = true;
    // "tlsv13 alert certificate required"; SSL_alert_desc_string_long() doesn't know all of them.
    const size_t name = words.find("alert ");
    return peer + " refuses the connection: " + (name == std::string::npos ? words : words.substr(name));
  }
  switch (reason) {
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_HTTP_REQUEST:
    case SSL_R_HTTPS_PROXY_REQUEST: return peer + " doesn't speak TLS (" + words + ")";
    case SSL_R_UNEXPECTED_EOF_WHILE_READING:
      if (done_ && is_client_ && !heard_) {
        explained_ = true;
        return peer + " closed the connection right after the handshake" +
               (SSL_get_certificate(ssl_) == nullptr ? "; it may want a client certificate" : "");
      }
      return done_ ? peer + " closed the connection without close_notify: bytes may be missing"
                   : peer + " closed the connection during the handshake";
    default: break;
  }
  return ssl_error == SSL_ERROR_ZERO_RETURN ? peer + " closed the connection during the handshake" : words;
}

// --- OpenSSL's callbacks ---

void TlsStream::note(SSL& ssl, std::string_view reason) { stream_of(ssl).note_ = reason; }

int TlsStream::on_verified(int ok, X509_STORE_CTX* context) {
  if (ok == 1) return 1;
  const auto& ssl = *static_cast<SSL*>(X509_STORE_CTX_get_ex_data(context, SSL_get_ex_data_X509_STORE_CTX_idx()));
  TlsStream& stream = stream_of(ssl);
  const int error = X509_STORE_CTX_get_error(context);
  std::string text = stream.is_client_ ? "the server's" : "the client's";
  text.append(" certificate isn't accepted: ").append(X509_verify_cert_error_string(error));
  const X509* const certificate = X509_STORE_CTX_get0_cert(context);
  if (certificate != nullptr && (error == X509_V_ERR_HOSTNAME_MISMATCH || error == X509_V_ERR_IP_ADDRESS_MISMATCH)) {
    text.append(": it is for ").append(names_of(describe_certificate(*certificate)));
    text.append(", not for ").append(stream.server_name_);
  }
  stream.note_ = std::move(text);
  return 0;
}

// Comes with the reply to the handshake (TLS 1.2) or at any time after it (TLS 1.3).
int TlsStream::on_new_session(SSL* ssl, SSL_SESSION* session) {
  const TlsStream& stream = stream_of(*ssl);
  stream.context_->sessions().add(stream.server_name_, TlsSessionPtr(session));
  return 1;  // the reference is ours
}

// --- The end ---

void TlsStream::shutdown_write() noexcept {
  if (ssl_ == nullptr || end_after_out_) return;
  if (done_ && failure_.is_ok()) {
    ERR_clear_error();
    SSL_shutdown(ssl_);
  }
  end_after_out_ = true;
  if (flush()) lower_->shutdown_write();
}

void TlsStream::close() noexcept {
  if (ssl_ == nullptr) return lower_->close();
  shutdown_write();
  cancel_waits();
  lower_->close();
  // However it ended, its tickets are as good as before; a broken protocol has made them useless by now.
  SSL_set_shutdown(ssl_, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  SSL_free(std::exchange(ssl_, nullptr));
  if (failure_.is_ok()) failure_ = Status::unavailable("TLS: the stream is closed");
  std::vector<uint8_t>().swap(rest_);
  std::string().swap(out_);
}

}  // namespace gaggle
