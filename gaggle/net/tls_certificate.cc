// SPDX-License-Identifier: Apache-2.0
#include "gaggle/net/tls_certificate.h"

#include <arpa/inet.h>

#include <array>

#include "gaggle/net/tls_openssl.h"

namespace gaggle {
namespace {

constexpr size_t kMaxNames = 8;

std::string text_of(const X509_NAME* name) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  if (bio == nullptr || X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_RFC2253) < 0) return {};
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return size > 0 ? std::string(text, static_cast<size_t>(size)) : std::string{};
}

std::string text_of(const ASN1_STRING* text) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)), static_cast<size_t>(ASN1_STRING_length(text))};
}

std::string address_of(const ASN1_OCTET_STRING* bytes) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int length = ASN1_STRING_length(bytes);
  if (length != 4 && length != 16) return {};
  const int family = length == 4 ? AF_INET : AF_INET6;
  if (::inet_ntop(family, ASN1_STRING_get0_data(bytes), text.data(), text.size()) == nullptr) return {};
  return text.data();
}

std::string serial_of(const X509& certificate) {
  BIGNUM* const number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(&certificate), nullptr);
  char* const hex = number == nullptr ? nullptr : BN_bn2hex(number);
  std::string text = hex == nullptr ? "" : hex;
  OPENSSL_free(hex);
  BN_free(number);
  return text;
}

void add_alternative_names(const X509& certificate, PeerCertificate& out) {
  auto* const names =
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr));
  if (names == nullptr) return;
  for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(names, i);
    switch (name->type) {
      case GEN_DNS: out.dns_names.push_back(text_of(name->d.dNSName)); break;
      case GEN_IPADD: out.ip_addresses.push_back(address_of(name->d.iPAddress)); break;
      case GEN_URI: out.uris.push_back(text_of(name->d.uniformResourceIdentifier)); break;
      default: break;
    }
  }
  GENERAL_NAMES_free(names);
}

}  // namespace

PeerCertificate describe_certificate(const X509& certificate) {
  PeerCertificate out;
  out.subject = text_of(X509_get_subject_name(&certificate));
  out.issuer = text_of(X509_get_issuer_name(&certificate));
  out.serial_number = serial_of(certificate);
  add_alternative_names(certificate, out);
  unsigned char* der = nullptr;
  const int size = i2d_X509(&certificate, &der);
  if (size > 0) out.der.assign(reinterpret_cast<const char*>(der), static_cast<size_t>(size));
  OPENSSL_free(der);
  return out;
}

std::string names_of(const PeerCertificate& certificate) {
  std::string text;
  size_t count = 0;
  for (const auto* list : {&certificate.dns_names, &certificate.ip_addresses}) {
    for (const std::string& name : *list) {
      if (++count > kMaxNames) return text + ", …";
      text.append(text.empty() ? "" : ", ").append(name);
    }
  }
  return text.empty() ? "no name" : text;
}

}  // namespace gaggle
