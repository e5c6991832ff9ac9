// SPDX-License-Identifier: Apache-2.0
#include "replay.h"

#include <unistd.h>

#include <cstdio>
#include <stdexcept>
#include <utility>

#include "gaggle/net/block_on.h"
#include "gaggle/net/when_all.h"
#include "gaggle_cache.gaggle.h"
#include "groupcache.gaggle.h"

namespace demo {
namespace {

using namespace gaggle;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr size_t kWorkersPerNode = 32;
constexpr size_t kShowEvery = 2'000;

// One pass, as its workers see it.
struct Replay {
  const std::vector<uint32_t>& trace;
  const std::unordered_map<uint32_t, std::string>& rows;
  Pass pass;
  size_t next = 0;
};

void show_progress(const Replay& replay) {
  static_assert(kShowEvery > 0);
  const bool last = replay.pass.requests == replay.trace.size();
  if (replay.pass.requests % kShowEvery != 0 && !last) return;
  const bool terminal = ::isatty(STDERR_FILENO) != 0;
  if (!terminal && replay.pass.requests % (10 * kShowEvery) != 0 && !last) return;
  std::fprintf(stderr, "%s   %zu of %zu requests%s", terminal ? "\r" : "", replay.pass.requests, replay.trace.size(),
               terminal && !last ? "" : "\n");
}

void check(Replay& replay, uint32_t key, const Status& status, const std::string& value) {
  Pass& pass = replay.pass;
  ++pass.requests;
  if (!status) {
    ++pass.errors;
    if (pass.first_error.empty()) pass.first_error = "key " + std::to_string(key) + ": " + status.to_string();
  } else if (replay.rows.at(key) == value) {
    ++pass.checked;
  } else if (pass.first_error.empty()) {
    pass.first_error = "key " + std::to_string(key) + ": the answer isn't what the database has";
  }
}

// Sends one request after the other until there are no more.
Task<bool> work(Replay& replay, size_t node, ClientConn& conn) {
  groupcachepb::GroupCacheClient cache(conn);
  groupcachepb::Request request;
  groupcachepb::Response response;
  request.set_groupname("pages");
  while (replay.next < replay.trace.size()) {
    const uint32_t key = replay.trace[replay.next++];
    request.set_key(std::to_string(key));
    const Clock::time_point sent = Clock::now();
    const Context context = Context().with_timeout(10s);
    Task<Status> asking = cache.Get(context, request, response, {.wait_for_ready = true});
    const Status status = co_await std::move(asking);
    replay.pass.latencies.push_back(Clock::now() - sent);
    ++replay.pass.asked[node];
    check(replay, key, status, response.value());
    show_progress(replay);
  }
  co_return true;
}

}  // namespace

Cluster::Cluster(std::vector<std::string> addresses) : addresses_(std::move(addresses)) {
  for (const std::string& address : addresses_) {
    auto conn = ClientConn::create(loops_, address, {.credentials = insecure_credentials()});
    if (!conn) throw std::runtime_error(conn.error().to_string());
    conns_.push_back(*std::move(conn));
  }
}

Pass Cluster::replay(const std::vector<uint32_t>& trace, const std::unordered_map<uint32_t, std::string>& rows) {
  Replay replay{trace, rows, {}, 0};
  replay.pass.asked.resize(conns_.size());
  replay.pass.latencies.reserve(trace.size());
  std::vector<Task<bool>> workers;
  for (size_t i = 0; i < kWorkersPerNode * conns_.size(); ++i) {
    const size_t node = i % conns_.size();
    workers.push_back(work(replay, node, *conns_[node]));
  }
  const Clock::time_point begin = Clock::now();
  block_on(loops_.loop(0), when_all(std::move(workers)));
  replay.pass.took = Clock::now() - begin;
  return std::move(replay.pass);
}

std::vector<NodeStats> Cluster::stats() {
  std::vector<NodeStats> all;
  for (size_t i = 0; i < conns_.size(); ++i) {
    cache::v1::CacheAdminClient admin(*conns_[i]);
    cache::v1::StatsRequest request;
    cache::v1::StatsResponse response;
    request.set_group("pages");
    const Status status = admin.BlockingStats(Context().with_timeout(10s), request, response, {.wait_for_ready = true});
    if (!status) throw std::runtime_error(addresses_[i] + ": " + status.to_string());
    const auto& group = response.groups(0);
    all.push_back({group.server_requests(), group.local_loads() + group.local_load_errs(), group.main_store().items()});
  }
  return all;
}

}  // namespace demo
