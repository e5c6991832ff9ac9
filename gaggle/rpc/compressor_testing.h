// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "gaggle/rpc/compressor.h"

namespace gaggle {

// A message on the wire, as a test of compression sees it.
struct WireMessage {
  int flag = 0;
  std::string content;  // as it travelled
  friend bool operator==(const WireMessage&, const WireMessage&) = default;
};

// The whole messages in `content`.
std::vector<WireMessage> wire_messages(std::string_view content);
// Prefix and content.
std::string wire_bytes(const WireMessage& message);

// By the built-in compressors.
std::string compressed(std::string_view name, std::string_view text);
std::string decompressed(std::string_view name, std::string_view content);
// The text as a compressed message, prefix included.
std::string compressed_message(std::string_view name, std::string_view text);

}  // namespace gaggle
