// SPDX-License-Identifier: Apache-2.0
//
// Ours: the benchmark's services over generated code, written as any user would.

#include <cstdio>
#include <memory>
#include <string>

#include "bench.gaggle.h"
#include "bench/answer.h"
#include "bench/server_options.h"
#include "gaggle/net/loop_group.h"
#include "gaggle/rpc/credentials/tls.h"
#include "gaggle/rpc/server.h"
#include "groupcache.gaggle.h"

namespace {

using benchpb::Request;
using benchpb::Response;
using gaggle::Result;
using gaggle::ServerContext;
using gaggle::Status;
using gaggle::Task;

class BenchService final : public benchpb::UnimplementedBenchServer {
  Task<Status> Unary(ServerContext& /*context*/, const Request& request, Response& response) override {
    bench::burn(request.burn_us());
    if (request.status() != 0) co_return Status(gaggle::StatusCode(request.status()), "as asked");
    response.mutable_payload()->assign(request.payload());
    co_return Status::ok();
  }

  Task<Status> Chat(ServerContext& /*context*/, gaggle::BidiStreamingServer<Request, Response>& stream) override {
    Request request;
    Response response;
    for (;;) {
      Task<Result<bool>> receiving = stream.recv(request);
      const Result<bool> more = co_await std::move(receiving);
      if (!more) co_return more.error();
      if (!*more) co_return Status::ok();
      response.mutable_payload()->assign(request.payload());
      Task<Status> sending = stream.send(response);
      Status sent = co_await std::move(sending);
      if (!sent) co_return sent;
    }
  }

  Task<Status> Download(ServerContext& /*context*/, const Request& request,
                        gaggle::ServerStreamingServer<Response>& stream) override {
    Response response;
    response.set_payload(request.payload());
    for (uint32_t i = 0; i < request.messages(); ++i) {
      Task<Status> sending = stream.send(response);
      Status sent = co_await std::move(sending);
      if (!sent) co_return sent;
    }
    co_return Status::ok();
  }
};

// The bare handler beside which gaggle_cache_server is measured.
class AnswerService final : public groupcachepb::UnimplementedGroupCacheServer {
  Task<Status> Get(ServerContext& /*context*/, const groupcachepb::Request& /*request*/,
                   groupcachepb::Response& response) override {
    response.mutable_value()->assign(bench::kAnswer);
    co_return Status::ok();
  }
};

Result<uint16_t> listen(gaggle::Server& server, const bench::ServerOptions& options,
                        std::unique_ptr<gaggle::TlsServerCredentials>& tls) {
  const std::string address = "127.0.0.1:" + std::to_string(options.port);
  if (!options.tls()) return server.listen(address);
  auto made = gaggle::TlsServerCredentials::create(
      {.certificates = {.file = options.cert}, .private_key = {.file = options.key}});
  if (!made) return std::move(made).error();
  tls = *std::move(made);
  return server.listen(address, *tls);
}

}  // namespace

int main(int argc, char** argv) {
  const bench::ServerOptions options = bench::parse_server_options(argc, argv);
  gaggle::LoopGroup loops(static_cast<size_t>(options.threads),
                          {.busy_poll = std::chrono::microseconds{options.busy_poll_us}});
  std::unique_ptr<gaggle::TlsServerCredentials> tls;
  BenchService service;
  AnswerService answers;
  auto server = gaggle::Server::create(loops);
  if (!server) return 1;
  if (!benchpb::RegisterBenchServer(**server, service).is_ok()) return 1;
  if (!groupcachepb::RegisterGroupCacheServer(**server, answers).is_ok()) return 1;
  const auto port = listen(**server, options, tls);
  if (!port) {
    std::fprintf(stderr, "%s\n", port.error().to_string().c_str());
    return 1;
  }
  bench::announce_port(*port);
  return (*server)->wait().is_ok() ? 0 : 1;
}
