// SPDX-License-Identifier: Apache-2.0
#include "report.h"

#include <algorithm>
#include <cstdio>

namespace demo {
namespace {

// 76118 as "76,118".
std::string grouped(size_t number) {
  std::string digits = std::to_string(number);
  for (size_t at = digits.size(); at > 3;) digits.insert(at -= 3, ",");
  return digits;
}

double milliseconds_at(const std::vector<std::chrono::nanoseconds>& sorted, double quantile) {
  if (sorted.empty()) return 0;
  const auto at = static_cast<size_t>(quantile * static_cast<double>(sorted.size()));
  return std::chrono::duration<double, std::milli>(sorted[std::min(at, sorted.size() - 1)]).count();
}

void print(const char* name, const std::string& value) { std::printf("  %-16s %s\n", name, value.c_str()); }

std::string percent(size_t part, size_t whole) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f %%",
                whole == 0 ? 0.0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole));
  return text;
}

}  // namespace

bool report(const std::string& title, const Pass& pass, const std::vector<std::string>& addresses,
            const std::vector<NodeStats>& before, const std::vector<NodeStats>& after, size_t expected_loads) {
  size_t loads = 0;
  size_t keys = 0;
  for (size_t i = 0; i < after.size(); ++i) {
    loads += after[i].origin_loads - before[i].origin_loads;
    keys += after[i].keys;
  }
  std::printf("%s\n", title.c_str());
  print("requests", grouped(pass.requests));
  print("errors", grouped(pass.errors));
  print("checked", grouped(pass.checked) + " answers are what the database has");
  print("hit ratio", percent(pass.requests - std::min(loads, pass.requests), pass.requests));
  print("origin loads", grouped(loads) + " in the whole cluster (" + grouped(expected_loads) + " expected)");
  for (size_t i = 0; i < after.size(); ++i) {
    print(i == 0 ? "nodes" : "", addresses[i] + ": asked " + grouped(pass.asked[i]) + ", loaded " +
                                     grouped(after[i].origin_loads - before[i].origin_loads) + ", holds " +
                                     grouped(after[i].keys) + " keys, " + percent(after[i].keys, keys));
  }
  std::vector<std::chrono::nanoseconds> sorted = pass.latencies;
  std::sort(sorted.begin(), sorted.end());
  char text[96];
  std::snprintf(text, sizeof text, "p50 %.2f ms, p99 %.2f ms, p99.9 %.2f ms", milliseconds_at(sorted, 0.5),
                milliseconds_at(sorted, 0.99), milliseconds_at(sorted, 0.999));
  print("latency", text);
  const double rate = static_cast<double>(pass.requests) / std::max(pass.took.count(), 1e-9);
  print("requests/s", grouped(static_cast<size_t>(rate)));
  if (!pass.first_error.empty()) print("first error", pass.first_error);
  const bool good = pass.errors == 0 && pass.checked == pass.requests && loads == expected_loads;
  if (!good) std::printf("  THIS ISN'T AS IT MUST BE\n");
  std::fflush(stdout);
  return good;
}

}  // namespace demo
