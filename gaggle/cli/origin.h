// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "gaggle/base/result.h"
#include "gaggle/cache/loader.h"
#include "gaggle/cli/group_spec.h"

namespace gaggle {
class ThreadPool;
}

namespace gaggle::cli {

// The loader of the origin that a group asks for. `pool` outlives it. INVALID_ARGUMENT names the
// group and says why its origin can't be used.
Result<std::unique_ptr<cache::Loader>> open_origin(const GroupSpec& spec, ThreadPool& pool);

}  // namespace gaggle::cli
