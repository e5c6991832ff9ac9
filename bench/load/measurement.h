// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

#include "bench/load/histogram.h"
#include "bench/load/options.h"

namespace bench {

// What happened between begin() and end(), and its report as one line of JSON. One thread.
//
// An operation is a call, or a message of a stream. Its latency counts from when it was due, not from when it could
// be sent: a server that stalls is charged for everything that had to wait, as its users would.
class Measurement {
 public:
  using Time = std::chrono::steady_clock::time_point;
  enum class Outcome { kGood, kExpectedError, kDeadlineExceeded, kFailed };

  explicit Measurement(const LoadOptions& options) : options_(options) {}

  void begin();
  void end();
  bool over() const noexcept { return over_; }

  // With a rate, the operation counts if it was due in the measured time, whenever it ends; otherwise if it ends then.
  void record(Time due, Time done, Outcome outcome) noexcept;
  // The first failure's words go to standard error.
  void explain_failure(std::string_view why);

  // Something outside of the measured time has failed.
  void fail() noexcept { failed_ = true; }
  bool failed() const noexcept { return failed_ || counts_[3] != 0; }
  void print() const;

 private:
  const LoadOptions& options_;
  Histogram latency_;
  std::uint64_t counts_[4] = {};
  std::uint64_t ended_inside_ = 0;  // while it was measured, good ones
  Time began_{};
  Time ended_{};
  std::uint64_t own_cpu_ns_ = 0;
  std::uint64_t server_cpu_ns_ = 0;
  bool measuring_ = false;
  bool over_ = false;
  bool explained_ = false;
  bool failed_ = false;
};

// When operations are due: at constant distances from the first request on, or at once.
class Schedule {
 public:
  explicit Schedule(double rate) : distance_(rate > 0 ? 1e9 / rate : 0) {}
  bool paced() const noexcept { return distance_ > 0; }
  // Of the next operation; only when paced.
  Measurement::Time next() noexcept;

 private:
  double distance_;  // ns
  std::uint64_t given_ = 0;
  Measurement::Time start_{};
};

}  // namespace bench
