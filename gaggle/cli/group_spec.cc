// SPDX-License-Identifier: Apache-2.0
#include "gaggle/cli/group_spec.h"

#include <utility>

#include "gaggle/cli/units.h"

namespace gaggle::cli {
namespace {

constexpr std::string_view kFile = "file:";
constexpr std::string_view kSqlite = "sqlite:";
constexpr std::string_view kQuery = "?query=";

Status error(std::string_view group, std::string_view what) {
  return Status::invalid_argument("--group " + std::string(group) + ": " + std::string(what));
}

struct TrailingOptions {
  bool max_bytes = false;
  bool ttl = false;
};

Status set_size(std::string_view value, bool& seen, GroupSpec& spec) {
  if (std::exchange(seen, true)) return error(spec.name, "max_bytes is given twice");
  const Result<size_t> size = parse_size(value);
  if (!size) return error(spec.name, "max_bytes: " + std::string(size.error().message()));
  if (*size == 0) return error(spec.name, "max_bytes must be above zero");
  spec.options.max_bytes = *size;
  return {};
}

Status set_ttl(std::string_view value, bool& seen, GroupSpec& spec) {
  if (std::exchange(seen, true)) return error(spec.name, "ttl is given twice");
  const Result<Duration> ttl = parse_duration(value);
  if (!ttl) return error(spec.name, "ttl: " + std::string(ttl.error().message()));
  if (*ttl == Duration::zero()) return error(spec.name, "ttl must be above zero");
  spec.options.ttl = *ttl;
  return {};
}

// Takes the options off the end of `rest`, the last one first.
Status take_options(std::string_view& rest, GroupSpec& spec) {
  TrailingOptions seen;
  for (;;) {
    const size_t comma = rest.rfind(',');
    if (comma == std::string_view::npos) return {};
    const std::string_view option = rest.substr(comma + 1);
    Status status;
    if (option.starts_with("max_bytes=")) {
      status = set_size(option.substr(10), seen.max_bytes, spec);
    } else if (option.starts_with("ttl=")) {
      status = set_ttl(option.substr(4), seen.ttl, spec);
    } else {
      return {};
    }
    if (!status) return status;
    rest = rest.substr(0, comma);
  }
}

Status take_origin(std::string_view origin, GroupSpec& spec) {
  if (origin.starts_with(kFile)) {
    spec.origin = GroupSpec::Origin::kFile;
    spec.path = origin.substr(kFile.size());
    return spec.path.empty() ? error(spec.name, "file: needs a directory") : Status::ok();
  }
  if (!origin.starts_with(kSqlite)) {
    return error(spec.name, "the origin is file:DIR or sqlite:FILE?query=SQL, not \"" + std::string(origin) + "\"");
  }
  const std::string_view rest = origin.substr(kSqlite.size());
  const size_t query = rest.find(kQuery);
  if (query == std::string_view::npos || query + kQuery.size() == rest.size()) {
    return error(spec.name, "sqlite: needs a query: sqlite:FILE?query=SELECT v FROM t WHERE k=?");
  }
  spec.origin = GroupSpec::Origin::kSqlite;
  spec.path = rest.substr(0, query);
  spec.query = rest.substr(query + kQuery.size());
  return spec.path.empty() ? error(spec.name, "sqlite: needs a database file") : Status::ok();
}

}  // namespace

Result<GroupSpec> parse_group_spec(std::string_view text) {
  const size_t equals = text.find('=');
  if (equals == std::string_view::npos) {
    return Status::invalid_argument("--group: \"" + std::string(text) + "\" has no '='; write NAME=ORIGIN");
  }
  if (equals == 0) return Status::invalid_argument("--group: the name before the first '=' is empty");
  GroupSpec spec;
  spec.name = text.substr(0, equals);
  std::string_view rest = text.substr(equals + 1);
  if (Status status = take_options(rest, spec); !status) return status;
  if (Status status = take_origin(rest, spec); !status) return status;
  return spec;
}

}  // namespace gaggle::cli
