// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gaggle/base/status.h"

namespace gaggle {

// A way to make messages smaller, known to both ends by the name in `grpc-encoding`.
//
// Each message is compressed for itself: nothing is kept from one to the next (gRPC's
// compression.md). Threads: all functions at the same time, from any thread; one object serves every
// call of a connection or a server. One that throws can't: the message travels as it is, or the call ends
// with INTERNAL.
class Compressor {
 public:
  virtual ~Compressor() = default;

  // Lower-case letters, digits, '-', '_', '.', '+'; not "identity". Always the same.
  virtual std::string_view name() const noexcept = 0;

  // Appends `message`, compressed, to `out`. False: it can't be done, and the message travels as it
  // is; what is in `out` then doesn't matter.
  virtual bool compress(std::span<const uint8_t> message, std::string& out) const = 0;

  // Appends to `out` what `compressed` stands for, at most `limit` bytes: RESOURCE_EXHAUSTED as soon
  // as there are more, whatever the rest might unfold to. INTERNAL when it isn't this format, is cut
  // off or damaged. Memory grows with what comes out, not with what the input announces.
  virtual Status decompress(std::span<const uint8_t> compressed, size_t limit, std::string& out) const = 0;
};

// The built-in ones. `level` is the library's own scale, from fast to small; outside it the nearest
// there is. gzip is RFC 1952, deflate the zlib format of RFC 1950, zstd RFC 8878.
std::unique_ptr<Compressor> make_gzip_compressor(int level = 6);
std::unique_ptr<Compressor> make_deflate_compressor(int level = 6);
std::unique_ptr<Compressor> make_zstd_compressor(int level = 3);

// The compressors of a connection or a server: what it can use, and what it tells its peers that it
// understands. Filled by one thread before it's given to one of them, constant from then on; it must
// outlive whoever was given it.
class CompressorRegistry {
 public:
  // With gzip, deflate and zstd.
  CompressorRegistry();
  // With none, to be filled: a program has the libraries of those only that it names.
  static CompressorRegistry none() { return CompressorRegistry(None{}); }

  // One more, or another in the place of the one with this name. INVALID_ARGUMENT for a name that
  // can't travel.
  Status add(std::unique_ptr<Compressor> compressor);
  void remove(std::string_view name);

  // Null when there is none of that name; "identity" and "" are none.
  const Compressor* find(std::string_view name) const noexcept;
  // The value of `grpc-accept-encoding`: "identity,gzip,deflate,zstd".
  const std::string& accept_encoding() const noexcept { return accept_encoding_; }

 private:
  struct None {};
  explicit CompressorRegistry(None) { list_names(); }

  void list_names();

  std::vector<std::unique_ptr<Compressor>> compressors_;
  std::string accept_encoding_;
};

}  // namespace gaggle
