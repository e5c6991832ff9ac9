// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "gaggle/base/result.h"

namespace gaggle {

// A parsed name of a connection's far side: what resolves it, by whose authority, and what to ask.
//
// "scheme://authority/endpoint" or "scheme:endpoint", with the escapes and the query rules of a URL
// (RFC 3986): "%25" stands for a percent sign, and '?' or '#' ends the endpoint. See gRPC naming.md.
struct Target {
  std::string scheme;     // lower case
  std::string authority;  // who is to be asked (a name server); mostly empty
  std::string endpoint;   // without the '/' that separates it from the authority

  // The absolute path that a `scheme:/path` or `scheme:///path` spells, or the relative one of
  // `scheme:path`: what file-like schemes want instead of `endpoint`.
  std::string path;

  // The form that was understood in the end: with the default scheme, if that was needed.
  std::string canonical;
};

// Parses `text`. When its scheme isn't known (or it has none, as in "host:port"), all of it is taken
// as the endpoint of `default_scheme`. INVALID_ARGUMENT for what is no URL in either reading, and
// when the default scheme itself isn't known.
Result<Target> parse_target(std::string_view text, std::string_view default_scheme,
                            const std::function<bool(std::string_view scheme)>& is_known);

// The :authority of calls to this target unless something overrides it: the endpoint, a bare port
// completed with "localhost", bytes that can't stand in an authority percent-encoded.
std::string default_authority(const Target& target);

}  // namespace gaggle
