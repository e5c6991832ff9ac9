// SPDX-License-Identifier: Apache-2.0
//
// gaggle_interop_server --port N: the server of gRPC's interoperability tests.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>
#include <csignal>
#include <iostream>
#include <string>

#include "gaggle/net/loop_group.h"
#include "gaggle/rpc/credentials/tls.h"
#include "gaggle/rpc/server.h"
#include "gaggle/services/reflection.h"
#include "server/load_report_service.h"
#include "server/test_service.h"

namespace gaggle::interop {
namespace {

struct Flags {
  uint16_t port = 10000;
  size_t threads = 2;
  bool use_tls = false;
  std::string tls_cert_file;
  std::string tls_key_file;
};

int fail(const Status& status) {
  std::cerr << "gaggle_interop_server: " << status.to_string() << '\n';
  return 1;
}

Result<std::unique_ptr<TlsServerCredentials>> credentials_of(const Flags& flags) {
  if (!flags.use_tls) return std::unique_ptr<TlsServerCredentials>();
  TlsServerOptions options;
  options.certificates.file = flags.tls_cert_file;
  options.private_key.file = flags.tls_key_file;
  return TlsServerCredentials::create(std::move(options));
}

int serve(const Flags& flags) {
  const Result<std::unique_ptr<TlsServerCredentials>> tls = credentials_of(flags);
  if (!tls) return fail(tls.error());
  LoopGroup loops(flags.threads);
  ServerLoad load;
  TestService tests(load, "gaggle-" + std::to_string(::getpid()));
  LoadReportService reports(load);
  ReflectionServer reflection;
  Result<std::unique_ptr<Server>> server = Server::create(loops);
  if (!server) return fail(server.error());
  if (Status status = grpc::testing::RegisterTestServiceServer(**server, tests); !status) return fail(status);
  if (Status status = xds::service::orca::v3::RegisterOpenRcaServiceServer(**server, reports); !status) {
    return fail(status);
  }
  if (Status status = reflection.register_with(**server); !status) return fail(status);
  const std::string address = "127.0.0.1:" + std::to_string(flags.port);
  const Result<uint16_t> port = *tls ? (*server)->listen(address, **tls) : (*server)->listen(address);
  if (!port) return fail(port.error());
  std::cout << "listening on port " << *port << std::endl;

  asio::io_context signal_loop;
  asio::signal_set signals(signal_loop, SIGTERM, SIGINT);
  signals.async_wait([&](const asio::error_code&, int) { (*server)->stop(); });
  signal_loop.run();
  const Status ended = (*server)->wait();
  const ServerCounters counters = (*server)->counters();
  std::cout << counters.connections_accepted << " connections, " << counters.calls_started
            << " calls: " << counters.calls_succeeded << " ended with OK, " << counters.calls_failed << " otherwise, "
            << counters.calls_now << " not at all" << std::endl;
  return ended ? 0 : fail(ended);
}

}  // namespace
}  // namespace gaggle::interop

int main(int argc, char** argv) {
  CLI::App app("The server of gRPC's interoperability tests.");
  gaggle::interop::Flags flags;
  app.add_option("--port", flags.port, "Where to listen, on 127.0.0.1; 0 is any free one")->capture_default_str();
  app.add_option("--threads", flags.threads, "Event loops")->capture_default_str()->check(CLI::Range(1, 64));
  app.add_flag("--use_tls", flags.use_tls);
  app.add_option("--tls_cert_file", flags.tls_cert_file, "With --use_tls: who the server is, PEM");
  app.add_option("--tls_key_file", flags.tls_key_file, "The certificate's key, PEM");
  CLI11_PARSE(app, argc, argv);
  return gaggle::interop::serve(flags);
}
