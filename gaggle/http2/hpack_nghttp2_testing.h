// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nghttp2/nghttp2.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gaggle/http2/hpack_error.h"

// libnghttp2's HPACK as an oracle for ours.
namespace gaggle::http2::testing {

class Nghttp2Inflater {
 public:
  using Fields = std::vector<std::pair<std::string, std::string>>;

  Nghttp2Inflater() {
    nghttp2_hd_inflater* made = nullptr;
    nghttp2_hd_inflate_new(&made);
    inflater_.reset(made);
  }

  // The fields of a whole block; nothing if nghttp2 calls it an error.
  std::optional<Fields> decode(std::span<const uint8_t> block) {
    Fields fields;
    for (;;) {
      nghttp2_nv field;
      int flags = 0;
      const ssize_t used = nghttp2_hd_inflate_hd2(inflater_.get(), &field, &flags, block.data(), block.size(), 1);
      if (used < 0) return std::nullopt;
      block = block.subspan(static_cast<size_t>(used));
      if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0) {
        fields.emplace_back(std::string(reinterpret_cast<char*>(field.name), field.namelen),
                            std::string(reinterpret_cast<char*>(field.value), field.valuelen));
      }
      if ((flags & NGHTTP2_HD_INFLATE_FINAL) != 0) break;
      if ((flags & NGHTTP2_HD_INFLATE_EMIT) == 0 && block.empty()) break;
    }
    nghttp2_hd_inflate_end_headers(inflater_.get());
    return fields;
  }

  void set_table_size_limit(uint32_t bytes) { nghttp2_hd_inflate_change_table_size(inflater_.get(), bytes); }
  size_t table_bytes() { return nghttp2_hd_inflate_get_dynamic_table_size(inflater_.get()); }

 private:
  struct Free {
    void operator()(nghttp2_hd_inflater* inflater) const { nghttp2_hd_inflate_del(inflater); }
  };
  std::unique_ptr<nghttp2_hd_inflater, Free> inflater_;
};

class Nghttp2Deflater {
 public:
  explicit Nghttp2Deflater(uint32_t max_table_bytes = 4096) {
    nghttp2_hd_deflater* made = nullptr;
    nghttp2_hd_deflate_new(&made, max_table_bytes);
    deflater_.reset(made);
  }

  // `never_indexed` holds for all fields of the block.
  std::vector<uint8_t> encode(const Nghttp2Inflater::Fields& fields, bool never_indexed = false) {
    std::vector<nghttp2_nv> list;
    for (const auto& [name, value] : fields) {
      list.push_back({.name = bytes(name),
                      .value = bytes(value),
                      .namelen = name.size(),
                      .valuelen = value.size(),
                      .flags = static_cast<uint8_t>(never_indexed ? NGHTTP2_NV_FLAG_NO_INDEX : 0)});
    }
    std::vector<uint8_t> block(nghttp2_hd_deflate_bound(deflater_.get(), list.data(), list.size()));
    const ssize_t size = nghttp2_hd_deflate_hd(deflater_.get(), block.data(), block.size(), list.data(), list.size());
    block.resize(size < 0 ? 0 : static_cast<size_t>(size));
    return block;
  }

  void set_peer_table_size(uint32_t bytes) { nghttp2_hd_deflate_change_table_size(deflater_.get(), bytes); }

 private:
  struct Free {
    void operator()(nghttp2_hd_deflater* deflater) const { nghttp2_hd_deflate_del(deflater); }
  };
  static uint8_t* bytes(const std::string& text) {
    return const_cast<uint8_t*>(reinterpret_cast<const uint8_t*>(text.data()));
  }
  std::unique_ptr<nghttp2_hd_deflater, Free> deflater_;
};

// Blocks that we reject although nghttp2 takes them: on purpose, and why. There is no list of the
// opposite, because there is no such block.
struct AllowedDifference {
  HpackError ours;
  std::string_view why;
};

inline constexpr std::array kAllowedDifferences{
    AllowedDifference{HpackError::kTooManySizeUpdates, "RFC 7541 §4.2: \"at most two\" updates; nghttp2 counts none"},
};

inline bool is_allowed_difference(HpackError ours) {
  for (const AllowedDifference& allowed : kAllowedDifferences) {
    if (allowed.ours == ours) return true;
  }
  return false;
}

}  // namespace gaggle::http2::testing
