// SPDX-License-Identifier: Apache-2.0
#include "gaggle/services/descriptor_collector.h"

#include <algorithm>
#include <utility>

namespace gaggle {
namespace {

using google::protobuf::DescriptorPool;
using google::protobuf::FileDescriptor;
using google::protobuf::FileDescriptorProto;
using google::protobuf::Message;

Status bad_file(std::string_view name, std::string_view what) {
  return Status::data_loss("the server's description of \"" + std::string(name) + "\" " + std::string(what));
}

// Keeps the first of protobuf's complaints.
class FirstError final : public DescriptorPool::ErrorCollector {
 public:
  void AddError(const std::string&, const std::string& element, const Message*, ErrorLocation,
                const std::string& message) override {
    if (text.empty()) text = element + ": " + message;
  }
  std::string text;
};

}  // namespace

Status DescriptorCollector::add(const std::string& encoded) {
  FileProto file;
  if (!file.ParsePartialFromString(encoded) || !file.IsInitialized() || file.name().empty()) {
    return Status::data_loss("the server describes itself with something that is no file descriptor");
  }
  if (files_.contains(file.name())) return Status::ok();
  if (files_left_ == 0 || encoded.size() > bytes_left_) {
    return Status::resource_exhausted("the server's descriptors are larger than this client takes");
  }
  --files_left_;
  bytes_left_ -= encoded.size();
  unchecked_.push_back(file.name());
  std::string name = file.name();
  files_.emplace(std::move(name), std::move(file));
  return Status::ok();
}

std::optional<std::string> DescriptorCollector::missing() {
  while (!unchecked_.empty()) {
    const FileProto& file = files_.find(unchecked_.back())->second;
    for (const std::string& import : file.dependency()) {
      if (files_.contains(import)) continue;
      const FileDescriptor* known =
          import.starts_with("google/protobuf/") ? DescriptorPool::generated_pool()->FindFileByName(import) : nullptr;
      if (known == nullptr) return import;
      known->CopyTo(&files_[import]);
      unchecked_.push_back(import);
      return missing();
    }
    std::erase(unchecked_, file.name());
  }
  return std::nullopt;
}

Status DescriptorCollector::build() {
  for (const auto& [name, file] : files_) {
    if (pool_.FindFileByName(name) != nullptr) continue;
    if (Status status = build_with_imports(file); !status) return status;
  }
  return Status::ok();
}

// By hand instead of recursion: how deep imports go is the server's choice.
Status DescriptorCollector::build_with_imports(const FileProto& first) {
  std::vector<Open> open{{&first, 0}};
  while (!open.empty()) {
    Open& top = open.back();
    if (top.next_import < top.file->dependency_size()) {
      const std::string& import = top.file->dependency(top.next_import++);
      if (pool_.FindFileByName(import) != nullptr) continue;
      if (Status status = push(import, open); !status) return status;
      continue;
    }
    if (Status status = build_one(*top.file); !status) return status;
    open.pop_back();
  }
  return Status::ok();
}

Status DescriptorCollector::push(const std::string& name, std::vector<Open>& open) const {
  const auto found = files_.find(name);
  if (found == files_.end()) return bad_file(name, "is missing");
  if (std::ranges::any_of(open, [&](const Open& each) { return each.file == &found->second; })) {
    return bad_file(name, "imports itself");
  }
  open.push_back({&found->second, 0});
  return Status::ok();
}

Status DescriptorCollector::build_one(const FileProto& file) {
  FirstError error;
  if (pool_.BuildFileCollectingErrors(file, &error) != nullptr) return Status::ok();
  return bad_file(file.name(), "makes no sense: " + error.text);
}

}  // namespace gaggle
