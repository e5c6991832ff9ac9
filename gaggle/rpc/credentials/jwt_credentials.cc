// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/credentials/jwt_credentials.h"

#include <openssl/ec.h>

#include <array>
#include <cassert>
#include <cstdint>
#include <list>
#include <mutex>
#include <optional>
#include <utility>

#include "gaggle/net/loop.h"
#include "gaggle/net/tls_openssl.h"

namespace gaggle {
namespace {

using DigestPtr = std::unique_ptr<EVP_MD_CTX, OpenSslDelete<EVP_MD_CTX_free>>;
using SignaturePtr = std::unique_ptr<ECDSA_SIG, OpenSslDelete<ECDSA_SIG_free>>;

constexpr size_t kMaxTokens = 64;
constexpr int kMinRsaBits = 2048;
constexpr int kP256Bytes = 32;

// RFC 4648 §5, without padding.
std::string base64url(std::string_view bytes) {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string text;
  uint32_t bits = 0;
  int count = 0;
  for (const char byte : bytes) {
    bits = bits << 8 | static_cast<uint8_t>(byte);
    for (count += 8; count >= 6; count -= 6) text.push_back(kAlphabet[bits >> (count - 6) & 63]);
  }
  if (count != 0) text.push_back(kAlphabet[bits << (6 - count) & 63]);
  return text;
}

std::string quoted(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<uint8_t>(c);
    if (byte < 0x20) {
      out.append("\\u00").append({kHex[byte >> 4], kHex[byte & 15]});
      continue;
    }
    if (c == '"' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  return out + "\"";
}

// JWS wants the two numbers side by side, 32 bytes each (RFC 7518 §3.4).
std::optional<std::string> raw_signature(const std::string& der) {
  const auto* data = reinterpret_cast<const unsigned char*>(der.data());
  const SignaturePtr signature(d2i_ECDSA_SIG(nullptr, &data, static_cast<long>(der.size())));
  if (signature == nullptr) return std::nullopt;
  std::array<unsigned char, size_t{2} * kP256Bytes> raw;
  const bool fits = BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), raw.data(), kP256Bytes) == kP256Bytes &&
                    BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), raw.data() + kP256Bytes, kP256Bytes) == kP256Bytes;
  if (!fits) return std::nullopt;
  return std::string(reinterpret_cast<const char*>(raw.data()), raw.size());
}

bool is_p256(const EVP_PKEY* key) {
  std::array<char, 64> group{};
  size_t size = 0;
  return EVP_PKEY_get_group_name(key, group.data(), group.size(), &size) == 1 &&
         std::string_view(group.data(), size) == SN_X9_62_prime256v1;
}

}  // namespace

// --- Signing ---

class JwtCredentials::Signer {
 public:
  static Result<std::unique_ptr<Signer>> create(const std::string& pem) {
    Status error;
    PrivateKeyPtr key = read_private_key(pem, error);
    if (key == nullptr) return error;
    const bool rsa = EVP_PKEY_get_base_id(key.get()) == EVP_PKEY_RSA;
    if (rsa && EVP_PKEY_get_bits(key.get()) < kMinRsaBits) {
      return Status::invalid_argument("RS256 needs a key of 2048 bits or more");
    }
    if (!rsa && !is_p256(key.get())) return Status::invalid_argument("the key is neither RSA nor P-256");
    return std::make_unique<Signer>(std::move(key), rsa);
  }
  Signer(PrivateKeyPtr key, bool rsa) : key_(std::move(key)), rsa_(rsa) {}

  std::string_view algorithm() const noexcept { return rsa_ ? "RS256" : "ES256"; }

  Result<std::string> sign(const std::string& text) const {
    const DigestPtr digest(EVP_MD_CTX_new());
    const auto* data = reinterpret_cast<const unsigned char*>(text.data());
    size_t size = 0;
    if (EVP_DigestSignInit(digest.get(), nullptr, EVP_sha256(), nullptr, key_.get()) != 1 ||
        EVP_DigestSign(digest.get(), nullptr, &size, data, text.size()) != 1) {
      return Status::internal("signing failed: " + take_openssl_error());
    }
    std::string signature(size, '\0');
    auto* const out = reinterpret_cast<unsigned char*>(signature.data());
    if (EVP_DigestSign(digest.get(), out, &size, data, text.size()) != 1) {
      return Status::internal("signing failed: " + take_openssl_error());
    }
    signature.resize(size);
    if (rsa_) return signature;
    std::optional<std::string> raw = raw_signature(signature);
    if (!raw) return Status::internal("signing failed: " + take_openssl_error());
    return *std::move(raw);
  }

