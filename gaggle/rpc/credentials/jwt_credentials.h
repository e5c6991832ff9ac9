// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "gaggle/base/clock.h"
#include "gaggle/rpc/credentials/call_credentials.h"

namespace gaggle {

// Who signs, and with what.
struct JwtOptions {
  std::string issuer;            // `iss`
  std::string subject = {};      // `sub`; default: the issuer
  std::string key_id = {};       // `kid`; default: none
  std::string private_key = {};  // PEM: RSA of 2048 bits or more (RS256), or P-256 (ES256)
  std::chrono::seconds lifetime = std::chrono::hours{1};
  // The time of day, in which tokens are dated; default: the system's.
  std::function<std::chrono::system_clock::time_point()> wall_clock = {};
};

// Sends `authorization: Bearer TOKEN` with tokens that it signs itself, one for each service: `aud` is
// "https://scores.example/package.Service". RFC 7519; what Google calls self-signed JWTs.
//
// A token is made on the loop of the first call that needs it, which takes up to a millisecond, and
// used for nine tenths of its lifetime. The tokens of 64 services are kept. Threads: any.
class JwtCredentials final : public CallCredentials {
 public:
  // INVALID_ARGUMENT for a bad key, no issuer, or a lifetime below a minute.
  static Result<std::unique_ptr<JwtCredentials>> create(JwtOptions options);
  ~JwtCredentials() override;

  Task<Answer> metadata(CallCredentialsRequest request) override;

 private:
  class Signer;
  class Tokens;
  JwtCredentials(JwtOptions options, std::unique_ptr<Signer> signer);

  Answer make_token(const CallCredentialsRequest& request) const;

  const JwtOptions options_;
  const std::unique_ptr<Signer> signer_;
  const std::unique_ptr<Tokens> tokens_;
};

}  // namespace gaggle
