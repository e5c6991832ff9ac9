// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/credentials/call_credentials.h"

namespace gaggle {

std::string service_url(const CallCredentialsRequest& request) {
  std::string_view host = request.authority;
  if (host.ends_with(":443")) host.remove_suffix(4);
  return std::string("https://").append(host).append(request.method.substr(0, request.method.rfind('/')));
}

}  // namespace gaggle
