// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

namespace gaggle {

enum class LogLevel : uint8_t { kDebug = 0, kInfo = 1, kWarning = 2, kError = 3 };

constexpr std::string_view log_level_name(LogLevel level) noexcept {
  switch (level) {
    case LogLevel::kDebug: return "debug";
    case LogLevel::kInfo: return "info";
    case LogLevel::kWarning: return "warning";
    case LogLevel::kError: return "error";
  }
  return "unknown";
}

// Takes one line, without an end of line. Called from any loop's thread, several at once; must not
// block, throw, or call back into what logs. `line` is valid during the call only.
using LogSink = void (*)(void* user, LogLevel level, std::string_view line);

// Where the library's own messages go: a hook that options carry by value. The default is silence;
// there is no global logger.
//
//   options.log = {.sink = [](void*, LogLevel level, std::string_view line) { spdlog::log(…, line); }};
struct Log {
  LogSink sink = nullptr;
  void* user = nullptr;                // handed to the sink; outlives whatever has this Log
  LogLevel minimum = LogLevel::kInfo;  // lines below it never reach the sink

  // Ask before composing a costly line.
  bool wants(LogLevel level) const noexcept { return sink != nullptr && level >= minimum; }
  void operator()(LogLevel level, std::string_view line) const {
    if (wants(level)) sink(user, level, line);
  }
};

}  // namespace gaggle
