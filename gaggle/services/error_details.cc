// SPDX-License-Identifier: Apache-2.0
#include "gaggle/services/error_details.h"

#include <utility>

#include "gaggle_status.pb.h"

namespace gaggle {
namespace {

using google::protobuf::Any;
using google::protobuf::MessageLite;
using status::v1::StatusDetails;

constexpr std::string_view kTypeUrlPrefix = "type.googleapis.com/";

bool pack(const MessageLite& detail, StatusDetails& into) {
  if (!detail.IsInitialized()) return false;
  Any& any = *into.add_details();
  any.set_type_url(std::string(kTypeUrlPrefix) + detail.GetTypeName());
  return detail.SerializeToString(any.mutable_value());
}

Status cannot_pack() { return Status::internal("a detail of the status can't be encoded"); }

void fill(StatusCode code, std::string_view message, StatusDetails& details) {
  details.set_code(static_cast<int32_t>(code));
  details.set_message(std::string(message));
}

}  // namespace

Status status_with_details(StatusCode code, std::string_view message,
                           std::initializer_list<const MessageLite*> details) {
  StatusDetails encoded;
  fill(code, message, encoded);
  for (const MessageLite* detail : details) {
    if (detail == nullptr || !pack(*detail, encoded)) return cannot_pack();
  }
  return {code, message, encoded.SerializeAsString()};
}

Status with_detail(const Status& status, const MessageLite& detail) {
  StatusDetails encoded;
  fill(status.code(), status.message(), encoded);
  Result<std::vector<Any>> old = error_details(status);
  if (old) {
    for (Any& each : *old) *encoded.add_details() = std::move(each);
  }
  if (!pack(detail, encoded)) return cannot_pack();
  return {status.code(), status.message(), encoded.SerializeAsString()};
}

Result<std::vector<Any>> error_details(const Status& status) {
  if (status.details().empty()) return std::vector<Any>();
  StatusDetails encoded;
  if (!encoded.ParseFromString(std::string(status.details()))) {
    return Status::data_loss("the status' details can't be decoded");
  }
  if (encoded.code() != static_cast<int32_t>(status.code()) || encoded.message() != status.message()) {
    return Status::data_loss("the details belong to another status: " + std::to_string(encoded.code()) + " \"" +
                             encoded.message() + "\"");
  }
  return std::vector<Any>(encoded.details().begin(), encoded.details().end());
}

std::string_view error_detail_type(const Any& detail) noexcept {
  const std::string_view url = detail.type_url();
  const size_t slash = url.rfind('/');
  return slash == std::string_view::npos ? std::string_view{} : url.substr(slash + 1);
}

}  // namespace gaggle
