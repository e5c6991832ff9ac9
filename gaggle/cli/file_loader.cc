// SPDX-License-Identifier: Apache-2.0
#include "gaggle/cli/file_loader.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "gaggle/net/run_blocking.h"
#include "gaggle/net/thread_pool.h"

namespace gaggle::cli {
namespace {

// Without O_NONBLOCK, opening a pipe would wait for its writer.
constexpr int kReadFlags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
// RESOLVE_BENEATH asks to try again when something was renamed meanwhile.
constexpr int kTries = 8;

Status not_found() { return Status::not_found("there is no file for this key"); }

Status status_of_errno(int error) {
  switch (error) {
    case EACCES:
    case EPERM: return Status::permission_denied("the file for this key may not be read");
    case EMFILE:
    case ENFILE:
    case ENOMEM: return Status::unavailable(std::string("the file can't be opened now: ") + std::strerror(error));
    case EIO: return Status::data_loss("the file can't be read: the device fails");
    // No such file, or a path that no file can have: too long, through a file, out of the directory.
    default: return not_found();
  }
}

bool kernel_can_resolve(int directory) noexcept {
  open_how how{};
  how.flags = O_PATH | O_CLOEXEC;
  how.resolve = RESOLVE_BENEATH;
  const long opened = ::syscall(SYS_openat2, directory, ".", &how, sizeof how);
  if (opened < 0) return false;
  ::close(static_cast<int>(opened));
  return true;
}

}  // namespace

FileLoader::FileLoader(FileDescriptor directory, size_t max_value_bytes, ThreadPool& pool, Resolve resolve)
    : directory_(std::move(directory)), max_value_bytes_(max_value_bytes), pool_(pool), resolve_(resolve) {}

Result<std::unique_ptr<FileLoader>> FileLoader::open(const std::string& directory, size_t max_value_bytes,
                                                     ThreadPool& pool, Resolve resolve) {
  FileDescriptor opened(::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!opened) {
    return Status::invalid_argument("the directory " + directory + " can't be opened: " + std::strerror(errno));
  }
  if (!kernel_can_resolve(opened.get())) resolve = Resolve::kByHand;
  return std::unique_ptr<FileLoader>(new FileLoader(std::move(opened), max_value_bytes, pool, resolve));
}

Task<Result<cache::Value>> FileLoader::load(const cache::LoadContext&, std::string_view key) {
  auto reading = [this, path = std::string(key)] { return read(path); };
  Task<Result<Bytes>> on_pool = run_blocking(pool_, std::move(reading));
  Result<Bytes> content = co_await std::move(on_pool);
  if (!content) co_return std::move(content).error();
  co_return cache::Value{*std::move(content)};
}

// On a thread of the pool. The size is that of the moment, but never more than allowed: a file may
// grow while it's read, and those of the kernel claim to be empty.
Result<Bytes> FileLoader::read(const std::string& key) const {
  Result<FileDescriptor> file = open_file(key);
  if (!file) return file.error();
  struct stat info{};
  if (::fstat(file->get(), &info) != 0) return status_of_errno(errno);
  if (!S_ISREG(info.st_mode)) return not_found();
  const size_t most = max_value_bytes_ + 1;
  std::string content(std::min(static_cast<size_t>(info.st_size) + 1, most), '\0');
  size_t size = 0;
  for (;;) {
    if (size == content.size()) {
      if (size == most) return Status::resource_exhausted("the file is larger than this group's values may be");
      content.resize(std::min(size * 2, most));
    }
    const ssize_t count = ::read(file->get(), content.data() + size, content.size() - size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return status_of_errno(errno);
    if (count == 0) break;
    size += static_cast<size_t>(count);
  }
  content.resize(size);
  return Bytes::copy_of(content);
}

Result<FileDescriptor> FileLoader::open_file(const std::string& key) const {
  if (key.contains('\0')) return not_found();
  FileDescriptor file(resolve_ == Resolve::kByKernel ? open_by_kernel(key) : open_by_hand(key));
  if (!file) return status_of_errno(errno);
  return file;
}

int FileLoader::open_by_kernel(const std::string& key) const noexcept {
  open_how how{};
  how.flags = kReadFlags;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  long opened = -1;
  for (int i = 0; i < kTries && opened < 0; ++i) {
    opened = ::syscall(SYS_openat2, directory_.get(), key.c_str(), &how, sizeof how);
    if (opened < 0 && errno != EAGAIN && errno != EINTR) break;
  }
  return static_cast<int>(opened);
}

// Step by step, without following anything.
int FileLoader::open_by_hand(const std::string& key) const noexcept {
  FileDescriptor below;
  int at = directory_.get();
  size_t begin = 0;
  if (key.starts_with('/')) return errno = ENOENT, -1;
  for (size_t slash; (slash = key.find('/', begin)) != std::string::npos; begin = slash + 1) {
    const std::string step = key.substr(begin, slash - begin);
    if (step.empty() || step == ".") continue;
    if (step == "..") return errno = ENOENT, -1;
    const int next = ::openat(at, step.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (next < 0) return -1;
    below.reset(next);
    at = next;
  }
  const std::string last = key.substr(begin);
  if (last.empty() || last == "..") return errno = ENOENT, -1;
  return ::openat(at, last.c_str(), kReadFlags | O_NOFOLLOW);
}

}  // namespace gaggle::cli
