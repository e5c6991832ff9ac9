// SPDX-License-Identifier: Apache-2.0
#include "gaggle/http2/hpack_encoder.h"

#include <algorithm>
#include <bit>
#include <cassert>

#include "gaggle/http2/hpack_fingerprint.h"
#include "gaggle/http2/hpack_static_table.h"
#include "gaggle/http2/hpack_writer.h"

namespace gaggle::http2 {
namespace {

// First bytes of the representations, and the bits they leave for the integer (RFC 7541 §6).
struct Representation {
  uint8_t pattern;
  int prefix_bits;
};
constexpr Representation kIndexedField{0x80, 7};
constexpr Representation kLiteralIndexed{0x40, 6};
constexpr Representation kLiteralPlain{0x00, 4};
constexpr Representation kLiteralNever{0x10, 4};
constexpr Representation kSizeUpdate{0x20, 5};

constexpr Representation representation(Indexing indexing) {
  switch (indexing) {
    case Indexing::kIndex: return kLiteralIndexed;
    case Indexing::kNoIndex: return kLiteralPlain;
    case Indexing::kNeverIndexed: break;
  }
  return kLiteralNever;
}

// The name in the upper half, the value in the lower one. A known id is its own hash.
uint32_t fingerprint_of(const HeaderOut& field) {
  const auto id = static_cast<uint32_t>(field.id);
  const bool known = field.id > HeaderName::kOtherPseudo;
  const uint32_t name = known ? id : 0x8000 | static_cast<uint32_t>(hpack::hash(field.name) & 0x7fff);
  return name << 16 | static_cast<uint32_t>(hpack::hash(field.value) & 0xffff);
}

[[maybe_unused]] bool id_is_right(const HeaderOut& field) {
  return field.id == HeaderName::kOther || field.id == find_header_name(field.name);
}

}  // namespace

HpackEncoder::HpackEncoder(const HpackEncoderOptions& options) : options_(options) {
  set_peer_table_size(kDefaultHeaderTableSize);
}

void HpackEncoder::set_peer_table_size(uint32_t bytes) {
  const uint32_t size = std::min(bytes, options_.max_table_size_bytes);
  smallest_size_ = std::min(smallest_size_, size);
  if (size == size_) return;
  size_ = size;
  if (work_ != nullptr) work_->table.set_max_size(size);
}

void HpackEncoder::begin_work() {
  work_ = std::make_unique<Work>();
  if (size_ != kDefaultHeaderTableSize) work_->table.set_max_size(size_);
}

void HpackEncoder::encode(std::span<const HeaderOut> fields, OutputBuffer& out) {
  write_size_updates(out);
  static_cast<void>(work());
  for (const HeaderOut& field : fields) write_field(field, out);
}

void HpackEncoder::encode(const PreparedHeaders& prepared, std::span<const HeaderOut> rest, OutputBuffer& out) {
  write_size_updates(out);
  static_cast<void>(work());
  write_prepared(prepared, out);
  for (const HeaderOut& field : rest) write_field(field, out);
}

// RFC 7541 §4.2: of several changes since the last block, the smallest size must be signalled,
// and the final one: at most two updates.
void HpackEncoder::write_size_updates(OutputBuffer& out) {
  const uint32_t size = size_;
  if (size == signaled_size_ && smallest_size_ >= signaled_size_) [[likely]]
    return;
  uint8_t* const begin = out.reserve(2 * hpack::kMaxIntegerBytes);
  uint8_t* end = begin;
  if (smallest_size_ < size && smallest_size_ < signaled_size_) {
    end = hpack::write_integer(end, kSizeUpdate.pattern, kSizeUpdate.prefix_bits, smallest_size_);
  }
  end = hpack::write_integer(end, kSizeUpdate.pattern, kSizeUpdate.prefix_bits, size);
  out.commit(static_cast<size_t>(end - begin));
  signaled_size_ = smallest_size_ = size;
}

void HpackEncoder::write_prepared(const PreparedHeaders& prepared, OutputBuffer& out) {
  PreparedBytes& known = prepared_slot(prepared.slot() % kPreparedSlots);
  const HpackTable& table = work_->table;
  if (known.epoch == table.epoch() && known.owner == &prepared && known.fingerprint == prepared.fingerprint()) {
    out.append(known.bytes.data(), known.size);
    return;
  }
  const uint64_t epoch = table.epoch();
  const size_t begin = out.size();
  for (const HeaderOut& field : prepared.fields()) write_field(field, out);
  const size_t size = out.size() - begin;
  if (epoch != table.epoch() || size > known.bytes.size()) return;
  known.owner = &prepared;
  known.fingerprint = prepared.fingerprint();
  known.epoch = epoch;
  known.size = static_cast<uint8_t>(size);
  std::copy_n(out.data() + begin, size, known.bytes.begin());
}

HpackEncoder::PreparedBytes& HpackEncoder::prepared_slot(uint32_t slot) {
  Work& work = *work_;
  if (slot >= work.prepared_slots) {
    const uint32_t slots = std::bit_ceil(slot + 1);
    auto grown = std::make_unique<PreparedBytes[]>(slots);
    std::copy_n(work.prepared.get(), work.prepared_slots, grown.get());
    work.prepared = std::move(grown);
    work.prepared_slots = slots;
  }
  return work.prepared[slot];
}

void HpackEncoder::write_field(const HeaderOut& field, OutputBuffer& out) {
  assert(id_is_right(field));
  const uint32_t fingerprint = fingerprint_of(field);
  const HpackMatch match = find(field, fingerprint);
  if (match.index != 0 && field.indexing != Indexing::kNeverIndexed) {
    uint8_t* const begin = out.reserve(hpack::kMaxIntegerBytes);
    const uint8_t* const end =
        hpack::write_integer(begin, kIndexedField.pattern, kIndexedField.prefix_bits, match.index);
    out.commit(static_cast<size_t>(end - begin));
    return;
  }
  // What would take more than half of the table isn't worth what it evicts.
  Indexing indexing = field.indexing;
  const uint64_t size = header_field_size_bytes(field.name, field.value);
  if (indexing == Indexing::kIndex && size > size_ / 2) indexing = Indexing::kNoIndex;
  write_literal(field, match.name_index, indexing, out);
  if (indexing == Indexing::kIndex) insert(field, fingerprint);
}

void HpackEncoder::write_literal(const HeaderOut& field, uint32_t name_index, Indexing indexing, OutputBuffer& out) {
  const bool huffman = options_.huffman == HuffmanUse::kAlways ||
                       (options_.huffman == HuffmanUse::kIndexed && indexing == Indexing::kIndex);
  const Representation form = representation(indexing);
  uint8_t* const begin = out.reserve(hpack::max_field_bytes(field.name, field.value));
  uint8_t* end = hpack::write_integer(begin, form.pattern, form.prefix_bits, name_index);
  if (name_index == 0) end = hpack::write_string(end, field.name, huffman);
  end = hpack::write_string(end, field.value, huffman);
  out.commit(static_cast<size_t>(end - begin));
}

HpackMatch HpackEncoder::find(const HeaderOut& field, uint32_t fingerprint) const {
  HpackMatch match = find_static(field.id, field.name, field.value);
  if (match.index != 0) return match;
  const HpackTable& table = work_->table;
  const uint32_t mask = table.slots() - 1;
  for (size_t i = 0; i < table.count(); ++i) {
    const uint32_t difference = work_->fingerprints[(table.inserted() - 1 - i) & mask] ^ fingerprint;
    if (difference >> 16 != 0) continue;
    const HpackEntry& entry = table[i];
    if (entry.name() != field.name) continue;
    const auto index = static_cast<uint32_t>(kStaticTableSize + 1 + i);
    if (match.name_index == 0) match.name_index = index;
    if (difference != 0 || entry.value() != field.value) continue;
    match.index = index;
    break;
  }
  return match;
}

void HpackEncoder::insert(const HeaderOut& field, uint32_t fingerprint) {
  HpackTable& table = work_->table;
  auto& fingerprints = work_->fingerprints;
  const uint32_t before = table.slots();
  table.insert({.name = field.name, .value = field.value, .id = field.id});
  const uint32_t slots = table.slots();
  if (slots != before) {
    auto grown = std::make_unique<uint32_t[]>(slots);
    for (uint64_t i = table.inserted() - table.count(); i + 1 != table.inserted(); ++i) {
      grown[i & (slots - 1)] = fingerprints[i & (before - 1)];
    }
    fingerprints = std::move(grown);
  }
  fingerprints[(table.inserted() - 1) & (slots - 1)] = fingerprint;
}

void HpackEncoder::release_idle_memory() {
  if (work_ == nullptr) return;
  if (work_->table.count() != 0) smallest_size_ = 0;
  work_.reset();
}

size_t HpackEncoder::memory_bytes() const {
  if (work_ == nullptr) return 0;
  const Work& work = *work_;
  return sizeof work + work.entries.memory_bytes() + work.table.memory_bytes() + work.table.slots() * sizeof(uint32_t) +
         work.prepared_slots * sizeof(PreparedBytes);
}

}  // namespace gaggle::http2
