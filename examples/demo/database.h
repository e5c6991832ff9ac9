// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace demo {

// Makes the origin: a table `pages` with one row for each key that is in `keys`, its value some
// hundred bytes that follow from the key. Gives the number of rows. Throws std::runtime_error.
size_t populate(const std::string& file, const std::vector<uint32_t>& keys);

// All rows: what the cluster's answers are checked against.
std::unordered_map<uint32_t, std::string> read_rows(const std::string& file);

}  // namespace demo
