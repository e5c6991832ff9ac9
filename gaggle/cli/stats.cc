// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <cstdio>
#include <iomanip>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "gaggle/cli/client.h"
#include "gaggle/cli/command.h"
#include "gaggle/cli/stats_text.h"
#include "gaggle_cache.gaggle.h"

namespace gaggle::cli {
namespace {

struct StatsOptions {
  std::string server;
  std::string timeout = "5s";
  bool json = false;
  TlsFlags tls;
};

int stats(const StatsOptions& options) {
  const Result<std::unique_ptr<Client>> client = Client::create(options.server, options.timeout, options.tls);
  if (!client) return fail(client.error());
  cache::v1::CacheAdminClient admin((*client)->conn());
  const cache::v1::StatsRequest request;
  cache::v1::StatsResponse response;
  const Status status =
      admin.BlockingStats((*client)->context(), request, response, {.max_receive_bytes = size_t{INT32_MAX}});
  if (!status) return fail(status);
  std::cout << (options.json ? stats_as_json(response) : stats_as_table(response)) << std::flush;
  return std::cout ? kExitOk : kExitError;
}

}  // namespace

std::function<int()> add_stats(CLI::App& program) {
  auto options = std::make_shared<StatsOptions>();
  CLI::App& command = *program.add_subcommand(
      "stats",
      "Show the counters of every group of one node, since its start. A cluster's are the sums of its nodes'.");
  command.add_option("--server", options->server, "The node to ask")->required()->type_name("HOST:PORT");
  options->tls.add_to(command);
  command.add_option("--timeout", options->timeout, "How long to wait, such as 250ms, 1s, 1m")
      ->capture_default_str()
      ->type_name("DURATION");
  command.add_flag("--json", options->json, "For programs: one JSON object");
  return [options] { return stats(*options); };
}

}  // namespace gaggle::cli
