// SPDX-License-Identifier: Apache-2.0
#include "counting_allocator.h"

#include <cstddef>

namespace {
constinit thread_local uint64_t allocations = 0;
}  // namespace

namespace gaggle {
uint64_t allocations_of_this_thread() noexcept { return allocations; }
}  // namespace gaggle

// glibc's own, under the names that it keeps for this purpose.
extern "C" {
void* __libc_malloc(size_t size);
void* __libc_calloc(size_t count, size_t size);
void* __libc_realloc(void* memory, size_t size);

void* malloc(size_t size) {
  ++allocations;
  return __libc_malloc(size);
}
void* calloc(size_t count, size_t size) {
  ++allocations;
  return __libc_calloc(count, size);
}
void* realloc(void* memory, size_t size) {
  ++allocations;
  return __libc_realloc(memory, size);
}
}
