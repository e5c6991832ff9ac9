// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "gaggle/base/status.h"
#include "gaggle/net/stream_security.h"

struct X509_VERIFY_PARAM_st;
struct x509_st;

namespace gaggle {

PeerCertificate describe_certificate(const x509_st& certificate);

// Whom a server has to be: what verification has to find in its certificate. RFC 9525 §6: a DNS name or an
// address among its subject alternative names; its common name is nobody's name, and neither is a wildcard
// for a part of a label. False when nobody can be called so: "", or ".example", which for OpenSSL means all
// names below.
bool require_server_name(X509_VERIFY_PARAM_st& wanted, const std::string& name);

// The same of a certificate that was verified before. OK, or UNAVAILABLE with the names that it has.
Status check_server_name(const PeerCertificate& certificate, const std::string& name);

bool is_ip_address(const std::string& text);

// "scores.example, *.scores.example, 10.0.0.1": whom a certificate is for, for error messages. At most
// eight names.
std::string names_of(const PeerCertificate& certificate);

}  // namespace gaggle
