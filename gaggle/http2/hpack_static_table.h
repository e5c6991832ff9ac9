// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "gaggle/http2/header_field.h"

namespace gaggle::http2 {

inline constexpr uint32_t kStaticTableSize = 61;

// RFC 7541 Appendix A, parsed. Indices begin with 1; number 0 is not a field.
inline constexpr std::array<HeaderField, kStaticTableSize + 1> kStaticTable{{
    {"", ""},
    {":authority", "", HeaderName::kAuthority},
    {":method", "GET", HeaderName::kMethod},
    {":method", "POST", HeaderName::kMethod},
    {":path", "/", HeaderName::kPath},
    {":path", "/index.html", HeaderName::kPath},
    {":scheme", "http", HeaderName::kScheme},
    {":scheme", "https", HeaderName::kScheme},
    {":status", "200", HeaderName::kStatus},
    {":status", "204", HeaderName::kStatus},
    {":status", "206", HeaderName::kStatus},
    {":status", "304", HeaderName::kStatus},
    {":status", "400", HeaderName::kStatus},
    {":status", "404", HeaderName::kStatus},
    {":status", "500", HeaderName::kStatus},
    {"accept-charset", ""},
    {"accept-encoding", "gzip, deflate"},
    {"accept-language", ""},
    {"accept-ranges", ""},
    {"accept", ""},
    {"access-control-allow-origin", ""},
    {"age", ""},
    {"allow", ""},
    {"authorization", "", HeaderName::kAuthorization},
    {"cache-control", ""},
    {"content-disposition", ""},
    {"content-encoding", ""},
    {"content-language", ""},
    {"content-length", "", HeaderName::kContentLength},
    {"content-location", ""},
    {"content-range", ""},
    {"content-type", "", HeaderName::kContentType},
    {"cookie", "", HeaderName::kCookie},
    {"date", "", HeaderName::kDate},
    {"etag", ""},
    {"expect", ""},
    {"expires", ""},
    {"from", ""},
    {"host", "", HeaderName::kHost},
    {"if-match", ""},
    {"if-modified-since", ""},
    {"if-none-match", ""},
    {"if-range", ""},
    {"if-unmodified-since", ""},
    {"last-modified", ""},
    {"link", ""},
    {"location", ""},
    {"max-forwards", ""},
    {"proxy-authenticate", ""},
    {"proxy-authorization", ""},
    {"range", ""},
    {"referer", ""},
    {"refresh", ""},
    {"retry-after", ""},
    {"server", "", HeaderName::kServer},
    {"set-cookie", ""},
    {"strict-transport-security", ""},
    {"transfer-encoding", "", HeaderName::kTransferEncoding},
    {"user-agent", "", HeaderName::kUserAgent},
    {"vary", ""},
    {"via", ""},
    {"www-authenticate", ""},
}};

// Where the tables have a field: the index of the whole, and of an entry with its name; 0 = none.
struct HpackMatch {
  uint32_t index = 0;
  uint32_t name_index = 0;
};

// `id` may be kOther although the name has one.
HpackMatch find_static(HeaderName id, std::string_view name, std::string_view value);

}  // namespace gaggle::http2
