// SPDX-License-Identifier: Apache-2.0
#include <google/protobuf/stubs/logging.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>
#include <csignal>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gaggle/cache/cache.h"
#include "gaggle/cache/rpc_peer.h"
#include "gaggle/cache/rpc_service.h"
#include "gaggle/cli/command.h"
#include "gaggle/cli/log.h"
#include "gaggle/cli/members.h"
#include "gaggle/cli/origin.h"
#include "gaggle/cli/tls_flags.h"
#include "gaggle/net/loop_group.h"
#include "gaggle/net/thread_pool.h"
#include "gaggle/rpc/server.h"
#include "gaggle/services/health.h"
#include "gaggle/services/reflection.h"

namespace gaggle::cli {
namespace {

constexpr size_t kOriginThreads = 4;
constexpr size_t kMaxWaitingLoads = 65'536;
constexpr uint32_t kMaxConcurrentStreams = 256;
constexpr Duration kDrainTime = std::chrono::seconds{30};

struct ServeOptions {
  NodeAddresses addresses;
  size_t threads = std::max(1u, std::thread::hardware_concurrency());
  std::vector<std::string> groups;
  NodeTlsFlags tls;
};

// What a node with --tls-cert is secured by; without, both are null.
struct NodeTls {
  std::unique_ptr<TlsServerCredentials> server;
  std::unique_ptr<TlsChannelCredentials> peers;
};

Result<NodeTls> load_tls(const NodeTlsFlags& flags, Log log) {
  NodeTls tls;
  if (Status bad = flags.check(); !bad) return bad;
  if (!flags.given()) return tls;
  auto server = flags.server(log);
  if (!server) return server.error();
  auto peers = flags.peers(log);
  if (!peers) return peers.error();
  tls.server = *std::move(server);
  tls.peers = *std::move(peers);
  return tls;
}

// As many connections as the system lets us have.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

Status add_groups(const std::vector<std::string>& texts, cache::Cache& cache, ThreadPool& pool) {
  for (const std::string& text : texts) {
    const Result<GroupSpec> spec = parse_group_spec(text);
    if (!spec) return spec.error();
    Result<std::unique_ptr<cache::Loader>> loader = open_origin(*spec, pool);
    if (!loader) return loader.error();
    const Result<cache::Group*> added = cache.add_group(spec->name, spec->options, *std::move(loader));
    if (!added) return added.error();
  }
  return {};
}

// What a node serves; outlives its server.
struct Services {
  explicit Services(cache::Cache& node) : cache(node) {}
  cache::CacheService cache;
  HealthServer health;
  ReflectionServer reflection;

  Status register_with(ServiceRegistrar& registrar) {
    if (Status status = cache.register_with(registrar); !status) return status;
    if (Status status = health.register_with(registrar); !status) return status;
    health.set("groupcachepb.GroupCache", ServingStatus::kServing);
    health.set("gaggle.cache.v1.CacheAdmin", ServingStatus::kServing);
    return reflection.register_with(registrar);
  }
};

// What a node does upon signals. The first SIGTERM or SIGINT drains the server, the second stops it at
// once; SIGHUP reads the certificates again. Signals have a loop of their own, so that they work
// whatever the server's loops are doing. Made before the server listens: visitors may take every
// descriptor that is left.
class Signals {
 public:
  explicit Signals(const NodeTls& tls) : tls_(tls), signals_(io_, SIGTERM, SIGINT) {
    if (tls.server != nullptr) signals_.add(SIGHUP);
  }

  // Until the server has ended.
  Status wait_for(Server& server, HealthServer& health) {
    await_next(server, health);
    Status ended;
    std::thread waiter([&] {
      ended = server.wait();
      io_.stop();
    });
    io_.run();
    waiter.join();
    return ended;
  }

 private:
  void await_next(Server& server, HealthServer& health) {
    signals_.async_wait([this, &server, &health](const asio::error_code& error, int signal) {
      if (error) return;
      if (signal == SIGHUP) {
        // What is wrong with the files is logged there.
        static_cast<void>(tls_.server->reload());
        static_cast<void>(tls_.peers->reload());
      } else {
        health.end();
        server.shutdown(std::exchange(draining_, true) ? Duration::zero() : kDrainTime);
      }
      await_next(server, health);
    });
  }

