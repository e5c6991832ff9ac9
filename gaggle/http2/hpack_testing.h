// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gaggle/http2/header_block.h"
#include "gaggle/http2/hpack_decoder.h"
#include "gaggle/http2/hpack_encoder.h"

// What HPACK's tests share: blocks written by hand, and fields that print well.
namespace gaggle::http2::testing {

// Names and values with bytes of their own.
using Fields = std::vector<std::pair<std::string, std::string>>;

Fields fields_of(const HeaderBlock& block);
// The entries of a table, newest first.
Fields entries_of(const HpackTable& table);

// "82 86 84" or "828684", spaces wherever.
std::vector<uint8_t> hex(std::string_view digits);

// Header blocks, representation by representation; nothing stops it from writing wrong ones.
class BlockWriter {
 public:
  BlockWriter& indexed(uint32_t index);
  BlockWriter& size_update(uint32_t bytes);
  BlockWriter& literal(std::string_view name, std::string_view value, Indexing indexing = Indexing::kIndex,
                       bool huffman = false);
  BlockWriter& literal(uint32_t name_index, std::string_view value, Indexing indexing = Indexing::kIndex,
                       bool huffman = false);
  BlockWriter& bytes(std::span<const uint8_t> raw);
  BlockWriter& bytes(std::string_view hex_digits) { return bytes(std::span<const uint8_t>(hex(hex_digits))); }

  std::span<const uint8_t> block() const { return block_; }
  operator std::span<const uint8_t>() const { return block_; }

 private:
  void integer(uint8_t pattern, int prefix_bits, uint32_t value);
  void string(std::string_view text, bool huffman);

  std::vector<uint8_t> block_;
};

// What a block decodes to: its fields, or the error by name.
struct Outcome {
  HpackError error = HpackError::kOk;
  Fields fields;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};
std::ostream& operator<<(std::ostream& out, const Outcome& outcome);

Outcome decode(HpackDecoder& decoder, std::span<const uint8_t> block);

// Header lists as gRPC peers send them, with names and values that repeat, and some that don't.
class RandomFields {
 public:
  explicit RandomFields(uint64_t seed) : random_(seed) {}

  size_t below(size_t bound) { return std::uniform_int_distribution<size_t>(0, bound - 1)(random_); }
  bool one_in(size_t n) { return below(n) == 0; }
  std::string text(size_t max_size);
  std::vector<uint8_t> bytes(size_t size);
  Fields list(size_t max_count);
  Indexing indexing();

 private:
  std::mt19937_64 random_;
};

std::vector<HeaderOut> to_send(const Fields& fields, RandomFields& random);

}  // namespace gaggle::http2::testing

namespace gaggle::http2 {
std::ostream& operator<<(std::ostream& out, HpackError error);
}  // namespace gaggle::http2
