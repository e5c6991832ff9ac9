// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "gaggle/rpc/credentials/credentials.h"

namespace gaggle {
namespace {

class InsecureCredentials final : public ChannelCredentials {
 public:
  constexpr InsecureCredentials() = default;
  SecurityLevel security_level() const noexcept override { return SecurityLevel::kNone; }
  std::string_view scheme() const noexcept override { return "http"; }
  bool has_handshake() const noexcept override { return false; }
  Task<Result<std::unique_ptr<ByteStream>>> handshake(std::unique_ptr<ByteStream> stream, std::string,
                                                      Context) const override {
    return Task<Result<std::unique_ptr<ByteStream>>>::ready(std::move(stream));
  }
};

}  // namespace

Status ChannelCredentials::check_authority(const StreamSecurity*, std::string_view) const {
  if (security_level() == SecurityLevel::kNone) return {};
  return Status::unavailable("the connection's credentials can't tell whether the server may be called so");
}

const ChannelCredentials* insecure_credentials() noexcept {
  static const InsecureCredentials credentials;
  return &credentials;
}

}  // namespace gaggle
