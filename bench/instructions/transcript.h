// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace bench {

// What a client sends for unary calls of benchpb.Bench/Unary on one connection, byte for byte the same in every run.
// Its first call puts the header fields into HPACK's table, the later ones refer to them, as real clients do.
class Transcript {
 public:
  // Preface, SETTINGS, room for all answers.
  static std::string opening();
  // The next call; `timeout`: with a grpc-timeout that no call before it had.
  std::string call(bool timeout);

 private:
  std::uint32_t calls_ = 0;
};

}  // namespace bench
