// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <google/protobuf/any.pb.h>
#include <google/protobuf/message_lite.h>

#include <concepts>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gaggle/base/result.h"
#include "gaggle/base/status.h"

namespace gaggle {

// Typed details of errors: messages of any type that travel with a status, in
// `grpc-status-details-bin`, as a google.rpc.Status whose code and message are the status' own.
//
//   google::rpc::BadRequest bad;                      // of googleapis, or of gaggle::error_details
//   bad.add_field_violations()->set_field("name");
//   co_return status_with_details(StatusCode::kInvalidArgument, "no name", {&bad});
//   …
//   if (auto why = error_detail<google::rpc::BadRequest>(status)) show(*why);
//
// All are functions without state: from any thread.

// A kOk code gives OK, which carries no details. The messages are encoded here and not kept; one that
// lacks a required field, or that is null, makes the status INTERNAL.
Status status_with_details(StatusCode code, std::string_view message,
                           std::initializer_list<const google::protobuf::MessageLite*> details);

// The same status with one more detail behind those that it has. What it had is dropped if it can't
// be decoded.
Status with_detail(const Status& status, const google::protobuf::MessageLite& detail);

// All details of a status, in order; none if it has none. DATA_LOSS when they can't be decoded, or
// belong to another status: their code or message isn't this one's.
Result<std::vector<google::protobuf::Any>> error_details(const Status& status);

// "google.rpc.BadRequest": what the detail is, or empty when its URL names no type.
std::string_view error_detail_type(const google::protobuf::Any& detail) noexcept;

// The first detail of type T, or nothing: also when details are corrupt.
template <std::derived_from<google::protobuf::MessageLite> T>
std::optional<T> error_detail(const Status& status) {
  const Result<std::vector<google::protobuf::Any>> details = error_details(status);
  if (!details) return std::nullopt;
  T found;
  for (const google::protobuf::Any& each : *details) {
    if (error_detail_type(each) != found.GetTypeName()) continue;
    if (found.ParsePartialFromString(each.value()) && found.IsInitialized()) return found;
  }
  return std::nullopt;
}

}  // namespace gaggle
