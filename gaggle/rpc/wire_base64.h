// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace gaggle::wire {

// Base64 (RFC 4648 §4, standard alphabet) as "-bin" metadata uses it: written without padding, read
// with or without. See gRPC over HTTP2, "Binary-Header".

// How many characters `size` bytes become, without padding.
constexpr size_t base64_size(size_t size) noexcept { return size / 3 * 4 + (size % 3 * 8 + 5) / 6; }

// Writes base64_size(bytes.size()) characters to `out`.
void base64_encode(std::string_view bytes, char* out) noexcept;
// Appends them.
void base64_encode(std::string_view bytes, std::string& out);

// Appends the bytes that `text` stands for. False, and `out` as it was, when `text` isn't base64: a
// character outside the alphabet, an impossible length, padding that doesn't complete a group of
// four. Bits beyond the last byte are ignored.
[[nodiscard]] bool base64_decode(std::string_view text, std::string& out);

}  // namespace gaggle::wire
