// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "gaggle/http2/header_field.h"
#include "gaggle/http2/hpack_prepared.h"
#include "gaggle/http2/hpack_static_table.h"
#include "gaggle/http2/hpack_table.h"
#include "gaggle/http2/output_buffer.h"

namespace gaggle::http2 {

// When a string is worth Huffman coding. It never is if it gets longer.
enum class HuffmanUse : uint8_t {
  kNever,
  kIndexed,  // for literals that enter the table: sent once, used often
  kAlways,   // for slow networks: some 20 % fewer bytes in fields that are not indexed
};

struct HpackEncoderOptions {
  // Upper bound for our dynamic table, whatever the peer's SETTINGS_HEADER_TABLE_SIZE allows.
  uint32_t max_table_size_bytes = kDefaultHeaderTableSize;
  HuffmanUse huffman = HuffmanUse::kIndexed;
};

// Encodes header blocks (RFC 7541), one encoder per connection.
//
// Each call of encode() appends one complete header block; blocks must reach the peer in the order
// they were encoded, and none may be dropped. Fields that change with each call should say
// kNoIndex, or they push everything else out of the table. Values that were indexed once cost one
// byte. Allocates for the table, its entries and `out` only, and nothing before the first block. Not
// thread-safe.
class HpackEncoder {
 public:
  static constexpr uint32_t kPreparedSlots = 16;

  explicit HpackEncoder(const HpackEncoderOptions& options = {});
  HpackEncoder(const HpackEncoder&) = delete;
  HpackEncoder& operator=(const HpackEncoder&) = delete;

  void encode(std::span<const HeaderOut> fields, OutputBuffer& out);
  void encode(const PreparedHeaders& prepared, OutputBuffer& out) { encode(prepared, {}, out); }
  // One block of both: first `prepared`, then `rest`.
  void encode(const PreparedHeaders& prepared, std::span<const HeaderOut> rest, OutputBuffer& out);

  // The peer's SETTINGS_HEADER_TABLE_SIZE, when it arrives. 4096 before. The next block begins
  // with the size updates that follow from it.
  void set_peer_table_size(uint32_t bytes);

  // Gives back the cache of prepared blocks and the dynamic table, all it has on the heap: the next block
  // tells the peer to empty its own (RFC 7541 §4.2: a size of zero, then the real one), and what it
  // has is sent in full once more.
  void release_idle_memory();

  const HpackTable& table() { return work().table; }
  // Heap bytes held now.
  size_t memory_bytes() const;

 private:
  // The encoded form of a PreparedHeaders, good as long as the table stays what it was.
  struct PreparedBytes {
    const PreparedHeaders* owner = nullptr;
    uint64_t fingerprint = 0;
    uint64_t epoch = 0;
    uint8_t size = 0;
    std::array<uint8_t, 23> bytes{};
  };
  // What an encoder works with, which an idle one has none of.
  struct Work {
    HpackEntryPool entries;
    HpackTable table{entries};
    // Fingerprint of each entry, in the place that it has in the table.
    std::unique_ptr<uint32_t[]> fingerprints;
    std::unique_ptr<PreparedBytes[]> prepared;
    uint32_t prepared_slots = 0;  // as many as are used, up to kPreparedSlots
  };
  Work& work() {
    if (work_ == nullptr) begin_work();
    return *work_;
  }
  void begin_work();
  PreparedBytes& prepared_slot(uint32_t slot);

  void write_size_updates(OutputBuffer& out);
  void write_prepared(const PreparedHeaders& prepared, OutputBuffer& out);
  void write_field(const HeaderOut& field, OutputBuffer& out);
  void write_literal(const HeaderOut& field, uint32_t name_index, Indexing indexing, OutputBuffer& out);
  HpackMatch find(const HeaderOut& field, uint32_t fingerprint) const;
  void insert(const HeaderOut& field, uint32_t fingerprint);

  HpackEncoderOptions options_;
  std::unique_ptr<Work> work_;
  uint32_t size_ = kDefaultHeaderTableSize;           // of the table
  uint32_t signaled_size_ = kDefaultHeaderTableSize;  // what the peer knows
  uint32_t smallest_size_ = kDefaultHeaderTableSize;  // since it was told
};

}  // namespace gaggle::http2
