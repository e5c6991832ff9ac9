// SPDX-License-Identifier: Apache-2.0
#include "gaggle/net/tls_openssl.h"

#include <openssl/pem.h>

namespace gaggle {
namespace {

// OpenSSL's default would ask on the terminal.
int no_password(char*, int, int, void*) { return -1; }

}  // namespace

std::string take_openssl_error() {
  const unsigned long code = ERR_peek_last_error();
  const char* const reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  ERR_clear_error();
  return reason != nullptr ? reason : "unknown error";
}

PrivateKeyPtr read_private_key(const std::string& pem, Status& error) {
  ERR_clear_error();
  const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  PrivateKeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr));
  if (key == nullptr) {
    const bool encrypted = pem.find("ENCRYPTED") != std::string::npos;
    const std::string reason = take_openssl_error();
    error = Status::invalid_argument(encrypted ? "the private key is encrypted; store it without a password"
                                               : "the private key can't be read: " + reason);
  }
  return key;
}

}  // namespace gaggle