 private:
  const PrivateKeyPtr key_;
  const bool rsa_;
};

// --- Keeping ---

class JwtCredentials::Tokens {
 public:
  std::shared_ptr<const Metadata> find(const CallCredentialsRequest& request, TimePoint now) {
    const std::string_view service = service_of(request);
    const std::lock_guard lock(mutex_);
    for (const Entry& entry : entries_) {
      if (entry.service == service && entry.authority == request.authority && now < entry.refresh_at) {
        return entry.metadata;
      }
    }
    return nullptr;
  }

  void add(const CallCredentialsRequest& request, std::shared_ptr<const Metadata> metadata, TimePoint refresh_at) {
    const std::string_view service = service_of(request);
    const std::lock_guard lock(mutex_);
    std::erase_if(entries_,
                  [&](const Entry& entry) { return entry.service == service && entry.authority == request.authority; });
    if (entries_.size() == kMaxTokens) entries_.pop_front();
    entries_.push_back({std::string(request.authority), std::string(service), std::move(metadata), refresh_at});
  }

 private:
  struct Entry {
    std::string authority;
    std::string service;
    std::shared_ptr<const Metadata> metadata;
    TimePoint refresh_at;
  };
  static std::string_view service_of(const CallCredentialsRequest& request) {
    return request.method.substr(0, request.method.rfind('/'));
  }

  std::mutex mutex_;          // guards what follows
  std::list<Entry> entries_;  // oldest first
};

// --- The credentials ---

JwtCredentials::JwtCredentials(JwtOptions options, std::unique_ptr<Signer> signer)
    : options_(std::move(options)), signer_(std::move(signer)), tokens_(std::make_unique<Tokens>()) {}
JwtCredentials::~JwtCredentials() = default;

Result<std::unique_ptr<JwtCredentials>> JwtCredentials::create(JwtOptions options) {
  if (options.issuer.empty()) return Status::invalid_argument("JwtOptions::issuer is missing");
  if (options.lifetime < std::chrono::minutes{1}) {
    return Status::invalid_argument("JwtOptions::lifetime is below a minute");
  }
  auto signer = Signer::create(options.private_key);
  if (!signer) return signer.error();
  options.private_key.clear();
  if (options.subject.empty()) options.subject = options.issuer;
  return std::unique_ptr<JwtCredentials>(new JwtCredentials(std::move(options), *std::move(signer)));
}

Task<CallCredentials::Answer> JwtCredentials::metadata(CallCredentialsRequest request) {
  Loop* const loop = Loop::current();
  assert(loop != nullptr && "credentials are asked on a loop");
  const TimePoint now = loop->now();
  if (auto known = tokens_->find(request, now)) return Task<Answer>::ready(std::move(known));
  Answer made = make_token(request);
  if (made) tokens_->add(request, *made, deadline_after(now, Duration(options_.lifetime) / 10 * 9));
  return Task<Answer>::ready(std::move(made));
}

CallCredentials::Answer JwtCredentials::make_token(const CallCredentialsRequest& request) const {
  const auto now = options_.wall_clock ? options_.wall_clock() : std::chrono::system_clock::now();
  const auto issued = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch());
  std::string header = "{\"alg\":" + quoted(signer_->algorithm()) + ",\"typ\":\"JWT\"";
  if (!options_.key_id.empty()) header += ",\"kid\":" + quoted(options_.key_id);
  header += "}";
  const std::string claims = "{\"iss\":" + quoted(options_.issuer) + ",\"sub\":" + quoted(options_.subject) +
                             ",\"aud\":" + quoted(service_url(request)) + ",\"iat\":" + std::to_string(issued.count()) +
                             ",\"exp\":" + std::to_string((issued + options_.lifetime).count()) + "}";
  std::string token = base64url(header) + "." + base64url(claims);
  Result<std::string> signature = signer_->sign(token);
  if (!signature) return signature.error();
  token += "." + base64url(*signature);
  auto metadata = std::make_shared<Metadata>();
  if (Status bad = metadata->add("authorization", "Bearer " + token); !bad) return bad;
  return std::shared_ptr<const Metadata>(std::move(metadata));
}

}  // namespace gaggle
