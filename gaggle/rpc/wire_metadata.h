// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace gaggle {
class Metadata;
}

namespace gaggle::wire {

// What metadata looks like on the wire. See gRPC over HTTP2, "Custom-Metadata".

// Lower-case letters, digits, '_', '-', '.'; at least one.
bool valid_metadata_key(std::string_view key) noexcept;
// Printable ASCII, 0x20 to 0x7E, without a space at either end (HTTP would strip it).
bool valid_metadata_text(std::string_view value) noexcept;
// The key ends in "-bin": its values are any bytes, base64 on the wire.
inline bool is_binary_key(std::string_view key) noexcept { return key.ends_with("-bin"); }

// Names that applications may not send: pseudo-headers, what HTTP/2 forbids, the call's own headers
// and every "grpc-" but grpc-previous-rpc-attempts and grpc-retry-pushback-ms. `key` in lower case.
bool is_reserved_key(std::string_view key) noexcept;

// Names that the runtime consumes, so that they aren't shown as custom metadata of a received
// message. ":authority" and "user-agent" are shown, unknown "grpc-" names too.
bool is_consumed_key(std::string_view key) noexcept;

// The wire form of one value: `value` itself for a plain key, else base64 in `buffer` (overwritten).
// The view is of one of the two.
std::string_view wire_value(std::string_view key, std::string_view value, std::string& buffer);

// Adds a received field to `metadata`: a plain value without surrounding spaces and tabs, whatever
// its bytes; a "-bin" value split at its commas (a proxy may have joined several) and decoded. False,
// and nothing added, when that isn't base64; the call fails with INTERNAL then.
[[nodiscard]] bool add_wire_field(std::string_view key, std::string_view value, Metadata& metadata);

// Takes the piece before the first comma off `rest` and gives it without surrounding spaces and tabs.
std::string_view take_piece(std::string_view& rest) noexcept;

}  // namespace gaggle::wire
