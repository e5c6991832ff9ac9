// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "gaggle/net/stream_security.h"

struct x509_st;

namespace gaggle {

PeerCertificate describe_certificate(const x509_st& certificate);

// "scores.example, *.scores.example, 10.0.0.1": whom a certificate is for, for error messages. At most
// eight names.
std::string names_of(const PeerCertificate& certificate);

}  // namespace gaggle
