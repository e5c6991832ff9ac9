// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <google/protobuf/descriptor.h>

#include <set>
#include <string>
#include <vector>

#include "gaggle/base/result.h"

namespace gaggle {

// Finds descriptors in several pools, the first that has them. NOT_FOUND says what is missing.
// Thread-safe, as the pools are; they outlive it.
class DescriptorIndex {
 public:
  using File = google::protobuf::FileDescriptor;

  explicit DescriptorIndex(std::vector<const google::protobuf::DescriptorPool*> pools) : pools_(std::move(pools)) {}

  Result<const File*> file(const std::string& name) const;
  // Of a service, method, message, field, enum, value or extension, by its full name.
  Result<const File*> file_with_symbol(const std::string& symbol) const;
  Result<const File*> file_with_extension(const std::string& type, int number) const;
  // Of all extensions of a message type that any pool knows, ascending.
  Result<std::set<int>> extension_numbers(const std::string& type) const;

 private:
  const std::vector<const google::protobuf::DescriptorPool*> pools_;
};

// Which files one stream has sent.
class SentFiles {
 public:
  // `file`, and everything that it imports, directly or not, that hasn't been sent, each encoded as a
  // FileDescriptorProto; `file` comes first, and again each time that it's asked for.
  std::vector<std::string> encode(const google::protobuf::FileDescriptor& file);

 private:
  std::set<std::string, std::less<>> names_;
};

}  // namespace gaggle
