// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gaggle/cache/cache.h"
#include "gaggle/net/loop_testing.h"

namespace gaggle::cache {

// A get that a test has begun: how it ended, and the handle to cancel it. Lives where it is made.
class Call {
 public:
  const Context& context() const noexcept { return source_.context(); }
  void begin(Loop& loop, Task<Result<Value>> task) {
    const Loop::Enter enter(loop);
    start(std::move(task), record_, source_.context());
  }
  void cancel() { source_.cancel(); }
  bool ended() const noexcept { return record_.ended(); }
  // The value, or the status in words: "NOT_FOUND: no such key". "(waits)" before the end.
  std::string outcome();

 private:
  CancelSource source_;
  TaskRecord<Result<Value>> record_;
  std::string outcome_;
};

// An origin that many nodes share and that counts its loads; on virtual time.
struct Origin {
  std::map<std::string, std::string, std::less<>> rows;  // absent: NOT_FOUND
  Duration takes{};                                      // how long a load takes
  std::function<void(std::string_view key)> before;      // called as a load begins; may throw
  Duration ttl = Duration::max();

  int loads = 0;      // begun
  int cancelled = 0;  // of these, ended by their context
  std::map<std::string, int, std::less<>> loads_of;

  std::unique_ptr<Loader> loader();
};

// Nodes that reach each other without a network: a question takes `latency` each way, and a node may
// be down or hang. For one loop.
class FakeNetwork {
 public:
  Duration latency{};
  std::vector<std::string> log;  // "a->b key", as the questions leave

  std::unique_ptr<PeerFactory> factory();
  void attach(const std::string& address, Cache& cache) { nodes_[address] = &cache; }
  // From now on nobody reaches it; who waits for it finds out at once.
  void kill(const std::string& address);
  // It takes questions and never answers.
  void hang(const std::string& address) { hung_.insert(address); }

 private:
  class FakePeer;
  class Factory;
  Task<PeerAnswer> ask(std::string to, Context context, std::string group, std::string_view key, Hop hop);
  Task<PeerAnswer> cross(const std::string& to, const Context& context, const std::string& group, std::string_view key,
                         const Hop& hop);

  std::map<std::string, Cache*> nodes_;
  std::set<std::string> dead_;
  std::set<std::string> hung_;
  std::multimap<std::string, CancelSource*> asking_;  // by whom is asked
};

// A cluster in one process on virtual time: every node has the group "g" over the same origin.
class FakeCluster {
 public:
  explicit FakeCluster(std::vector<std::string> addresses, GroupOptions options = {});

  VirtualLoop world;
  Origin origin;
  FakeNetwork network;

  Cache& cache(const std::string& address) { return *nodes_.at(address); }
  Group& group(const std::string& address) { return *cache(address).group("g"); }
  // Begins a get at a node; the call stays with the cluster.
  Call& get(const std::string& address, std::string_view key, Duration timeout = Duration::max());
  // What this node believes the cluster to be.
  void set_view(const std::string& address, std::vector<std::string> members);
  // A key that `owner` owns when `members` are the cluster; with `second`, one for which that member
  // stands in first.
  static std::string key_of(const std::vector<std::string>& members, std::string_view owner,
                            std::string_view second = {});

 private:
  std::map<std::string, std::unique_ptr<Cache>> nodes_;
  std::deque<std::string> keys_;
  std::deque<Call> calls_;
};

}  // namespace gaggle::cache
