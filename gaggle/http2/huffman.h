// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

// Huffman coding of strings as in RFC 7541 §5.2 and Appendix B.
namespace gaggle::http2::huffman {

// Bytes that `text` takes when coded.
size_t encoded_size(std::string_view text);

// Writes encoded_size(text) bytes to `out` and returns the end.
uint8_t* encode(std::string_view text, uint8_t* out);

// Room that decode() wants for `bytes` of code: no symbol is shorter than 5 bits, and it may write
// a symbol more than there is.
constexpr size_t decoded_room(size_t bytes) { return bytes * 8 / 5 + 2; }

// Decodes all of `code` into `out`, which has decoded_room(code.size()); returns the number of
// bytes. Nothing if the code holds EOS, or padding that is longer than 7 bits or not all ones.
std::optional<size_t> decode(std::span<const uint8_t> code, char* out);

}  // namespace gaggle::http2::huffman
