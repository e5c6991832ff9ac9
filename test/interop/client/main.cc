// SPDX-License-Identifier: Apache-2.0
//
// gaggle_interop_client --server_port=N --test_case=NAME: the client of gRPC's interoperability tests.
// Prints a line per case, "ok NAME" or "FAILED NAME: why"; exits with 1 if any failed.
#include <CLI/CLI.hpp>
#include <iostream>
#include <string>

#include "client/cases.h"
#include "client/flags.h"
#include "gaggle/net/block_on.h"

namespace gaggle::interop {
namespace {

void add_flags(CLI::App& app, Flags& flags) {
  app.add_option("--server_host", flags.server_host)->capture_default_str();
  app.add_option("--server_port", flags.server_port)->capture_default_str();
  app.add_option("--server_host_override", flags.server_host_override, "The :authority, and whose certificate to want");
  app.add_flag("--use_tls", flags.use_tls);
  app.add_flag("--use_test_ca", flags.use_test_ca, "Trust --ca_file instead of the system");
  app.add_option("--ca_file", flags.ca_file, "Certificates to trust, PEM");
  app.add_option("--target", flags.target, "Instead of host and port: any target of a ClientConn");
  app.add_option("--test_case", flags.test_cases, "One or more, by commas")->required()->delimiter(',');
  app.add_option("--timeout_seconds", flags.timeout_seconds, "For each case")->capture_default_str();
  app.add_option("--concurrent_calls", flags.concurrent_calls, "Of concurrent_large_unary")->capture_default_str();
  app.add_option("--soak_iterations", flags.soak_iterations)->capture_default_str();
  app.add_option("--soak_max_failures", flags.soak_max_failures)->capture_default_str();
  app.add_option("--soak_per_iteration_max_acceptable_latency_ms", flags.soak_per_iteration_max_acceptable_latency_ms)
      ->capture_default_str();
  app.add_option("--soak_overall_timeout_seconds", flags.soak_overall_timeout_seconds)->capture_default_str();
  app.add_option("--soak_min_time_ms_between_rpcs", flags.soak_min_time_ms_between_rpcs)->capture_default_str();
  app.add_option("--soak_request_size", flags.soak_request_size)->capture_default_str();
  app.add_option("--soak_response_size", flags.soak_response_size)->capture_default_str();
  app.add_option("--soak_num_threads", flags.soak_num_threads)->capture_default_str()->check(CLI::Range(1, 1000));
}

Status run_case(const Flags& flags, const std::string& name) {
  const Case* found = find_case(name);
  if (found == nullptr) return Status::not_found("no such case");
  // A connection for each, as separate programs would have.
  Result<std::unique_ptr<Session>> session = Session::create(flags);
  if (!session) return session.error();
  return block_on((*session)->loop(), found->run(**session));
}

int run(const Flags& flags) {
  int failures = 0;
  for (const std::string& name : flags.test_cases) {
    const Status status = run_case(flags, name);
    std::cout << (status ? "ok " : "FAILED ") << name << (status ? "" : ": " + status.to_string()) << std::endl;
    failures += status ? 0 : 1;
  }
  return failures == 0 ? 0 : 1;
}

}  // namespace
}  // namespace gaggle::interop

int main(int argc, char** argv) {
  CLI::App app("The client of gRPC's interoperability tests.");
  gaggle::interop::Flags flags;
  gaggle::interop::add_flags(app, flags);
  CLI11_PARSE(app, argc, argv);
  return gaggle::interop::run(flags);
}
