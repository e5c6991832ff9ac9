// SPDX-License-Identifier: Apache-2.0
#include "gaggle/http2/hpack_decoder.h"

#include <algorithm>
#include <cstring>

#include "gaggle/http2/hpack_reader.h"
#include "gaggle/http2/hpack_static_table.h"
#include "gaggle/http2/huffman.h"

namespace gaggle::http2 {
namespace {

// First bytes of the representations (RFC 7541 §6).
constexpr uint8_t kIndexedField = 0x80;
constexpr uint8_t kLiteralIndexed = 0x40;
constexpr uint8_t kSizeUpdate = 0x20;
constexpr uint8_t kLiteralNever = 0x10;

constexpr int kMaxSizeUpdates = 2;

constexpr uint8_t kNameProblems =
    HeaderProblem::kEmptyName | HeaderProblem::kUppercaseName | HeaderProblem::kBadNameCharacter;

bool is_size_update(uint8_t first_byte) { return (first_byte & 0xe0) == kSizeUpdate; }

// The characters of a string, in the block's literals.
HpackError read_text(HpackReader& reader, HeaderBlockBuilder& builder, std::string_view& text) {
  HpackReader::String string;
  if (const HpackError error = reader.read_string(string); error != HpackError::kOk) return error;
  char* const room = builder.literal_room();
  size_t size = string.bytes.size();
  if (string.huffman) {
    const auto decoded = huffman::decode(string.bytes, room);
    if (!decoded) return HpackError::kBadHuffman;
    size = *decoded;
  } else if (size != 0) {
    std::memcpy(room, string.bytes.data(), size);
  }
  builder.commit_literal(size);
  text = {room, size};
  return HpackError::kOk;
}

void parse_name(HeaderField& field) {
  field.id = find_header_name(field.name);
  field.binary = field.name.ends_with("-bin");
  if (field.id <= HeaderName::kOtherPseudo) {
    field.problems = check_header_name(field.name);
  } else {
    field.name = header_name_text(field.id);
  }
}

}  // namespace

HpackDecoder::HpackDecoder(const HpackDecoderOptions& options)
    : options_(options), pool_(HeaderBlockPool::create()), table_(pool_->entries()) {}

HpackError HpackDecoder::decode(std::span<const uint8_t> block, HeaderBlockRef& out) {
  const uint64_t epoch = table_.epoch();
  if (HeaderBlock* known = memo_.find(block, epoch)) {
    out = HeaderBlockRef::share(known);
    return HpackError::kOk;
  }
  HeaderBlockRef decoded = pool_->make();
  HeaderBlockBuilder builder(*decoded, {.max_fields = options_.max_fields,
                                        .soft_limit_bytes = options_.soft_limit_bytes,
                                        .hard_limit_bytes = options_.hard_limit_bytes});
  if (const HpackError error = decode_block(block, builder); error != HpackError::kOk) return error;
  if (options_.memo && table_.epoch() == epoch && !decoded->is_truncated()) {
    memo_.remember(block, epoch, decoded);
  }
  out = std::move(decoded);
  return HpackError::kOk;
}

HpackError HpackDecoder::decode_block(std::span<const uint8_t> block, HeaderBlockBuilder& builder) {
  HpackReader reader(block);
  int size_updates = 0;
  while (!reader.at_end() && is_size_update(reader.peek())) {
    if (++size_updates > kMaxSizeUpdates) return HpackError::kTooManySizeUpdates;
    if (const HpackError error = read_size_update(reader); error != HpackError::kOk) return error;
  }
  // RFC 7541 §4.2: a change of size that the setting forces "MUST be signaled" at "the beginning
  // of the first header block following the change".
  if (table_.max_size_bytes() > smallest_limit_) return HpackError::kMissingSizeUpdate;
  while (!reader.at_end()) {
    if (const HpackError error = read_field(reader, builder); error != HpackError::kOk) return error;
  }
  return HpackError::kOk;
}

HpackError HpackDecoder::read_size_update(HpackReader& reader) {
  uint32_t size;
  if (const HpackError error = reader.read_integer(5, size); error != HpackError::kOk) return error;
  // §6.3: "The new maximum size MUST be lower than or equal to the limit determined by the
  // protocol using HPACK."
  if (size > table_size_limit_) return HpackError::kSizeUpdateTooLarge;
  // §4.2: of several changes, "the smallest maximum table size that occurs in that interval MUST
  // be signaled", and first.
  if (table_.max_size_bytes() > smallest_limit_ && size > smallest_limit_) {
    return HpackError::kMissingSizeUpdate;
  }
  smallest_limit_ = table_size_limit_;
  table_.set_max_size(size);
  return HpackError::kOk;
}

HpackError HpackDecoder::read_field(HpackReader& reader, HeaderBlockBuilder& builder) {
  const uint8_t first = reader.peek();
  if ((first & kIndexedField) != 0) return read_indexed(reader, builder);
  // §4.2: an update "MUST occur at the beginning of the first header block".
  if (is_size_update(first)) return HpackError::kSizeUpdateMisplaced;
  return read_literal(reader, builder);
}

HpackError HpackDecoder::read_indexed(HpackReader& reader, HeaderBlockBuilder& builder) {
  uint32_t index;
  if (const HpackError error = reader.read_integer(7, index); error != HpackError::kOk) return error;
  // §6.1: "The index value of 0 is not used. It MUST be treated as a decoding error".
  if (index == 0) return HpackError::kBadIndex;
  if (index <= kStaticTableSize) {
    builder.add(kStaticTable[index]);
    return HpackError::kOk;
  }
  const uint32_t dynamic = index - kStaticTableSize - 1;
  // §2.3.3: "Indices strictly greater than the sum of the lengths of both tables MUST be treated
  // as a decoding error."
  if (dynamic >= table_.count()) return HpackError::kBadIndex;
  HpackEntry& entry = table_[dynamic];
  builder.add(entry.field(), entry);
  return HpackError::kOk;
}

HpackError HpackDecoder::read_literal(HpackReader& reader, HeaderBlockBuilder& builder) {
  const uint8_t first = reader.peek();
  const bool indexed = (first & kLiteralIndexed) != 0;
  HeaderField field;
  field.never_indexed = !indexed && (first & kLiteralNever) != 0;
  builder.reserve_literals(huffman::decoded_room(reader.left()));
  char* const mark = builder.literal_room();

  HpackEntry* named_by = nullptr;
  if (const HpackError error = read_name(reader, builder, indexed ? 6 : 4, field, named_by); error != HpackError::kOk) {
    return error;
  }
  if (const HpackError error = read_text(reader, builder, field.value); error != HpackError::kOk) {
    return error;
  }
  field.problems |= check_header_value(field.value);

  if (indexed && header_field_size_bytes(field.name, field.value) <= table_.max_size_bytes()) {
    HpackEntry& entry = *table_.insert(field);
    builder.rewind_literals(mark);
    builder.add(entry.field(), entry);
    return HpackError::kOk;
  }
  // A known name is static, and so is one from the static table.
  if (named_by != nullptr && !HpackEntry::has_static_name(field.id)) {
    builder.add(field, *named_by);
  } else {
    builder.add_literal(field, mark);
  }
  // Larger than the table: delivered, and the table is emptied. Only now, the name may be there.
  if (indexed) table_.insert(field);
  return HpackError::kOk;
}

HpackError HpackDecoder::read_name(HpackReader& reader, HeaderBlockBuilder& builder, int prefix_bits,
                                   HeaderField& field, HpackEntry*& named_by) {
  uint32_t index;
  if (const HpackError error = reader.read_integer(prefix_bits, index); error != HpackError::kOk) {
    return error;
  }
  if (index == 0) {
    if (const HpackError error = read_text(reader, builder, field.name); error != HpackError::kOk) {
      return error;
    }
    parse_name(field);
    return HpackError::kOk;
  }
  if (index <= kStaticTableSize) {
    field.name = kStaticTable[index].name;
    field.id = kStaticTable[index].id;
    return HpackError::kOk;
  }
  const uint32_t dynamic = index - kStaticTableSize - 1;
  if (dynamic >= table_.count()) return HpackError::kBadIndex;
  named_by = &table_[dynamic];
  const HeaderField known = named_by->field();
  field.name = known.name;
  field.id = known.id;
  field.binary = known.binary;
  field.problems = known.problems & kNameProblems;
  return HpackError::kOk;
}

void HpackDecoder::set_table_size_limit(uint32_t bytes) {
  table_size_limit_ = bytes;
  smallest_limit_ = std::min(smallest_limit_, bytes);
  table_.advance_epoch();
}

void HpackDecoder::release_idle_memory() {
  memo_.clear();
  pool_->trim();
}

size_t HpackDecoder::memory_bytes() const {
  return pool_->memory_bytes() + table_.memory_bytes() + memo_.memory_bytes();
}

}  // namespace gaggle::http2
