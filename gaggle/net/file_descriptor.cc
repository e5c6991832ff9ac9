// SPDX-License-Identifier: Apache-2.0
#include "gaggle/net/file_descriptor.h"

#include <unistd.h>

namespace gaggle {

void FileDescriptor::reset(int descriptor) noexcept {
  // After EINTR the descriptor is closed on Linux; trying again could close somebody else's.
  if (descriptor_ >= 0) ::close(descriptor_);
  descriptor_ = descriptor;
}

}  // namespace gaggle
