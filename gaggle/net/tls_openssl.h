// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>

#include "gaggle/base/status.h"

namespace gaggle {

// OpenSSL's objects with owners. For the files that talk to OpenSSL; no header that users include
// includes this one.
template <auto kFree>
struct OpenSslDelete {
  template <class T>
  void operator()(T* object) const noexcept {
    kFree(object);
  }
};
using SslPtr = std::unique_ptr<SSL, OpenSslDelete<SSL_free>>;
using SslContextPtr = std::unique_ptr<SSL_CTX, OpenSslDelete<SSL_CTX_free>>;
using BioPtr = std::unique_ptr<BIO, OpenSslDelete<BIO_free>>;
using X509Ptr = std::unique_ptr<X509, OpenSslDelete<X509_free>>;
using PrivateKeyPtr = std::unique_ptr<EVP_PKEY, OpenSslDelete<EVP_PKEY_free>>;

// What OpenSSL says went wrong last on this thread, in its words, without its numbers; empties its
// list of errors. "unknown error" when it says nothing.
std::string take_openssl_error();

// A private key from PEM text. INVALID_ARGUMENT when it's none, or encrypted: nobody is asked for a
// password.
PrivateKeyPtr read_private_key(const std::string& pem, Status& error);

}  // namespace gaggle
