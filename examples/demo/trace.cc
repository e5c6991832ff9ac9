// SPDX-License-Identifier: Apache-2.0
#include "trace.h"

#include <fstream>
#include <iterator>
#include <stdexcept>

namespace demo {

std::vector<uint32_t> read_trace(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  const std::vector<char> bytes{std::istreambuf_iterator<char>(in), {}};
  if (!in.good() && bytes.empty()) throw std::runtime_error("the trace " + file + " can't be read");
  std::vector<uint32_t> keys;
  for (size_t at = 0; at + 4 <= bytes.size(); at += 4) {
    uint32_t key = 0;
    for (size_t i = 0; i < 4; ++i) key = key << 8 | static_cast<uint8_t>(bytes[at + i]);
    keys.push_back(key);
  }
  return keys;
}

}  // namespace demo
