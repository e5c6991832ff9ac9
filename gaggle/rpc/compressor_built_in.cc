// SPDX-License-Identifier: Apache-2.0
//
// The only references to the compression libraries: a program that never asks for the built-in compressors has none of
// them in it. So nothing that each client or server needs is in this file.
#include "gaggle/rpc/compressor.h"
#include "gaggle/rpc/compressor_choice.h"

namespace gaggle {

CompressorRegistry::CompressorRegistry() {
  compressors_.push_back(make_gzip_compressor());
  compressors_.push_back(make_deflate_compressor());
  compressors_.push_back(make_zstd_compressor());
  list_names();
}

std::unique_ptr<const CompressorRegistry> make_built_in_compressors() { return std::make_unique<CompressorRegistry>(); }

}  // namespace gaggle
