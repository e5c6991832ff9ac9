// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/compressor.h"

#include <algorithm>
#include <utility>

namespace gaggle {
namespace {

bool name_can_travel(std::string_view name) noexcept {
  return !name.empty() && name != "identity" && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == '+';
  });
}

}  // namespace

Status CompressorRegistry::add(std::unique_ptr<Compressor> compressor) {
  if (compressor == nullptr || !name_can_travel(compressor->name())) {
    return Status::invalid_argument("a compressor's name has lower-case letters, digits and -_.+, and isn't identity");
  }
  const auto same = std::ranges::find(compressors_, compressor->name(), &Compressor::name);
  if (same != compressors_.end()) {
    *same = std::move(compressor);
  } else {
    compressors_.push_back(std::move(compressor));
  }
  list_names();
  return {};
}

void CompressorRegistry::remove(std::string_view name) {
  std::erase_if(compressors_, [&](const auto& compressor) { return compressor->name() == name; });
  list_names();
}

const Compressor* CompressorRegistry::find(std::string_view name) const noexcept {
  for (const auto& compressor : compressors_) {
    if (compressor->name() == name) return compressor.get();
  }
  return nullptr;
}

void CompressorRegistry::list_names() {
  accept_encoding_ = "identity";
  for (const auto& compressor : compressors_) accept_encoding_.append(",").append(compressor->name());
}

}  // namespace gaggle
