// SPDX-License-Identifier: Apache-2.0
//
// Ours: the benchmark's service over generated code, written as any user would.

#include <cstdio>
#include <string>

#include "bench/answer.h"
#include "bench/server_options.h"
#include "gaggle/net/loop_group.h"
#include "gaggle/rpc/server.h"
#include "groupcache.gaggle.h"

namespace {

class AnswerService final : public groupcachepb::UnimplementedGroupCacheServer {
  gaggle::Task<gaggle::Status> Get(gaggle::ServerContext& /*context*/, const groupcachepb::Request& /*request*/,
                                   groupcachepb::Response& response) override {
    response.set_value(bench::kAnswer.data(), bench::kAnswer.size());
    co_return gaggle::Status::ok();
  }
};

}  // namespace

int main(int argc, char** argv) {
  const bench::ServerOptions options = bench::parse_server_options(argc, argv);
  gaggle::LoopGroup loops(options.threads);
  auto server = gaggle::Server::create(loops);
  if (!server) return 1;
  AnswerService service;
  if (!groupcachepb::RegisterGroupCacheServer(**server, service).is_ok()) return 1;
  const auto port = (*server)->listen("127.0.0.1:" + std::to_string(options.port));
  if (!port) {
    std::fprintf(stderr, "%s\n", std::string(port.error().message()).c_str());
    return 1;
  }
  bench::announce_port(*port);
  return (*server)->wait().is_ok() ? 0 : 1;
}
