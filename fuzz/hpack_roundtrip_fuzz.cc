// SPDX-License-Identifier: Apache-2.0
// Fields through our encoder, then through our decoder and nghttp2's: both must get back what went
// in, and both ends' tables must stay equal. Prepared lists must mean what their fields do.
//
// Input: operations. 0: a new table size, 2 bytes. 1: send a prepared list; the next byte says
// which. 2: release idle memory. Else: a block of (operation % 8) fields, each a byte of flags,
// then name and value: a byte of length and the bytes, or a reference to a usual string.
#include <nghttp2/nghttp2.h>

#include <cstdlib>
#include <span>
#include <string>
#include <vector>

#include "gaggle/http2/hpack_decoder.h"
#include "gaggle/http2/hpack_encoder.h"
#include "gaggle/http2/hpack_nghttp2_testing.h"

namespace {

using namespace gaggle::http2;
using Fields = testing::Nghttp2Inflater::Fields;

void require(bool holds) {
  if (!holds) std::abort();
}

class Input {
 public:
  explicit Input(std::span<const uint8_t> bytes) : bytes_(bytes) {}
  bool empty() const { return bytes_.empty(); }
  uint8_t byte() {
    if (bytes_.empty()) return 0;
    const uint8_t byte = bytes_.front();
    bytes_ = bytes_.subspan(1);
    return byte;
  }
  std::string text() {
    static constexpr std::string_view kUsual[] = {
        ":method", "POST",     ":path",        "/",           ":status", "200", "content-type", "application/grpc",
        "te",      "trailers", "grpc-timeout", "grpc-status", "0",       "x-a", "x-b",          "cookie"};
    const uint8_t length = byte();
    if (length >= 0xf0) return std::string(kUsual[length - 0xf0]);
    const size_t size = std::min<size_t>(length, bytes_.size());
    std::string text(bytes_.begin(), bytes_.begin() + static_cast<ptrdiff_t>(size));
    bytes_ = bytes_.subspan(size);
    return text;
  }

 private:
  std::span<const uint8_t> bytes_;
};

class Pair {
 public:
  explicit Pair(uint8_t flags) : encoder_({.huffman = static_cast<HuffmanUse>(flags % 3)}) {
    prepared_.emplace_back(0,
                           std::initializer_list<HeaderOut>{{":status", "200"}, {"content-type", "application/grpc"}});
    prepared_.emplace_back(1, std::initializer_list<HeaderOut>{{"grpc-status", "0"}});
    prepared_.emplace_back(17, std::initializer_list<HeaderOut>{{"grpc-status", "13"},
                                                                {"x-a", "0", HeaderName::kOther, Indexing::kNoIndex}});
  }

  void set_table_size(uint32_t bytes) {
    decoder_.set_table_size_limit(bytes);
    oracle_.set_table_size_limit(bytes);
    encoder_.set_peer_table_size(bytes);
  }

  void release() {
    encoder_.release_idle_memory();
    decoder_.release_idle_memory();
  }

  void send_prepared(uint8_t which) {
    const PreparedHeaders& prepared = prepared_[which % prepared_.size()];
    Fields fields;
    for (const HeaderOut& field : prepared.fields()) fields.emplace_back(field.name, field.value);
    OutputBuffer out;
    encoder_.encode(prepared, out);
    check(fields, out);
  }

  void send(const Fields& fields, const std::vector<uint8_t>& flags) {
    std::vector<HeaderOut> list;
    for (size_t i = 0; i < fields.size(); ++i) {
      const auto& [name, value] = fields[i];
      list.push_back({.name = name,
                      .value = value,
                      .id = (flags[i] & 4) != 0 ? find_header_name(name) : HeaderName::kOther,
                      .indexing = static_cast<Indexing>((flags[i] & 3) % 3)});
    }
    OutputBuffer out;
    encoder_.encode(list, out);
    check(fields, out);
  }

 private:
  void check(const Fields& fields, const OutputBuffer& out) {
    HeaderBlockRef block;
    require(decoder_.decode(out.bytes(), block) == HpackError::kOk);
    require(block->fields().size() == fields.size());
    for (size_t i = 0; i < fields.size(); ++i) {
      const HeaderField& field = block->fields()[i];
      require(field.name == fields[i].first && field.value == fields[i].second);
      require(field.id == find_header_name(field.name));
    }
    require(oracle_.decode(out.bytes()) == fields);
    require(encoder_.table().count() == decoder_.table().count());
    require(encoder_.table().size_bytes() == decoder_.table().size_bytes());
  }

  HpackEncoder encoder_;
  HpackDecoder decoder_{{.max_fields = 1000, .soft_limit_bytes = 1 << 30, .hard_limit_bytes = 1 << 30}};
  testing::Nghttp2Inflater oracle_;
  std::vector<PreparedHeaders> prepared_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Input input({data, size});
  Pair pair(input.byte());
  while (!input.empty()) {
    const uint8_t operation = input.byte();
    if (operation == 0) {
      const uint32_t high = input.byte();
      pair.set_table_size(high << 8 | input.byte());
    } else if (operation == 1) {
      pair.send_prepared(input.byte());
    } else if (operation == 2) {
      pair.release();
    } else {
      Fields fields(operation % 8);
      std::vector<uint8_t> flags;
      for (auto& [name, value] : fields) {
        flags.push_back(input.byte());
        name = input.text();
        value = input.text();
      }
      pair.send(fields, flags);
    }
  }
  return 0;
}
