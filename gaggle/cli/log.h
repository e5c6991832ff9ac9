// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "gaggle/base/log.h"

namespace spdlog {
class logger;
}

namespace gaggle::cli {

// Writes the library's messages to standard error, by way of spdlog; from any thread. Outlives
// whatever has its log().
class StandardErrorLog {
 public:
  StandardErrorLog();
  ~StandardErrorLog();
  Log log() const noexcept;

 private:
  std::unique_ptr<spdlog::logger> logger_;
};

}  // namespace gaggle::cli
