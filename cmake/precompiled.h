// SPDX-License-Identifier: Apache-2.0
//
// What most files of a test build include, parsed once for each larger target (GAGGLE_PRECOMPILE). Of other people
// only: no file may come to lean on it for ours, and the release preset, which hasn't got it, finds those that lean on
// it for the rest.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <coroutine>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

// Asio and GoogleTest define these for whoever links them.
#ifdef ASIO_STANDALONE
#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/posix/basic_stream_descriptor.hpp>
#endif
#ifdef GTEST_HAS_PTHREAD
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#endif
