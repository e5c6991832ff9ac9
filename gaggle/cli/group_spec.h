// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "gaggle/base/result.h"
#include "gaggle/cache/group.h"

namespace gaggle::cli {

// What `--group NAME=ORIGIN[,option=value]...` asks for.
//
// The first '=' ends NAME. Only what stands at the very end as `,max_bytes=SIZE` or `,ttl=DURATION`
// is an option, in any order, each at most once; any other comma belongs to the origin, so that SQL
// needs no quoting. Origins:
//   file:DIR                   the file below DIR whose path is the key
//   sqlite:FILE?query=SQL      the first column of the row that SQL, with the key as its parameter, gives
struct GroupSpec {
  enum class Origin { kFile, kSqlite };

  std::string name;
  Origin origin = Origin::kFile;
  std::string path;   // DIR or FILE
  std::string query;  // sqlite only
  cache::GroupOptions options;
};

// INVALID_ARGUMENT says what is wrong, for the person who wrote it.
Result<GroupSpec> parse_group_spec(std::string_view text);

}  // namespace gaggle::cli
