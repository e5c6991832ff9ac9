// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <vector>

#include "gaggle/http2/header_field.h"

namespace gaggle::http2 {

// Fields that are made once and sent many times, such as `:status: 200` with `content-type:
// application/grpc`, or a client method's whole set of pseudo-headers.
//
// As soon as an encoder has all of them in its tables it keeps the encoded bytes (HpackEncoder),
// and sending them is a copy of one byte per field. Immutable after construction, owns its bytes,
// may be shared by all threads; must outlive the encoders that it is given to, or at least stay
// unused by them afterwards.
class PreparedHeaders {
 public:
  // `slot` says where encoders keep the bytes: give lists that are in use together different
  // slots. Any number will do, encoders take it modulo kPreparedSlots; a collision costs time.
  PreparedHeaders(uint32_t slot, std::span<const HeaderOut> fields);
  PreparedHeaders(uint32_t slot, std::initializer_list<HeaderOut> fields)
      : PreparedHeaders(slot, std::span(fields.begin(), fields.size())) {}
  PreparedHeaders(PreparedHeaders&&) = default;
  PreparedHeaders& operator=(PreparedHeaders&&) = default;

  std::span<const HeaderOut> fields() const { return fields_; }
  uint32_t slot() const { return slot_; }
  // Identifies the contents, in place of the address.
  uint64_t fingerprint() const { return fingerprint_; }
  // As SETTINGS_MAX_HEADER_LIST_SIZE counts.
  uint64_t list_size_bytes() const { return list_size_bytes_; }

 private:
  uint32_t slot_;
  uint64_t fingerprint_ = 0;
  uint64_t list_size_bytes_ = 0;
  std::vector<char> bytes_;
  std::vector<HeaderOut> fields_;
};

}  // namespace gaggle::http2
