// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace demo {

// Reads the keys of a trace in the order of its requests: big-endian 32-bit integers, nothing else.
// Throws std::runtime_error when the file can't be read.
std::vector<uint32_t> read_trace(const std::string& file);

}  // namespace demo
