// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "gaggle/base/status.h"

namespace gaggle {

// Makes descriptors of files that a server sends, in whatever order, once all that they import is there.
//
// The server isn't trusted: what doesn't parse or makes no sense is DATA_LOSS, what is too much
// RESOURCE_EXHAUSTED. One thread at a time.
class DescriptorCollector {
 public:
  DescriptorCollector(size_t max_files, size_t max_bytes) : files_left_(max_files), bytes_left_(max_bytes) {}

  // One FileDescriptorProto. A file that it has already changes nothing.
  Status add(const std::string& encoded);
  // A file that is imported and not there yet, or nothing. Protobuf's own files are never missing.
  std::optional<std::string> missing();
  // Builds what was added and isn't built, imports first. Nothing may be missing.
  Status build();

  const google::protobuf::DescriptorPool& pool() const noexcept { return pool_; }

 private:
  using FileProto = google::protobuf::FileDescriptorProto;
  struct Open {
    const FileProto* file;
    int next_import;
  };
  Status build_with_imports(const FileProto& file);
  Status build_one(const FileProto& file);
  Status push(const std::string& name, std::vector<Open>& open) const;

  google::protobuf::DescriptorPool pool_;
  std::map<std::string, FileProto, std::less<>> files_;  // all of them, built or not
  std::vector<std::string> unchecked_;                   // whose imports haven't been looked at
  size_t files_left_;
  size_t bytes_left_;
};

}  // namespace gaggle
