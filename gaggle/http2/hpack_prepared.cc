// SPDX-License-Identifier: Apache-2.0
#include "gaggle/http2/hpack_prepared.h"

#include "gaggle/http2/hpack_fingerprint.h"

namespace gaggle::http2 {

PreparedHeaders::PreparedHeaders(uint32_t slot, std::span<const HeaderOut> fields) : slot_(slot) {
  size_t bytes = 0;
  for (const HeaderOut& field : fields) bytes += field.name.size() + field.value.size();
  bytes_.reserve(bytes);  // the views below point into it
  const auto own = [this](std::string_view text) {
    const size_t offset = bytes_.size();
    bytes_.insert(bytes_.end(), text.begin(), text.end());
    return std::string_view(bytes_.data() + offset, text.size());
  };
  fields_.reserve(fields.size());
  for (const HeaderOut& field : fields) {
    list_size_bytes_ += header_field_size_bytes(field.name, field.value);
    fingerprint_ = hpack::hash(field.name, fingerprint_ * 31 + static_cast<uint64_t>(field.indexing));
    fingerprint_ = hpack::hash(field.value, fingerprint_ * 31);
    fields_.push_back({.name = own(field.name),
                       .value = own(field.value),
                       .id = find_header_name(field.name),
                       .indexing = field.indexing});
  }
}

}  // namespace gaggle::http2
