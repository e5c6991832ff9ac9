// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace gaggle::interop {

// The command line, under the names that every gRPC interoperability client has; those that are ours
// alone say so.
struct Flags {
  std::string server_host = "localhost";
  uint16_t server_port = 10000;
  std::string server_host_override;  // the :authority, and what the certificate has to say
  bool use_tls = false;
  bool use_test_ca = false;  // trust ca_file instead of the system
  std::string ca_file;
  std::string target;                   // ours: instead of host and port
  std::vector<std::string> test_cases;  // ours: several, one after the other
  double timeout_seconds = 30;          // ours: for each case that has no other
  int concurrent_calls = 1000;          // ours: of concurrent_large_unary

  int soak_iterations = 10;
  int soak_max_failures = 0;
  int soak_per_iteration_max_acceptable_latency_ms = 1000;
  int soak_overall_timeout_seconds = 10;
  int soak_min_time_ms_between_rpcs = 0;
  int soak_request_size = 271828;
  int soak_response_size = 314159;
  int soak_num_threads = 1;
};

}  // namespace gaggle::interop
