// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gaggle {

// What somebody between the two ends of a connection can do.
enum class SecurityLevel : uint8_t {
  kNone,                 // read and change everything
  kIntegrityOnly,        // read, but change nothing unnoticed
  kPrivacyAndIntegrity,  // neither: TLS, or bytes that never leave the process
};

// A certificate that the other end has proven to own and that was verified. A value.
struct PeerCertificate {
  std::string subject;                 // "CN=scores,O=Example", RFC 2253
  std::string issuer;                  // the same
  std::vector<std::string> dns_names;  // subject alternative names
  std::vector<std::string> ip_addresses;
  std::vector<std::string> uris;  // SPIFFE ids are such
  std::string serial_number;      // hexadecimal
  std::string der;                // the certificate itself
};

// How a stream of bytes is secured. Made once per connection, then never changed: shared by all who
// ask, on any thread.
struct StreamSecurity {
  SecurityLevel level = SecurityLevel::kNone;
  std::string protocol;                   // "TLSv1.3"
  std::string cipher;                     // "TLS_AES_128_GCM_SHA256"
  std::string server_name;                // client: what was verified; server: what SNI asked for
  bool resumed = false;                   // by a ticket of an earlier connection
  bool has_peer_certificate = false;      // else `peer_certificate` is empty
  PeerCertificate peer_certificate = {};  // of the server; of the client if it was asked for
};

}  // namespace gaggle
