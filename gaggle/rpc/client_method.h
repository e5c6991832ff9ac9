// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gaggle/http2/hpack_prepared.h"

namespace gaggle {

// The header fields that every call of one method shares, made at the method's first call and kept.
//
// Belongs to one connection's loop. Bounded: a program has so many methods, but a proxy is told
// paths by strangers; what doesn't fit is encoded field by field (find() gives null).
class MethodHeaders {
 public:
  static constexpr size_t kMaxMethods = 1024;

  MethodHeaders(std::string_view scheme, std::string_view authority, std::string_view user_agent,
                std::string_view accept_encoding)
      : scheme_(scheme),
        authority_(authority),
        user_agent_(user_agent),
        accept_encoding_(accept_encoding),
        table_(64) {}

  // Null when there are too many methods already. Valid as long as this object.
  const http2::PreparedHeaders* find(std::string_view method);

  // The same fields, for a call with an authority or a content-type of its own. The views point into
  // this object and the arguments.
  void fields(std::string_view method, std::string_view authority, std::string_view content_type,
              std::vector<http2::HeaderOut>& out) const;

  std::string_view authority() const noexcept { return authority_; }
  size_t size() const noexcept { return methods_; }

 private:
  struct Entry {
    std::string method;
    std::unique_ptr<http2::PreparedHeaders> headers;
  };

  Entry& slot_of(std::string_view method);
  void grow();

  std::string scheme_;
  std::string authority_;
  std::string user_agent_;
  std::string accept_encoding_;
  std::vector<Entry> table_;  // open addressing, a power of two, at most half full
  size_t methods_ = 0;
};

// "gaggle/VERSION", with what the program calls itself in front.
std::string user_agent_text(std::string_view program);

}  // namespace gaggle
