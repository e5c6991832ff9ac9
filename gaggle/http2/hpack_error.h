// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

namespace gaggle::http2 {

// Why a header block cannot be decoded. All but kOk are connection errors of type
// COMPRESSION_ERROR (RFC 9113 §4.3): after one, the decoder must not be used again.
enum class [[nodiscard]] HpackError : uint8_t {
  kOk,
  kBadIndex,             // index 0, or beyond both tables
  kBadHuffman,           // EOS in a string, or padding that is not up to 7 one bits
  kIntegerTooLarge,      // beyond 32 bits, or padded to more than 5 continuation bytes
  kTruncated,            // the block ends inside a field or a string
  kSizeUpdateTooLarge,   // beyond our SETTINGS_HEADER_TABLE_SIZE
  kSizeUpdateMisplaced,  // after the first field of the block
  kTooManySizeUpdates,   // more than two in one block
  kMissingSizeUpdate,    // our setting shrank the table and the peer did not say it followed
};

// For logs and GOAWAY debug data; static storage.
constexpr std::string_view describe(HpackError error) {
  switch (error) {
    case HpackError::kOk: return "no error";
    case HpackError::kBadIndex: return "index outside the static and dynamic tables";
    case HpackError::kBadHuffman: return "invalid Huffman code or padding";
    case HpackError::kIntegerTooLarge: return "integer too large or too long";
    case HpackError::kTruncated: return "header block ends inside a field";
    case HpackError::kSizeUpdateTooLarge: return "table size update above the setting";
    case HpackError::kSizeUpdateMisplaced: return "table size update after a field";
    case HpackError::kTooManySizeUpdates: return "more than two table size updates in a block";
    case HpackError::kMissingSizeUpdate: return "table size update expected and not sent";
  }
  return "unknown error";
}

}  // namespace gaggle::http2
