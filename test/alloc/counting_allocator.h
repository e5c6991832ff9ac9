// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace gaggle {

// Calls of malloc, calloc and realloc by the calling thread so far; operator new is among them. Only
// in a program that links counting_allocator.cc, which stands before glibc's allocator.
uint64_t allocations_of_this_thread() noexcept;

}  // namespace gaggle
