// SPDX-License-Identifier: Apache-2.0
#include "gaggle/base/status.h"

#include <array>
#include <atomic>

namespace gaggle {

struct Status::Record {
  Record(StatusCode c, std::string_view m, std::string_view d) : code(c), message(m), details(d) {}

  std::atomic<uint32_t> references{1};
  const StatusCode code;
  const std::string message;
  const std::string details;
};

std::string_view status_code_name(StatusCode code) noexcept {
  static constexpr std::array<std::string_view, 17> kNames = {
      "OK",        "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
      "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
      "ABORTED",   "OUT_OF_RANGE",   "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
      "DATA_LOSS", "UNAUTHENTICATED"};
  const auto index = static_cast<size_t>(code);
  return index < kNames.size() ? kNames[index] : kNames[static_cast<size_t>(StatusCode::kUnknown)];
}

Status::Status(StatusCode code, std::string_view message, std::string_view details) {
  if (code != StatusCode::kOk) record_ = new Record(code, message, details);
}

void Status::share_record() noexcept { record_->references.fetch_add(1, std::memory_order_relaxed); }

void Status::drop_record() noexcept {
  if (record_->references.fetch_sub(1, std::memory_order_acq_rel) == 1) delete record_;
}

StatusCode Status::code() const noexcept { return record_ == nullptr ? StatusCode::kOk : record_->code; }

std::string_view Status::message() const noexcept {
  return record_ == nullptr ? std::string_view{} : std::string_view{record_->message};
}

std::string_view Status::details() const noexcept {
  return record_ == nullptr ? std::string_view{} : std::string_view{record_->details};
}

std::string Status::to_string() const {
  std::string text{status_code_name(code())};
  if (!message().empty()) text.append(": ").append(message());
  return text;
}

bool operator==(const Status& a, const Status& b) noexcept {
  if (a.record_ == b.record_) return true;
  return a.code() == b.code() && a.message() == b.message() && a.details() == b.details();
}

}  // namespace gaggle
