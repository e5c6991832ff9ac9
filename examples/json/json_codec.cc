// SPDX-License-Identifier: Apache-2.0
#include "json_codec.h"

#include <google/protobuf/message.h>
#include <google/protobuf/util/json_util.h>

#include <string>

#include "gaggle/rpc/protobuf.h"

using gaggle::Bytes;
using gaggle::Status;

// JSON needs names of fields, which messages of the lite runtime don't have.
static Status no_json(gaggle::ConstMessage message) {
  return Status::internal("no JSON for messages of type " + std::string(message.type->name));
}

gaggle::Result<Bytes> JsonCodec::marshal(gaggle::ConstMessage message) const {
  const auto* object = dynamic_cast<const google::protobuf::Message*>(gaggle::protobuf_message(message));
  if (object == nullptr) return no_json(message);
  std::string text;
  const auto done = google::protobuf::util::MessageToJsonString(*object, &text);
  if (!done.ok()) return Status::internal("no JSON: " + std::string(done.message()));
  return Bytes::take(std::move(text));
}

Status JsonCodec::unmarshal(Bytes encoded, gaggle::Message message) const {
  auto* object = dynamic_cast<google::protobuf::Message*>(gaggle::protobuf_message(message));
  if (object == nullptr) return no_json(message);
  object->Clear();
  const auto done = google::protobuf::util::JsonStringToMessage(std::string(encoded.view()), object);
  return done.ok() ? Status::ok() : Status::internal("not this message in JSON: " + std::string(done.message()));
}
