// SPDX-License-Identifier: Apache-2.0
#include "gaggle/services/descriptor_index.h"

#include <google/protobuf/descriptor.pb.h>

namespace gaggle {

using google::protobuf::Descriptor;
using google::protobuf::DescriptorPool;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptor;
using google::protobuf::FileDescriptorProto;

Result<const FileDescriptor*> DescriptorIndex::file(const std::string& name) const {
  for (const DescriptorPool* pool : pools_) {
    if (const FileDescriptor* found = pool->FindFileByName(name)) return found;
  }
  return Status::not_found("there is no file \"" + name + "\"");
}

Result<const FileDescriptor*> DescriptorIndex::file_with_symbol(const std::string& symbol) const {
  for (const DescriptorPool* pool : pools_) {
    if (const FileDescriptor* found = pool->FindFileContainingSymbol(symbol)) return found;
  }
  return Status::not_found("there is no symbol \"" + symbol + "\"");
}

Result<const FileDescriptor*> DescriptorIndex::file_with_extension(const std::string& type, int number) const {
  for (const DescriptorPool* pool : pools_) {
    const Descriptor* extended = pool->FindMessageTypeByName(type);
    if (extended == nullptr) continue;
    if (const FieldDescriptor* found = pool->FindExtensionByNumber(extended, number)) return found->file();
  }
  return Status::not_found("there is no extension " + std::to_string(number) + " of \"" + type + "\"");
}

Result<std::set<int>> DescriptorIndex::extension_numbers(const std::string& type) const {
  std::set<int> numbers;
  bool known = false;
  for (const DescriptorPool* pool : pools_) {
    const Descriptor* extended = pool->FindMessageTypeByName(type);
    if (extended == nullptr) continue;
    known = true;
    std::vector<const FieldDescriptor*> found;
    pool->FindAllExtensions(extended, &found);
    for (const FieldDescriptor* extension : found) numbers.insert(extension->number());
  }
  if (!known) return Status::not_found("there is no message type \"" + type + "\"");
  return numbers;
}

std::vector<std::string> SentFiles::encode(const FileDescriptor& file) {
  std::vector<const FileDescriptor*> files{&file};
  names_.insert(file.name());
  for (size_t i = 0; i < files.size(); ++i) {
    for (int j = 0; j < files[i]->dependency_count(); ++j) {
      const FileDescriptor* import = files[i]->dependency(j);
      if (names_.insert(import->name()).second) files.push_back(import);
    }
  }
  std::vector<std::string> encoded;
  for (const FileDescriptor* each : files) {
    FileDescriptorProto proto;
    each->CopyTo(&proto);
    encoded.push_back(proto.SerializeAsString());
  }
  return encoded;
}

}  // namespace gaggle
