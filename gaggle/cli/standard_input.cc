// SPDX-License-Identifier: Apache-2.0
#include "gaggle/cli/standard_input.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>

namespace gaggle::cli {
namespace {

Status failed() { return Status::unavailable(std::string("standard input: ") + std::strerror(errno)); }

}  // namespace

StandardInput::StandardInput(int descriptor) : descriptor_(descriptor), stop_(::eventfd(0, EFD_CLOEXEC)) {}

Result<std::string_view> StandardInput::read() {
  for (;;) {
    std::array<pollfd, 2> waiting{{{descriptor_, POLLIN, 0}, {stop_.get(), POLLIN, 0}}};
    if (::poll(waiting.data(), waiting.size(), -1) < 0) {
      if (errno == EINTR) continue;
      return failed();
    }
    if (waiting[1].revents != 0) return std::string_view();
    const ssize_t bytes = ::read(descriptor_, buffer_.data(), buffer_.size());
    if (bytes >= 0) return std::string_view(buffer_.data(), static_cast<size_t>(bytes));
    if (errno != EINTR && errno != EAGAIN) return failed();
  }
}

void StandardInput::stop() noexcept {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(stop_.get(), &one, sizeof one);
}

}  // namespace gaggle::cli
