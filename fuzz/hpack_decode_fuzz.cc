// SPDX-License-Identifier: Apache-2.0
// A sequence of header blocks and settings: a decoder that remembers blocks, one that doesn't, one
// with small limits, and nghttp2's inflater must agree.
//
// Input: operations, each a byte. 0: a new table size limit follows, 2 bytes. 1: release idle
// memory. 2: decode the block of a byte-many blocks ago again. Else: a block of that many bytes,
// less 2, follows.
#include <nghttp2/nghttp2.h>

#include <cstdlib>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "gaggle/http2/hpack_decoder.h"
#include "gaggle/http2/hpack_nghttp2_testing.h"

namespace {

using namespace gaggle::http2;
using Fields = testing::Nghttp2Inflater::Fields;

constexpr HpackDecoderOptions kNoLimits{
    .max_fields = 1 << 20, .soft_limit_bytes = 1 << 30, .hard_limit_bytes = 1 << 30};
constexpr HpackDecoderOptions kNoMemo{
    .max_fields = 1 << 20, .soft_limit_bytes = 1 << 30, .hard_limit_bytes = 1 << 30, .memo = false};
constexpr HpackDecoderOptions kSmall{.max_fields = 3, .soft_limit_bytes = 100, .hard_limit_bytes = 150};

void require(bool holds) {
  if (!holds) std::abort();
}

Fields fields_of(const HeaderBlock& block) {
  Fields fields;
  for (const HeaderField& field : block.fields()) fields.emplace_back(field.name, field.value);
  return fields;
}

void require_same(const HpackTable& a, const HpackTable& b) {
  require(a.count() == b.count() && a.size_bytes() == b.size_bytes());
  require(a.size_bytes() <= a.max_size_bytes());
  for (size_t i = 0; i < a.count(); ++i) {
    require(a[i].name() == b[i].name() && a[i].value() == b[i].value());
  }
}

class Comparison {
 public:
  void set_table_size_limit(uint32_t bytes) {
    with_memo_.set_table_size_limit(bytes);
    without_memo_.set_table_size_limit(bytes);
    small_.set_table_size_limit(bytes);
    if (oracle_) oracle_->set_table_size_limit(bytes);
  }

  void release() { with_memo_.release_idle_memory(); }

  void decode(std::span<const uint8_t> block) {
    HeaderBlockRef ours;
    HeaderBlockRef plain;
    HeaderBlockRef cut;
    const HpackError error = with_memo_.decode(block, ours);
    require(without_memo_.decode(block, plain) == error);
    require(small_.decode(block, cut) == error);
    require_same(with_memo_.table(), without_memo_.table());
    require_same(with_memo_.table(), small_.table());
    compare_with_oracle(block, error, ours.get());
    if (error != HpackError::kOk) return;

    const Fields fields = fields_of(*ours);
    require(fields == fields_of(*plain));
    require(ours->problems() == plain->problems() && ours->names() == plain->names());
    require(ours->list_size_bytes() == cut->list_size_bytes());
    require(ours->field_count() == cut->field_count());
    const Fields kept = fields_of(*cut);
    require(kept.size() <= fields.size() && std::equal(kept.begin(), kept.end(), fields.begin()));
    require(cut->is_truncated() || kept.size() == fields.size());
    blocks_.push_back(std::move(ours));
    if (blocks_.size() > 16) blocks_.erase(blocks_.begin());
  }

 private:
  void compare_with_oracle(std::span<const uint8_t> block, HpackError error, HeaderBlock* ours) {
    if (!oracle_) return;
    const std::optional<Fields> theirs = oracle_->decode(block);
    if (error == HpackError::kOk) {
      require(theirs.has_value() && *theirs == fields_of(*ours));
    } else {
      require(!theirs || testing::is_allowed_difference(error));
      oracle_.reset();  // of no use after an error; ours must stay safe even then
    }
  }

  HpackDecoder with_memo_{kNoLimits};
  HpackDecoder without_memo_{kNoMemo};
  HpackDecoder small_{kSmall};
  std::optional<testing::Nghttp2Inflater> oracle_{std::in_place};
  std::vector<HeaderBlockRef> blocks_;  // kept, so that their views meet evictions
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::span<const uint8_t> input(data, size);
  Comparison comparison;
  std::vector<std::vector<uint8_t>> history;
  const auto next = [&input] {
    if (input.empty()) return uint8_t{0};
    const uint8_t byte = input.front();
    input = input.subspan(1);
    return byte;
  };
  while (!input.empty()) {
    const uint8_t operation = next();
    if (operation == 0) {
      const uint32_t high = next();
      comparison.set_table_size_limit(high << 8 | next());
    } else if (operation == 1) {
      comparison.release();
    } else if (operation == 2) {
      if (!history.empty()) comparison.decode(history[history.size() - 1 - next() % history.size()]);
    } else {
      const size_t length = std::min<size_t>(operation - 2u, input.size());
      history.emplace_back(input.begin(), input.begin() + static_cast<ptrdiff_t>(length));
      input = input.subspan(length);
      comparison.decode(history.back());
    }
  }
  return 0;
}
