// SPDX-License-Identifier: Apache-2.0
#include "gaggle/cli/stats_text.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <iomanip>
#include <sstream>
#include <string_view>

#include "gaggle_cache.pb.h"

namespace gaggle::cli {
namespace {

using cache::v1::GroupStats;
using cache::v1::StatsResponse;
using cache::v1::StoreStats;

template <class Stats>
struct Counter {
  std::string_view name;
  uint64_t (Stats::*value)() const;
};

constexpr auto kGroup = std::to_array<Counter<GroupStats>>({
    {"gets", &GroupStats::gets},
    {"cache_hits", &GroupStats::cache_hits},
    {"peer_loads", &GroupStats::peer_loads},
    {"peer_errors", &GroupStats::peer_errors},
    {"loads", &GroupStats::loads},
    {"loads_deduped", &GroupStats::loads_deduped},
    {"local_loads", &GroupStats::local_loads},
    {"local_load_errs", &GroupStats::local_load_errs},
    {"server_requests", &GroupStats::server_requests},
    {"split_views", &GroupStats::split_views},
    {"loads_now", &GroupStats::loads_now},
});

constexpr auto kStore = std::to_array<Counter<StoreStats>>({
    {"bytes", &StoreStats::bytes},
    {"max_bytes", &StoreStats::max_bytes},
    {"items", &StoreStats::items},
    {"gets", &StoreStats::gets},
    {"hits", &StoreStats::hits},
    {"evictions", &StoreStats::evictions},
    {"expirations", &StoreStats::expirations},
});

std::string hex(uint64_t number) {
  std::ostringstream out;
  out << std::hex << std::setw(16) << std::setfill('0') << number;
  return out.str();
}

std::string json_string(std::string_view text) {
  std::ostringstream out;
  out << '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out << '\\' << c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out << "\\u" << std::hex << std::setw(4) << std::setfill('0') << static_cast<int>(c) << std::dec;
    } else {
      out << c;
    }
  }
  out << '"';
  return out.str();
}

template <class Stats, size_t count>
void print_members(std::ostream& out, const Stats& stats, const std::array<Counter<Stats>, count>& counters) {
  const char* comma = "";
  for (const auto& counter : counters) {
    out << comma << '"' << counter.name << "\":" << (stats.*counter.value)();
    comma = ",";
  }
}

// One line: the name, then each group's number under its name.
template <class Value>
void print_line(std::ostream& out, std::string_view name, const StatsResponse& stats, Value value) {
  out << std::left << std::setw(18) << name << std::right;
  for (const GroupStats& group : stats.groups()) {
    out << ' ' << std::setw(static_cast<int>(std::max<size_t>(group.name().size(), 14))) << value(group);
  }
  out << '\n';
}

}  // namespace

std::string stats_as_table(const StatsResponse& stats) {
  std::ostringstream out;
  if (!stats.node().self().empty()) {
    out << "node " << stats.node().self() << ", slot table " << hex(stats.node().table_version()) << ", members";
    for (const std::string& member : stats.node().members()) out << ' ' << member;
    out << '\n';
  }
  print_line(out, "group", stats, [](const GroupStats& group) { return group.name(); });
  for (const auto& counter : kGroup) {
    print_line(out, counter.name, stats, [&](const GroupStats& group) { return (group.*counter.value)(); });
  }
  for (const auto& counter : kStore) {
    print_line(out, "store " + std::string(counter.name), stats,
               [&](const GroupStats& group) { return (group.main_store().*counter.value)(); });
  }
  return out.str();
}

std::string stats_as_json(const StatsResponse& stats) {
  std::ostringstream out;
  out << "{\"node\":{\"self\":" << json_string(stats.node().self()) << ",\"table_version\":\""
      << hex(stats.node().table_version()) << "\",\"members\":[";
  for (int i = 0; i < stats.node().members_size(); ++i)
    out << (i > 0 ? "," : "") << json_string(stats.node().members(i));
  out << "]},\"groups\":[";
  for (int i = 0; i < stats.groups_size(); ++i) {
    const GroupStats& group = stats.groups(i);
    out << (i > 0 ? "," : "") << "{\"name\":" << json_string(group.name()) << ',';
    print_members(out, group, kGroup);
    out << ",\"store\":{";
    print_members(out, group.main_store(), kStore);
    out << "}}";
  }
  out << "]}\n";
  return out.str();
}

}  // namespace gaggle::cli
