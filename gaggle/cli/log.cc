// SPDX-License-Identifier: Apache-2.0
#include "gaggle/cli/log.h"

#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_color_sinks.h>

namespace gaggle::cli {
namespace {

spdlog::level::level_enum level_of(LogLevel level) noexcept {
  switch (level) {
    case LogLevel::kDebug: return spdlog::level::debug;
    case LogLevel::kInfo: return spdlog::level::info;
    case LogLevel::kWarning: return spdlog::level::warn;
    case LogLevel::kError: break;
  }
  return spdlog::level::err;
}

void write(void* logger, LogLevel level, std::string_view line) {
  static_cast<spdlog::logger*>(logger)->log(level_of(level), spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace

StandardErrorLog::StandardErrorLog()
    : logger_(std::make_unique<spdlog::logger>("gaggle", std::make_shared<spdlog::sinks::stderr_color_sink_mt>())) {}

StandardErrorLog::~StandardErrorLog() = default;

Log StandardErrorLog::log() const noexcept {
  return {.sink = write, .user = logger_.get(), .minimum = LogLevel::kInfo};
}

}  // namespace gaggle::cli
