// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <cstdint>
#include <iostream>
#include <memory>
#include <string>

#include "gaggle/cache/utf8.h"
#include "gaggle/cli/client.h"
#include "gaggle/cli/command.h"
#include "groupcache.gaggle.h"

namespace gaggle::cli {
namespace {

struct GetOptions {
  std::string server;
  std::string timeout = "5s";
  std::string group;
  std::string key;
  TlsFlags tls;
};

int get(const GetOptions& options) {
  if (!cache::is_utf8(options.group) || !cache::is_utf8(options.key)) {
    return fail(Status::invalid_argument("group and key must be UTF-8"));
  }
  const Result<std::unique_ptr<Client>> client = Client::create(options.server, options.timeout, options.tls);
  if (!client) return fail(client.error());
  groupcachepb::GroupCacheClient cache((*client)->conn());
  groupcachepb::Request request;
  request.set_groupname(options.group);
  request.set_key(options.key);
  groupcachepb::Response response;
  const Status status =
      cache.BlockingGet((*client)->context(), request, response, {.max_receive_bytes = size_t{INT32_MAX}});
  if (!status) {
    fail(status);
    return status.code() == StatusCode::kNotFound ? kExitNotFound : kExitError;
  }
  std::cout.write(response.value().data(), static_cast<std::streamsize>(response.value().size())).flush();
  return std::cout ? kExitOk : fail(Status::data_loss("the value couldn't be written to standard output"));
}

}  // namespace

std::function<int()> add_get(CLI::App& program) {
  auto options = std::make_shared<GetOptions>();
  CLI::App& command = *program.add_subcommand(
      "get",
      "Write the value of a key, as it is, to standard output. Exit code 0: here it is; 1: there is no such "
      "key or group (NOT_FOUND); 2: any other error.");
  command.add_option("--server", options->server, "Any node of the cluster")->required()->type_name("HOST:PORT");
  options->tls.add_to(command);
  command.add_option("--timeout", options->timeout, "How long to wait, such as 250ms, 1s, 1m")
      ->capture_default_str()
      ->type_name("DURATION");
  command.add_option("GROUP", options->group, "The group's name")->required();
  command.add_option("KEY", options->key, "The key; write -- before one that begins with a dash")->required();
  return [options] { return get(*options); };
}

}  // namespace gaggle::cli
