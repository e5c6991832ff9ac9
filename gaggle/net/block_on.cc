// SPDX-License-Identifier: Apache-2.0
#include "gaggle/net/block_on.h"

#include <string>

namespace gaggle {

Status status_of(std::exception_ptr error) noexcept {
  try {
    std::rethrow_exception(std::move(error));
  } catch (const std::exception& e) {
    return Status::unknown(std::string("an exception was thrown: ") + e.what());
  } catch (...) {
    return Status::unknown("an exception was thrown that isn't a std::exception");
  }
}

}  // namespace gaggle
