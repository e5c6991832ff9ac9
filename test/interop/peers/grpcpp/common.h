// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpc/grpc.h>

#include <cstdint>
#include <fstream>
#include <map>
#include <sstream>
#include <string>

// grpc++ tells nobody whether a message came compressed, except through this function of its core's
// own tests: the flags of the call's last message.
uint32_t grpc_call_test_only_get_message_flags(grpc_call* call);

namespace interop {

inline bool last_was_compressed(grpc_call* call) {
  // Set by whoever took the compression away again.
  constexpr uint32_t kWasCompressed = 0x40000000u;
  return (grpc_call_test_only_get_message_flags(call) & kWasCompressed) != 0;
}

// --name=value of the command line.
inline std::map<std::string, std::string> flags_of(int argc, char** argv) {
  std::map<std::string, std::string> flags;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const size_t equals = word.find('=');
    if (word.starts_with("--") && equals != std::string::npos)
      flags[word.substr(2, equals - 2)] = word.substr(equals + 1);
  }
  return flags;
}

inline std::string content_of(const std::string& path) {
  std::ifstream in(path);
  std::stringstream out;
  out << in.rdbuf();
  return out.str();
}

}  // namespace interop
