// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace gaggle::cache::v1 {
class StatsResponse;
}

namespace gaggle::cli {

// For people: a counter per line, a column per group.
std::string stats_as_table(const cache::v1::StatsResponse& stats);

// For programs, one object on one line; counters are numbers:
//   {"node":{"self":"a:1","table_version":"f131b978b7dc314e","members":["a:1"]},
//    "groups":[{"name":"scores","gets":7,...,"store":{"bytes":1034,...}}]}
std::string stats_as_json(const cache::v1::StatsResponse& stats);

}  // namespace gaggle::cli
