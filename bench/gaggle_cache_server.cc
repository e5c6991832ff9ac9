// SPDX-License-Identifier: Apache-2.0
//
// Ours again: GroupCache/Get through the cache instead of by a bare handler. Every key has the same answer, and all
// but the first Get of one are hits.

#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

#include "bench/answer.h"
#include "bench/server_options.h"
#include "gaggle/cache/cache.h"
#include "gaggle/cache/rpc_service.h"
#include "gaggle/net/loop_group.h"
#include "gaggle/rpc/server.h"

namespace {

class AnswerLoader final : public gaggle::cache::Loader {
  gaggle::Task<gaggle::Result<gaggle::cache::Value>> load(const gaggle::cache::LoadContext& /*context*/,
                                                          std::string_view /*key*/) override {
    co_return gaggle::cache::Value{.bytes = gaggle::Bytes::unowned(bench::kAnswer)};
  }
};

}  // namespace

int main(int argc, char** argv) {
  const bench::ServerOptions options = bench::parse_server_options(argc, argv);
  gaggle::LoopGroup loops(static_cast<size_t>(options.threads));
  gaggle::cache::Cache cache;
  if (!cache.add_group("bench", {}, std::make_unique<AnswerLoader>())) return 1;
  gaggle::cache::CacheService service(cache);
  auto server = gaggle::Server::create(loops);
  if (!server || !service.register_with(**server).is_ok()) return 1;
  const auto port = (*server)->listen("127.0.0.1:" + std::to_string(options.port));
  if (!port) {
    std::fprintf(stderr, "%s\n", port.error().to_string().c_str());
    return 1;
  }
  bench::announce_port(*port);
  return (*server)->wait().is_ok() ? 0 : 1;
}
