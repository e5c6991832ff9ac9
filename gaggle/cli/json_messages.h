// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <google/protobuf/descriptor.h>
#include <google/protobuf/dynamic_message.h>

#include <string>
#include <string_view>

#include "gaggle/base/bytes.h"
#include "gaggle/base/result.h"

namespace gaggle::cli {

// Between JSON and the encoding of one message type that is known at run time only, by protobuf's rules
// for JSON. The type outlives it. One thread at a time.
class JsonMessages {
 public:
  explicit JsonMessages(const google::protobuf::Descriptor& type) : type_(type) {}

  // INVALID_ARGUMENT names the field that doesn't exist, doesn't fit or is required and missing.
  Result<Bytes> encode(std::string_view json);
  // On one line, fields with their default value left out. DATA_LOSS when `encoded` isn't of the type.
  Result<std::string> to_json(const Bytes& encoded);

 private:
  const google::protobuf::Descriptor& type_;
  google::protobuf::DynamicMessageFactory factory_;
};

}  // namespace gaggle::cli
