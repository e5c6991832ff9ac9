// SPDX-License-Identifier: Apache-2.0
#include "gaggle/http2/hpack_testing.h"

#include <ostream>

#include "gaggle/http2/hpack_writer.h"

namespace gaggle::http2 {

std::ostream& operator<<(std::ostream& out, HpackError error) { return out << describe(error); }

namespace testing {

Fields fields_of(const HeaderBlock& block) {
  Fields fields;
  for (const HeaderField& field : block.fields()) fields.emplace_back(field.name, field.value);
  return fields;
}

Fields entries_of(const HpackTable& table) {
  Fields fields;
  for (size_t i = 0; i < table.count(); ++i) fields.emplace_back(table[i].name(), table[i].value());
  return fields;
}

std::vector<uint8_t> hex(std::string_view digits) {
  std::vector<uint8_t> bytes;
  int high = -1;
  for (const char c : digits) {
    if (c == ' ') continue;
    const int digit = c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
    if (high < 0) {
      high = digit;
    } else {
      bytes.push_back(static_cast<uint8_t>(high << 4 | digit));
      high = -1;
    }
  }
  return bytes;
}

void BlockWriter::integer(uint8_t pattern, int prefix_bits, uint32_t value) {
  uint8_t room[hpack::kMaxIntegerBytes];
  block_.insert(block_.end(), room, hpack::write_integer(room, pattern, prefix_bits, value));
}

void BlockWriter::string(std::string_view text, bool huffman) {
  std::vector<uint8_t> room(text.size() + hpack::kMaxIntegerBytes);
  uint8_t* const end = hpack::write_string(room.data(), text, huffman);
  block_.insert(block_.end(), room.data(), end);
}

BlockWriter& BlockWriter::indexed(uint32_t index) {
  integer(0x80, 7, index);
  return *this;
}

BlockWriter& BlockWriter::size_update(uint32_t bytes) {
  integer(0x20, 5, bytes);
  return *this;
}

BlockWriter& BlockWriter::literal(std::string_view name, std::string_view value, Indexing indexing, bool huffman) {
  block_.push_back(indexing == Indexing::kIndex ? 0x40 : indexing == Indexing::kNoIndex ? 0x00 : 0x10);
  string(name, huffman);
  string(value, huffman);
  return *this;
}

BlockWriter& BlockWriter::literal(uint32_t name_index, std::string_view value, Indexing indexing, bool huffman) {
  if (indexing == Indexing::kIndex) {
    integer(0x40, 6, name_index);
  } else {
    integer(indexing == Indexing::kNoIndex ? 0x00 : 0x10, 4, name_index);
  }
  string(value, huffman);
  return *this;
}

BlockWriter& BlockWriter::bytes(std::span<const uint8_t> raw) {
  block_.insert(block_.end(), raw.begin(), raw.end());
  return *this;
}

std::ostream& operator<<(std::ostream& out, const Outcome& outcome) {
  out << outcome.error;
  for (const auto& [name, value] : outcome.fields) out << "\n  " << name << ": " << value;
  return out;
}

Outcome decode(HpackDecoder& decoder, std::span<const uint8_t> block) {
  HeaderBlockRef decoded;
  Outcome outcome{.error = decoder.decode(block, decoded)};
  if (outcome.error == HpackError::kOk) outcome.fields = fields_of(*decoded);
  return outcome;
}

std::string RandomFields::text(size_t max_size) {
  std::string text(below(max_size + 1), ' ');
  const bool any_byte = one_in(4);
  for (char& c : text) c = static_cast<char>(any_byte ? below(256) : 'a' + below(26));
  return text;
}

std::vector<uint8_t> RandomFields::bytes(size_t size) {
  std::vector<uint8_t> bytes(size);
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(below(256));
  return bytes;
}

Fields RandomFields::list(size_t max_count) {
  static constexpr std::string_view kNames[] = {":method",      ":path",        ":status",         "content-type",
                                                "te",           "grpc-timeout", "grpc-status",     "user-agent",
                                                "x-request-id", "x-trace-bin",  "accept-language", "cookie",
                                                "via",          ":unknown",     "authorization"};
  static constexpr std::string_view kValues[] = {"POST",
                                                 "/groupcachepb.GroupCache/Get",
                                                 "200",
                                                 "application/grpc",
                                                 "trailers",
                                                 "100m",
                                                 "0",
                                                 "grpc-go/1.80",
                                                 "",
                                                 "a",
                                                 "0123456789abcdef"};
  Fields fields(below(max_count + 1));
  for (auto& [name, value] : fields) {
    name = one_in(8) ? text(24) : std::string(kNames[below(std::size(kNames))]);
    value = one_in(3) ? text(one_in(20) ? 600 : 30) : std::string(kValues[below(std::size(kValues))]);
  }
  return fields;
}

Indexing RandomFields::indexing() {
  return one_in(3) ? (one_in(2) ? Indexing::kNoIndex : Indexing::kNeverIndexed) : Indexing::kIndex;
}

std::vector<HeaderOut> to_send(const Fields& fields, RandomFields& random) {
  std::vector<HeaderOut> out;
  for (const auto& [name, value] : fields) {
    // The id is a hint: leaving it out must change nothing that the peer sees.
    const HeaderName id = random.one_in(4) ? HeaderName::kOther : find_header_name(name);
    out.push_back({.name = name, .value = value, .id = id, .indexing = random.indexing()});
  }
  return out;
}

}  // namespace testing
}  // namespace gaggle::http2
