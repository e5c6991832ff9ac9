// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "gaggle/net/loop_group.h"
#include "gaggle/rpc/client_conn.h"

namespace demo {

// What a node says of itself.
struct NodeStats {
  uint64_t server_requests = 0;
  uint64_t origin_loads = 0;
  uint64_t keys = 0;
};

// How one pass over the trace went.
struct Pass {
  size_t requests = 0;
  size_t errors = 0;
  size_t checked = 0;  // answers that are what the database has
  std::string first_error;
  std::chrono::duration<double> took{};
  std::vector<std::chrono::nanoseconds> latencies;
  std::vector<size_t> asked;  // per node
};

// The nodes, reached by gRPC. One loop: everything a pass keeps belongs to its thread.
class Cluster {
 public:
  explicit Cluster(std::vector<std::string> addresses);

  // Sends all requests, spread over the nodes, a bounded number at once, and checks each answer
  // against `rows`. Shows its progress on standard error.
  Pass replay(const std::vector<uint32_t>& trace, const std::unordered_map<uint32_t, std::string>& rows);
  // Throws std::runtime_error when a node doesn't answer.
  std::vector<NodeStats> stats();
  const std::vector<std::string>& addresses() const { return addresses_; }

 private:
  std::vector<std::string> addresses_;
  gaggle::LoopGroup loops_{1};
  std::vector<std::unique_ptr<gaggle::ClientConn>> conns_;
};

}  // namespace demo
