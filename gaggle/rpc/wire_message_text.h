// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace gaggle::wire {

// The percent-encoding of `grpc-message`: every byte outside 0x20-0x7E, and '%', becomes "%XX". See
// gRPC over HTTP2, "Status-Message".

// Trailers must fit the peer's header list limit (8 KiB with many), so a status message is cut to so
// many encoded bytes.
inline constexpr size_t kMaxMessageTextBytes = 4096;

// Whether the text can travel as it is, which most messages can.
bool message_text_is_plain(std::string_view text) noexcept;

// Appends `text` encoded, in at most `limit` bytes: a longer one is cut between two UTF-8
// characters, and never within an escape. Bytes that aren't UTF-8 travel too.
void encode_message_text(std::string_view text, std::string& out, size_t limit = kMaxMessageTextBytes);

// The text again. Never fails: a '%' that isn't followed by two hex digits stays as it is.
std::string decode_message_text(std::string_view encoded);

}  // namespace gaggle::wire
