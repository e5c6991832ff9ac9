// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "gaggle/rpc/resolver/resolver.h"

namespace gaggle {

// A resolver that says what its owner tells it to: for tests, and for programs that know their
// backends from elsewhere.
//
// The builder serves one connection at a time and outlives it. update() and fail() may be called
// from any thread, before the connection asks (the last update is then its first answer) or later.
class ManualResolver final : public ResolverBuilder {
 public:
  explicit ManualResolver(std::string_view scheme = "manual");
  ~ManualResolver() override;

  void update(ResolverState state);
  void fail(Status error);
  // How often the connection asked for a new look.
  uint64_t asked() const noexcept;
  // Whether a connection uses it now.
  bool in_use() const noexcept;

  std::string_view scheme() const noexcept override { return scheme_; }
  Result<std::unique_ptr<Resolver>> build(const Target& target, ResolverListener& listener,
                                          const ResolverOptions& options) override;

 private:
  class Instance;
  struct Shared;
  std::string scheme_;
  std::shared_ptr<Shared> shared_;
};

}  // namespace gaggle
