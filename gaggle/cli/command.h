// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

#include "gaggle/base/status.h"

namespace CLI {
class App;
}

namespace gaggle::cli {

// Exit codes of the program.
inline constexpr int kExitOk = 0;
inline constexpr int kExitNotFound = 1;  // `get` and `call`
inline constexpr int kExitError = 2;     // wrong flags, too

// Each adds its subcommand to the program and gives what to run once its flags are parsed.
std::function<int()> add_serve(CLI::App& program);
std::function<int()> add_get(CLI::App& program);
std::function<int()> add_stats(CLI::App& program);
std::function<int()> add_call(CLI::App& program);

// "gaggle: UNAVAILABLE: nobody listens" on standard error; gives kExitError.
int fail(const Status& status);

}  // namespace gaggle::cli
