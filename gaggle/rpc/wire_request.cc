// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/wire_request.h"

#include <algorithm>
#include <iterator>

namespace gaggle::wire {
namespace {

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

std::optional<std::string_view> content_subtype(std::string_view content_type) noexcept {
  if (content_type.size() < kContentType.size()) return std::nullopt;
  if (!std::ranges::equal(content_type.substr(0, kContentType.size()), kContentType, {}, lower)) return std::nullopt;
  std::string_view rest = content_type.substr(kContentType.size());
  // "If Content-Type does not begin with 'application/grpc', gRPC servers SHOULD respond with HTTP
  // status of 415": what begins so but goes on with another letter is another type.
  if (rest.empty() || rest[0] == ';') return std::string_view{};
  if (rest[0] != '+') return std::nullopt;
  rest.remove_prefix(1);
  return rest.substr(0, rest.find_first_of("; \t"));
}

bool same_subtype(std::string_view a, std::string_view b) noexcept {
  return std::ranges::equal(a, b, {}, lower, lower);
}

std::string lower_case(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), lower);
  return result;
}

void write_content_type(std::string_view subtype, std::string& out) {
  out = kContentType;
  if (subtype.empty()) return;
  out += '+';
  std::ranges::transform(subtype, std::back_inserter(out), lower);
}

std::optional<MethodPath> split_path(std::string_view path) noexcept {
  if (path.empty() || path[0] != '/') return std::nullopt;
  size_t slash = path.rfind('/');
  if (slash < 2 || slash + 1 == path.size()) return std::nullopt;
  return MethodPath{path.substr(1, slash - 1), path.substr(slash + 1)};
}

bool path_can_travel(std::string_view path) noexcept {
  return split_path(path).has_value() && std::ranges::all_of(path, [](char c) { return c > 0x20 && c < 0x7F; });
}

bool authority_can_travel(std::string_view authority) noexcept {
  return std::ranges::all_of(authority, [](char c) { return c > 0x20 && c < 0x7F; });
}

bool path_is_canonical(std::string_view path) noexcept {
  constexpr std::string_view kAmbiguous = "%?#\\";
  const auto names = split_path(path);
  if (!names || !path_can_travel(path) || path.find_first_of(kAmbiguous) != path.npos) return false;
  if (names->service.find('/') != std::string_view::npos) return false;
  const auto is_dots = [](std::string_view name) { return name == "." || name == ".."; };
  return !is_dots(names->service) && !is_dots(names->method);
}

}  // namespace gaggle::wire
