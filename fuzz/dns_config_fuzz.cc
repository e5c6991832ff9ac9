// SPDX-License-Identifier: Apache-2.0
// TXT records come from name servers, that is from anybody: no list of choices breaks the reader, and
// who asks decides only which choice counts, never whether the list is a good one.
//
// Input: what stands behind "grpc_config=".
#include <cstdlib>
#include <string>
#include <vector>

#include "gaggle/rpc/resolver/dns_config.h"

using namespace gaggle;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::vector<std::string> records = {"grpc_config=" + std::string(reinterpret_cast<const char*>(data), size)};
  for (const uint32_t percentile : {0u, 50u, 99u}) {
    const auto config = choose_dns_config(records, {.host_name = "canary", .percentile = percentile});
    if (config && !config->is_ok() && config->error().code() != StatusCode::kInvalidArgument) std::abort();
  }
  return 0;
}
