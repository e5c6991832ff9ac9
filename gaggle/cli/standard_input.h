// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string_view>

#include "gaggle/cli/json_reader.h"
#include "gaggle/net/file_descriptor.h"

namespace gaggle::cli {

// Standard input, or another descriptor, read as it comes, until it ends or nobody wants it any more.
class StandardInput final : public TextSource {
 public:
  // `descriptor` outlives it and isn't closed.
  explicit StandardInput(int descriptor = 0);

  // Blocks. UNAVAILABLE when reading fails.
  Result<std::string_view> read() override;
  // Ends a read() that waits, and all later ones: they give the end. From any thread.
  void stop() noexcept;

 private:
  const int descriptor_;
  FileDescriptor stop_;
  std::array<char, 64 * 1024> buffer_;
};

}  // namespace gaggle::cli
