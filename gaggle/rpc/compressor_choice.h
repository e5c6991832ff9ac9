// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

namespace gaggle {

class CompressorRegistry;

// With gzip, deflate and zstd, for one connection or server.
std::unique_ptr<const CompressorRegistry> make_built_in_compressors();

// What a connection or a server can compress with: by default gzip, deflate and zstd; or a registry of one's own, which
// must outlive it; or, by nullptr, nothing.
//
// Only the default refers to zlib and libzstd: a static program whose options all choose something else is smaller by
// some 700 KB.
//
//   auto server = Server::create(loops, {.compressors = nullptr});
class CompressorChoice final {
 public:
  CompressorChoice() noexcept : make_(make_built_in_compressors) {}
  CompressorChoice(const CompressorRegistry* own) noexcept : own_(own) {}

  // The registry; if it isn't the user's, `made` becomes its owner.
  const CompressorRegistry& get(std::unique_ptr<const CompressorRegistry>& made) const;

 private:
  const CompressorRegistry* own_ = nullptr;
  std::unique_ptr<const CompressorRegistry> (*make_)() = nullptr;
};

}  // namespace gaggle
