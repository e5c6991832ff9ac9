// SPDX-License-Identifier: Apache-2.0
#include "bench/load/measurement.h"

#include <time.h>

#include <cstddef>
#include <cstdio>
#include <string>

namespace bench {
namespace {

std::uint64_t read_clock(clockid_t clock) {
  timespec time{};
  if (clock_gettime(clock, &time) != 0) return 0;
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(time.tv_nsec);
}

// User and system time of all threads of the process, in ns; 0 for none.
std::uint64_t cpu_ns(int pid) {
  clockid_t clock{};
  if (pid <= 0 || clock_getcpuclockid(pid, &clock) != 0) return 0;
  return read_clock(clock);
}

double microseconds(std::chrono::nanoseconds duration) { return static_cast<double>(duration.count()) / 1000; }

}  // namespace

void Measurement::begin() {
  own_cpu_ns_ = read_clock(CLOCK_PROCESS_CPUTIME_ID);
  server_cpu_ns_ = cpu_ns(options_.server_pid);
  began_ = std::chrono::steady_clock::now();
  measuring_ = true;
}

void Measurement::end() {
  ended_ = std::chrono::steady_clock::now();
  own_cpu_ns_ = read_clock(CLOCK_PROCESS_CPUTIME_ID) - own_cpu_ns_;
  server_cpu_ns_ = cpu_ns(options_.server_pid) - server_cpu_ns_;
  over_ = true;
}

void Measurement::record(Time due, Time done, Outcome outcome) noexcept {
  if (!measuring_) return;
  if (!over_ && outcome == Outcome::kGood) ++ended_inside_;
  const bool counts = options_.rate > 0 ? due >= began_ && (!over_ || due < ended_) : !over_;
  if (!counts) return;
  ++counts_[static_cast<std::size_t>(outcome)];
  if (outcome == Outcome::kGood) latency_.record(done - due);
}

void Measurement::explain_failure(std::string_view why) {
  if (explained_) return;
  explained_ = true;
  std::fprintf(stderr, "a call failed: %s\n", std::string(why).c_str());
}

void Measurement::print() const {
  const double seconds = std::chrono::duration<double>(ended_ - began_).count();
  std::uint64_t operations = 0;
  for (const std::uint64_t count : counts_) operations += count;
  std::printf(R"({"seconds": %.6f, "operations": %lu, "good": %lu, "expected_errors": %lu, "deadline_exceeded": %lu, )"
              R"("failed": %lu, "good_per_second": %.1f, "load_cpu_ns": %lu, "server_cpu_ns": %lu, )",
              seconds, operations, counts_[0], counts_[1], counts_[2], counts_[3],
              static_cast<double>(ended_inside_) / seconds, own_cpu_ns_, server_cpu_ns_);
  if (options_.rate > 0) {
    const double due = options_.rate * seconds;
    std::printf(R"("rate": %.1f, "never_sent": %.0f, )", options_.rate,
                due > static_cast<double>(operations) ? due - static_cast<double>(operations) : 0.0);
  }
  std::printf(R"("latency_us": {"p50": %.2f, "p90": %.2f, "p99": %.2f, "p99.9": %.2f, "max": %.2f}})"
              "\n",
              microseconds(latency_.quantile(0.5)), microseconds(latency_.quantile(0.9)),
              microseconds(latency_.quantile(0.99)), microseconds(latency_.quantile(0.999)),
              microseconds(latency_.max()));
}

Measurement::Time Schedule::next() noexcept {
  if (given_ == 0) start_ = std::chrono::steady_clock::now();
  return start_ + std::chrono::nanoseconds{static_cast<std::int64_t>(distance_ * static_cast<double>(given_++))};
}

}  // namespace bench
