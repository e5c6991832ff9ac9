// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/compressor_testing.h"

#include <gtest/gtest.h>

#include "gaggle/rpc/framing.h"

namespace gaggle {
namespace {

std::span<const uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

}  // namespace

std::vector<WireMessage> wire_messages(std::string_view content) {
  std::vector<WireMessage> messages;
  while (content.size() >= kMessagePrefixBytes) {
    const std::span<const uint8_t> prefix = bytes_of(content);
    const size_t size = size_t{prefix[1]} << 24 | size_t{prefix[2]} << 16 | size_t{prefix[3]} << 8 | prefix[4];
    messages.push_back({prefix[0], std::string(content.substr(kMessagePrefixBytes, size))});
    content.remove_prefix(std::min(content.size(), kMessagePrefixBytes + size));
  }
  return messages;
}

std::string wire_bytes(const WireMessage& message) {
  std::string bytes(kMessagePrefixBytes, '\0');
  write_message_prefix(reinterpret_cast<uint8_t*>(bytes.data()), message.content.size());
  bytes[0] = static_cast<char>(message.flag);
  return bytes + message.content;
}

std::string compressed(std::string_view name, std::string_view text) {
  const CompressorRegistry registry;
  std::string out;
  EXPECT_TRUE(registry.find(name)->compress(bytes_of(text), out));
  return out;
}

std::string decompressed(std::string_view name, std::string_view content) {
  const CompressorRegistry registry;
  std::string out;
  const Status status = registry.find(name)->decompress(bytes_of(content), size_t{1} << 30, out);
  EXPECT_TRUE(status.is_ok()) << status.to_string();
  return out;
}

std::string compressed_message(std::string_view name, std::string_view text) {
  return wire_bytes({1, compressed(name, text)});
}

}  // namespace gaggle
