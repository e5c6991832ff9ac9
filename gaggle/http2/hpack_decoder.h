// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "gaggle/http2/header_block.h"
#include "gaggle/http2/header_block_pool.h"
#include "gaggle/http2/hpack_error.h"
#include "gaggle/http2/hpack_memo.h"
#include "gaggle/http2/hpack_table.h"

namespace gaggle::http2 {

class HpackReader;

struct HpackDecoderOptions {
  // Fields stored per block; more are decoded, counted and dropped.
  uint32_t max_fields = 128;
  // Sizes in the sense of SETTINGS_MAX_HEADER_LIST_SIZE: name + value + 32 for each field.
  uint32_t soft_limit_bytes = 8 * 1024;
  uint32_t hard_limit_bytes = 16 * 1024;
  // Remember whole blocks. Off only to compare.
  bool memo = true;
};

// Decodes header blocks (RFC 7541), one decoder per connection.
//
// decode() takes a whole block: the connection joins HEADERS with its CONTINUATIONs, and bounds
// them. A block that refers to what the tables have costs a few nanoseconds per field, because an
// entry of the dynamic table holds its field parsed. A block that is identical to a recent one,
// and meets the same tables, costs one comparison: see HpackMemo.
//
// Memory: a few hundred bytes before the first block, and nothing is allocated in steady state; at
// most about 1.6 times the block plus max_fields * 48 bytes for one block, whatever it expands to.
// Not thread-safe. Blocks handed out may outlive the decoder.
class HpackDecoder {
 public:
  explicit HpackDecoder(const HpackDecoderOptions& options = {});
  HpackDecoder(const HpackDecoder&) = delete;
  HpackDecoder& operator=(const HpackDecoder&) = delete;

  // Decodes one complete header block. `out` is set if and only if kOk comes back. Limits are no
  // errors: the block says which it exceeds, and the next block decodes as if nothing had been.
  HpackError decode(std::span<const uint8_t> block, HeaderBlockRef& out);

  // Our SETTINGS_HEADER_TABLE_SIZE, from the moment the peer has acknowledged it. 4096 before.
  // If this shrinks the table, the peer has to begin its next block with a size update.
  void set_table_size_limit(uint32_t bytes);

  // Gives back what only speeds up a busy connection: pooled blocks and entries, remembered
  // blocks. The dynamic table stays, it is part of the protocol.
  void release_idle_memory();

  // Advances with everything that changes how a block decodes.
  uint64_t epoch() const { return table_.epoch(); }
  const HpackTable& table() const { return table_; }
  uint64_t memo_hits() const { return memo_.hits(); }
  // Heap bytes held now by the table, the pools and the memo; blocks in use are not counted.
  size_t memory_bytes() const;

 private:
  HpackError decode_block(std::span<const uint8_t> block, HeaderBlockBuilder& builder);
  HpackError read_field(HpackReader& reader, HeaderBlockBuilder& builder);
  HpackError read_indexed(HpackReader& reader, HeaderBlockBuilder& builder);
  HpackError read_literal(HpackReader& reader, HeaderBlockBuilder& builder);
  HpackError read_name(HpackReader& reader, HeaderBlockBuilder& builder, int prefix_bits, HeaderField& field,
                       HpackEntry*& named_by);
  HpackError read_size_update(HpackReader& reader);

  HpackDecoderOptions options_;
  HeaderBlockPool::Owner pool_;
  HpackTable table_;
  HpackMemo memo_;
  uint32_t table_size_limit_ = kDefaultHeaderTableSize;
  // The smallest limit since the last block; a size update that goes at least as low must begin
  // the next block if the table is larger than that.
  uint32_t smallest_limit_ = kDefaultHeaderTableSize;
};

}  // namespace gaggle::http2
