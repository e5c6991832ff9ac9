// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "gaggle/cache/loader.h"
#include "gaggle/net/block_on.h"
#include "gaggle/net/loop_group.h"
#include "gaggle/net/thread_pool.h"

namespace gaggle::cli {

// A folder of the test's own, a loop and a pool, to ask loaders with.
struct LoaderTest : ::testing::Test {
  std::filesystem::path folder;
  LoopGroup loops{1};
  ThreadPool pool{2};

  LoaderTest() {
    std::string name = (std::filesystem::temp_directory_path() / "gaggle-loader-XXXXXX").string();
    folder = ::mkdtemp(name.data());
  }
  ~LoaderTest() override { std::filesystem::remove_all(folder); }

  static Task<Result<cache::Value>> load(cache::Loader& loader, Loop& loop, Context context, std::string key) {
    const cache::LoadContext load_context(context, loop, "g");
    Task<Result<cache::Value>> loading = loader.load(load_context, key);
    auto bound = in_context(context, std::move(loading));
    co_return co_await std::move(bound);
  }
  // The value, or the status's code in words.
  std::string ask(cache::Loader& loader, std::string key, Context context = {}) {
    Loop& loop = loops.next();
    const Result<cache::Value> value = block_on(loop, load(loader, loop, context, std::move(key)));
    return value ? std::string(value->bytes.view()) : std::string(status_code_name(value.error().code()));
  }
};

}  // namespace gaggle::cli
