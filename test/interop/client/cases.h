// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

#include "client/session.h"
#include "gaggle/net/task.h"

namespace gaggle::interop {

// One interoperability case: OK, or what the server (or we) did wrong.
struct Case {
  std::string_view name;
  Task<Status> (*run)(Session& session);
};

std::span<const Case> unary_cases();
std::span<const Case> streaming_cases();
std::span<const Case> compression_cases();
std::span<const Case> ending_cases();  // status, metadata, cancellation, deadlines
std::span<const Case> soak_cases();
std::span<const Case> load_report_cases();
std::span<const Case> http2_cases();  // servers that misbehave

// Null if there is none of that name.
const Case* find_case(std::string_view name);

}  // namespace gaggle::interop
