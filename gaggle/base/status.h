// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace gaggle {

// The seventeen gRPC status codes, with the numbers that travel in `grpc-status`.
enum class StatusCode : uint8_t {
  kOk = 0,
  kCancelled = 1,
  kUnknown = 2,
  kInvalidArgument = 3,
  kDeadlineExceeded = 4,
  kNotFound = 5,
  kAlreadyExists = 6,
  kPermissionDenied = 7,
  kResourceExhausted = 8,
  kFailedPrecondition = 9,
  kAborted = 10,
  kOutOfRange = 11,
  kUnimplemented = 12,
  kInternal = 13,
  kUnavailable = 14,
  kDataLoss = 15,
  kUnauthenticated = 16,
};

// The canonical upper-case name ("NOT_FOUND"); "UNKNOWN" for a number outside the table.
std::string_view status_code_name(StatusCode code) noexcept;

// The outcome of an operation: OK, or a code with a message that says what to do.
//
// One pointer wide; OK is null and costs nothing to make, copy or test. A non-OK status shares an
// immutable, atomically counted record, so it may be copied between threads.
//
// `details()` is the serialised `google.rpc.Status` of `grpc-status-details-bin`, or empty.
class [[nodiscard]] Status {
 public:
  Status() noexcept = default;  // OK
  // A `code` of kOk gives OK and drops the message.
  Status(StatusCode code, std::string_view message, std::string_view details = {});

  Status(const Status& other) noexcept : record_(other.record_) {
    if (record_ != nullptr) share_record();
  }
  Status(Status&& other) noexcept : record_(std::exchange(other.record_, nullptr)) {}
  Status& operator=(const Status& other) noexcept { return *this = Status(other); }
  Status& operator=(Status&& other) noexcept {
    Status taken(std::move(other));
    std::swap(record_, taken.record_);
    return *this;
  }
  ~Status() {
    if (record_ != nullptr) drop_record();
  }

  static Status ok() noexcept { return {}; }
  static Status cancelled(std::string_view message) { return {StatusCode::kCancelled, message}; }
  static Status unknown(std::string_view message) { return {StatusCode::kUnknown, message}; }
  static Status invalid_argument(std::string_view message) { return {StatusCode::kInvalidArgument, message}; }
  static Status deadline_exceeded(std::string_view message) { return {StatusCode::kDeadlineExceeded, message}; }
  static Status not_found(std::string_view message) { return {StatusCode::kNotFound, message}; }
  static Status already_exists(std::string_view message) { return {StatusCode::kAlreadyExists, message}; }
  static Status permission_denied(std::string_view message) { return {StatusCode::kPermissionDenied, message}; }
  static Status resource_exhausted(std::string_view message) { return {StatusCode::kResourceExhausted, message}; }
  static Status failed_precondition(std::string_view message) { return {StatusCode::kFailedPrecondition, message}; }
  static Status aborted(std::string_view message) { return {StatusCode::kAborted, message}; }
  static Status out_of_range(std::string_view message) { return {StatusCode::kOutOfRange, message}; }
  static Status unimplemented(std::string_view message) { return {StatusCode::kUnimplemented, message}; }
  static Status internal(std::string_view message) { return {StatusCode::kInternal, message}; }
  static Status unavailable(std::string_view message) { return {StatusCode::kUnavailable, message}; }
  static Status data_loss(std::string_view message) { return {StatusCode::kDataLoss, message}; }
  static Status unauthenticated(std::string_view message) { return {StatusCode::kUnauthenticated, message}; }

  bool is_ok() const noexcept { return record_ == nullptr; }
  explicit operator bool() const noexcept { return is_ok(); }
  StatusCode code() const noexcept;
  std::string_view message() const noexcept;
  std::string_view details() const noexcept;

  // "NOT_FOUND: no such group" or "OK", for people and logs.
  std::string to_string() const;

  // Equal when code, message and details are.
  friend bool operator==(const Status& a, const Status& b) noexcept;

 private:
  struct Record;
  void share_record() noexcept;
  void drop_record() noexcept;

  Record* record_ = nullptr;
};

}  // namespace gaggle
