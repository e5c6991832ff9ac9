// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/thrown.h"

#include <exception>
#include <string>

namespace gaggle {

Status status_of_thrown(std::string_view who) noexcept {
  std::string text(who);
  try {
    throw;
  } catch (const std::exception& thrown) {
    text.append(" threw an exception: ").append(thrown.what());
  } catch (...) {
    text.append(" threw something that is no std::exception");
  }
  return Status::internal(text);
}

}  // namespace gaggle