  const NodeTls& tls_;
  asio::io_context io_;
  asio::signal_set signals_;
  bool draining_ = false;
};

// Everything a node consists of, in the reverse of the order in which it must go: the server first,
// then the cache (which cancels what loads), the origins' threads, and the loops last.
int serve(const ServeOptions& options) {
  std::signal(SIGPIPE, SIG_IGN);
  // Its only words would be about strings of clients that aren't UTF-8, one line of standard error for
  // each request; the status says it to the client.
  google::protobuf::SetLogHandler(nullptr);
  raise_descriptor_limit();
  const StandardErrorLog log_to;
  const Log log = log_to.log();
  LoopGroup loops(options.threads);
  const Result<NodeTls> tls = load_tls(options.tls, log);
  if (!tls) return fail(tls.error());
  ThreadPool pool(kOriginThreads, kMaxWaitingLoads);
  cache::Cache cache(std::make_unique<cache::RpcPeerFactory>(loops, log, tls->peers.get()));
  if (Status status = add_groups(options.groups, cache, pool); !status) return fail(status);
  const Result<Members> members = members_of(options.addresses);
  if (!members) return fail(members.error());
  if (!members->all.empty()) {
    if (Status status = cache.set_members(members->self, members->all); !status) return fail(status);
  }

  ServerOptions server_options;
  server_options.max_concurrent_streams = kMaxConcurrentStreams;
  server_options.log = log;
  Services services(cache);
  Result<std::unique_ptr<Server>> server = Server::create(loops, server_options);
  if (!server) return fail(server.error());
  if (Status status = services.register_with(**server); !status) return fail(status);
  Signals signals(*tls);
  const Result<uint16_t> port = tls->server != nullptr ? (*server)->listen(options.addresses.listen, *tls->server)
                                                       : (*server)->listen(options.addresses.listen);
  if (!port) return fail(port.error());
  std::cout << "listening on " << with_port(options.addresses.listen, *port) << std::endl;
  const Status ended = signals.wait_for(**server, services.health);
  return ended ? kExitOk : fail(ended);
}

}  // namespace

std::function<int()> add_serve(CLI::App& program) {
  auto options = std::make_shared<ServeOptions>();
  CLI::App& command = *program.add_subcommand("serve",
                                              "Run one node until SIGTERM, which lets running calls end; "
                                              "a second one stops it at once.");
  const auto repeatable = [](CLI::Option* option) { option->expected(1)->take_all()->allow_extra_args(false); };
  command
      .add_option("--listen", options->addresses.listen,
                  "Where to listen. Port 0 is any free one; the node prints which")
      ->required()
      ->type_name("HOST:PORT");
  command
      .add_option("--self", options->addresses.self,
                  "The address by which the other nodes know this one, exactly as they write it. Default: --listen, "
                  "if that is a real address")
      ->type_name("HOST:PORT");
  repeatable(command
                 .add_option("--peer", options->addresses.peers,
                             "Another node of the cluster; once for each. Every node gets the same ones, with or "
                             "without itself")
                 ->type_name("HOST:PORT"));
  options->tls.add_to(command);
  command.add_option("--threads", options->threads, "Event loops, one thread each")
      ->capture_default_str()
      ->check(CLI::Range(1, 1024))
      ->type_name("N");
  repeatable(command
                 .add_option("--group", options->groups,
                             "A group and where its values come from; once for each. "
                             "The same on every node")
                 ->required()
                 ->type_name("NAME=ORIGIN[,max_bytes=64MiB][,ttl=5m]"));
  command.footer(
      "ORIGIN is one of\n"
      "  file:DIR                 the key is a path below DIR; one that leaves DIR, by .. or by a link, is NOT_FOUND\n"
      "  sqlite:FILE?query=SQL    any SQL with one parameter, the key; the value is the first column:\n"
      "                           sqlite:scores.db?query=SELECT v FROM t WHERE k=?\n"
      "Options stand at the end, each at most once:\n"
      "  ,max_bytes=SIZE          memory for keys, values and their bookkeeping (64MiB)\n"
      "  ,ttl=DURATION            how long a value may be given out (for ever)\n"
      "Nodes with the same groups and the same peers form a cluster: each key is loaded by the one node that owns it.\n"
      "Exit code 0 after SIGTERM, 2 on an error.");
  return [options] { return serve(*options); };
}

}  // namespace gaggle::cli
