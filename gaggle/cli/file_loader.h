// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "gaggle/base/result.h"
#include "gaggle/cache/loader.h"
#include "gaggle/net/file_descriptor.h"

namespace gaggle {
class ThreadPool;
}

namespace gaggle::cli {

// Gives the content of the file whose path below a directory is the key.
//
// Nothing outside the directory can be read: keys that leave it, by "..", by a leading '/' or by a
// symbolic link, are NOT_FOUND, as are directories, devices, pipes, and names that no file can have.
// The kernel itself keeps every step of the path below the directory (openat2, RESOLVE_BENEATH), so
// that no rename can open a gap. On kernels without it, paths with ".." or any link are NOT_FOUND.
// PERMISSION_DENIED for files that may not be read, RESOURCE_EXHAUSTED for those over the limit.
// Files are read on the pool, which outlives the loader.
class FileLoader final : public cache::Loader {
 public:
  enum class Resolve { kByKernel, kByHand };

  // INVALID_ARGUMENT when `directory` isn't one or can't be opened.
  static Result<std::unique_ptr<FileLoader>> open(const std::string& directory, size_t max_value_bytes,
                                                  ThreadPool& pool, Resolve resolve = Resolve::kByKernel);

  Task<Result<cache::Value>> load(const cache::LoadContext& context, std::string_view key) override;

 private:
  FileLoader(FileDescriptor directory, size_t max_value_bytes, ThreadPool& pool, Resolve resolve);
  Result<Bytes> read(const std::string& key) const;
  Result<FileDescriptor> open_file(const std::string& key) const;
  int open_by_kernel(const std::string& key) const noexcept;
  int open_by_hand(const std::string& key) const noexcept;

  const FileDescriptor directory_;
  const size_t max_value_bytes_;
  ThreadPool& pool_;
  const Resolve resolve_;
};

}  // namespace gaggle::cli
