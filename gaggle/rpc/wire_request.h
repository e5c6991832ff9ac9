// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace gaggle::wire {

inline constexpr std::string_view kContentType = "application/grpc";

// The subtype of a gRPC content type: "proto" of "application/grpc+proto", empty for plain
// "application/grpc", "application/grpc+" and "application/grpc;charset=utf-8". Nullopt when it isn't
// gRPC: "application/grpc-web" and "application/grpcfoo" aren't. Case of the type doesn't matter.
std::optional<std::string_view> content_subtype(std::string_view content_type) noexcept;

// Case of the subtype doesn't matter either (RFC 9110 §8.3.1); it's sent in lower case.
bool same_subtype(std::string_view a, std::string_view b) noexcept;
std::string lower_case(std::string_view text);

// Replaces `out` by the content type with that subtype, in lower case.
void write_content_type(std::string_view subtype, std::string& out);

// The two names in a :path.
struct MethodPath {
  std::string_view service;  // "package.Service"; may itself have slashes
  std::string_view method;   // "Method"
};

// Splits "/package.Service/Method" at its last slash. Nullopt when the first slash is missing or one
// of the names is empty; a server answers UNIMPLEMENTED then.
std::optional<MethodPath> split_path(std::string_view path) noexcept;

// Whether it may be sent as `:authority`: visible ASCII without spaces. What else it's good for, the server
// knows.
bool authority_can_travel(std::string_view authority) noexcept;

// Whether a client may send `path`: it splits, and every byte is visible ASCII, so that it can be
// neither an illegal header nor two paths in one.
bool path_can_travel(std::string_view path) noexcept;

// Whether `path` is "/Service/Method" in the one form that everybody reads alike: two names of visible
// ASCII, neither "." nor "..", without '%', '?', '#' or '\\', and no slash but the two. A server that
// answers or passes on names it doesn't know takes no others, so that whoever decides by the name
// (an interceptor, a tap, the server behind a proxy) can't be shown another one.
bool path_is_canonical(std::string_view path) noexcept;

}  // namespace gaggle::wire
