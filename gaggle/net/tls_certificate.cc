// SPDX-License-Identifier: Apache-2.0
#include "gaggle/net/tls_certificate.h"

#include <arpa/inet.h>

#include <array>

#include "gaggle/net/tls_openssl.h"

namespace gaggle {
namespace {

constexpr size_t kMaxNames = 8;

constexpr unsigned int kNameRules = X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS;

bool can_be_proven(const std::string& name) {
  return !name.empty() && name.front() != '.' && name.find('\0') == std::string::npos;
}

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

bool is_ip_address(const std::string& text) {
  std::array<unsigned char, 16> ignored;
  return ::inet_pton(AF_INET, text.c_str(), ignored.data()) == 1 ||
         ::inet_pton(AF_INET6, text.c_str(), ignored.data()) == 1;
}

bool require_server_name(X509_VERIFY_PARAM& wanted, const std::string& name) {
  X509_VERIFY_PARAM_set_hostflags(&wanted, kNameRules);
  if (!can_be_proven(name)) return false;
  if (is_ip_address(name)) return X509_VERIFY_PARAM_set1_ip_asc(&wanted, name.c_str()) == 1;
  return X509_VERIFY_PARAM_set1_host(&wanted, name.c_str(), name.size()) == 1;
}

Status check_server_name(const PeerCertificate& certificate, const std::string& name) {
  if (!can_be_proven(name)) return Status::unavailable("\"" + name + "\" is no name that a server can prove");
  const auto* der = reinterpret_cast<const unsigned char*>(certificate.der.data());
  const X509Ptr leaf(d2i_X509(nullptr, &der, static_cast<long>(certificate.der.size())));
  const bool matches = leaf != nullptr && (is_ip_address(name) ? X509_check_ip_asc(leaf.get(), name.c_str(), kNameRules)
                                                               : X509_check_host(leaf.get(), name.data(), name.size(),
                                                                                 kNameRules, nullptr)) == 1;
  ERR_clear_error();
  if (matches) return {};
  return Status::unavailable("the server's certificate is for " + names_of(certificate) + ", not for " + name);
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
