// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "gaggle/base/context.h"
#include "gaggle/base/result.h"
#include "gaggle/cache/value.h"
#include "gaggle/net/task.h"

namespace gaggle {
class Loop;
}

namespace gaggle::cache {

// The context of one load: it ends with the load's own deadline, or when nobody waits any more.
class LoadContext : public Context {
 public:
  LoadContext(const Context& context, Loop& loop, std::string_view group)
      : Context(context), loop_(&loop), group_(group) {}
  Loop& loop() const noexcept { return *loop_; }
  std::string_view group() const noexcept { return group_; }

 private:
  Loop* loop_;
  std::string_view group_;
};

// Fetches what isn't cached from where it truly lives.
//
// Called for one key at a time on any loop; different keys concurrently, so it is thread-safe.
// `context` and `key` live until the task has ended. A status other than OK goes to every waiting
// caller with its code and is not cached: NOT_FOUND for a key that doesn't exist. Exceptions become
// UNKNOWN. Never block the loop: blocking origins go through run_blocking of a ThreadPool.
class Loader {
 public:
  virtual ~Loader() = default;
  virtual Task<Result<Value>> load(const LoadContext& context, std::string_view key) = 0;
};

}  // namespace gaggle::cache
