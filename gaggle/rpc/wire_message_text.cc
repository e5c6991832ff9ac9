// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/wire_message_text.h"

#include <algorithm>
#include <cstdint>

namespace gaggle::wire {
namespace {

constexpr std::string_view kHex = "0123456789ABCDEF";

bool travels_plain(char c) noexcept { return c >= 0x20 && c <= 0x7E && c != '%'; }

bool continues_character(char c) noexcept { return (static_cast<uint8_t>(c) & 0xC0) == 0x80; }

// The length of the character at the front: a UTF-8 sequence as far as it goes, four bytes at most.
size_t character_size(std::string_view text) noexcept {
  size_t size = 1;
  if (static_cast<uint8_t>(text[0]) < 0xC0) return size;
  while (size < 4 && size < text.size() && continues_character(text[size])) ++size;
  return size;
}

int hex_value(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

}  // namespace

bool message_text_is_plain(std::string_view text) noexcept { return std::ranges::all_of(text, travels_plain); }

void encode_message_text(std::string_view text, std::string& out, size_t limit) {
  size_t end = out.size() + limit;
  while (!text.empty()) {
    if (travels_plain(text[0])) {
      if (out.size() == end) return;
      out.push_back(text[0]);
      text.remove_prefix(1);
      continue;
    }
    size_t size = character_size(text);
    if (end - out.size() < size * 3) return;
    for (char c : text.substr(0, size)) {
      auto byte = static_cast<uint8_t>(c);
      out.push_back('%');
      out.push_back(kHex[byte >> 4]);
      out.push_back(kHex[byte & 15]);
    }
    text.remove_prefix(size);
  }
}

std::string decode_message_text(std::string_view encoded) {
  std::string text;
  text.reserve(encoded.size());
  for (size_t i = 0; i < encoded.size(); ++i) {
    if (encoded[i] == '%' && encoded.size() - i > 2) {
      int high = hex_value(encoded[i + 1]);
      int low = hex_value(encoded[i + 2]);
      if (high >= 0 && low >= 0) {
        text.push_back(static_cast<char>(high << 4 | low));
        i += 2;
        continue;
      }
    }
    text.push_back(encoded[i]);
  }
  return text;
}

}  // namespace gaggle::wire
