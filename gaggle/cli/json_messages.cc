// SPDX-License-Identifier: Apache-2.0
#include "gaggle/cli/json_messages.h"

#include <google/protobuf/util/json_util.h>

#include <cstdint>
#include <memory>
#include <utility>

namespace gaggle::cli {

using google::protobuf::Message;

Result<Bytes> JsonMessages::encode(std::string_view json) {
  const std::unique_ptr<Message> message(factory_.GetPrototype(&type_)->New());
  const auto parsed = google::protobuf::util::JsonStringToMessage({json.data(), json.size()}, message.get());
  if (!parsed.ok()) {
    return Status::invalid_argument("this is no " + type_.full_name() + ": " + std::string(parsed.message()));
  }
  if (!message->IsInitialized()) {
    return Status::invalid_argument("required fields are missing: " + message->InitializationErrorString());
  }
  return Bytes::take(message->SerializeAsString());
}

Result<std::string> JsonMessages::to_json(const Bytes& encoded) {
  const std::unique_ptr<Message> message(factory_.GetPrototype(&type_)->New());
  const bool parsed =
      encoded.size() <= INT32_MAX && message->ParsePartialFromArray(encoded.data(), static_cast<int>(encoded.size()));
  if (!parsed) return Status::data_loss("what the server sent is no " + type_.full_name());
  std::string json;
  const auto printed = google::protobuf::util::MessageToJsonString(*message, &json);
  if (!printed.ok()) {
    return Status::data_loss("what the server sent can't be shown as JSON: " + std::string(printed.message()));
  }
  return json;
}

}  // namespace gaggle::cli
