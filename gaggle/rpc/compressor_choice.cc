// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/compressor_choice.h"

#include "gaggle/rpc/compressor.h"

namespace gaggle {

const CompressorRegistry& CompressorChoice::get(std::unique_ptr<const CompressorRegistry>& made) const {
  if (own_ != nullptr) return *own_;
  made = make_ != nullptr ? make_() : std::make_unique<CompressorRegistry>(CompressorRegistry::none());
  return *made;
}

}  // namespace gaggle
