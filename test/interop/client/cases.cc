// SPDX-License-Identifier: Apache-2.0
#include "client/cases.h"

namespace gaggle::interop {

const Case* find_case(std::string_view name) {
  for (const std::span<const Case> cases : {unary_cases(), streaming_cases(), compression_cases(), ending_cases(),
                                            soak_cases(), load_report_cases(), http2_cases()}) {
    for (const Case& one : cases) {
      if (one.name == name) return &one;
    }
  }
  return nullptr;
}

}  // namespace gaggle::interop
