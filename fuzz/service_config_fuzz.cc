// SPDX-License-Identifier: Apache-2.0
// A service config comes from name servers, that is from anybody: no text breaks the reader, and what
// it accepts can be looked up and read again.
//
// Input: the text.
#include <cstdlib>
#include <string_view>

#include "gaggle/rpc/service_config.h"

using namespace gaggle;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto config = ServiceConfig::parse(text);
  if (!config) {
    if (config.error().code() != StatusCode::kInvalidArgument) std::abort();
    return 0;
  }
  const std::string_view methods[] = {"/a.B/C", "/a.B/D", "/c.D/E", "", "/", text};
  for (const std::string_view method : methods) {
    const MethodConfig* found = (*config)->method_config(method);
    if (found == nullptr) continue;
    if (found->retry && (found->retry->max_attempts < 2 || found->retry->codes.empty())) std::abort();
    if (found->retry && found->hedging) std::abort();
    if (found->timeout && *found->timeout < Duration::zero()) std::abort();
  }
  const auto again = ServiceConfig::parse(text);
  if (!again || !(**config == **again)) std::abort();
  return 0;
}
