// SPDX-License-Identifier: Apache-2.0
#include "gaggle/net/system_error.h"

#include <string>
#include <system_error>

namespace gaggle {

Status system_error(StatusCode code, std::string_view what, int error_number) {
  std::string message(what);
  message.append(": ").append(std::generic_category().message(error_number));
  return {code, message};
}

}  // namespace gaggle
