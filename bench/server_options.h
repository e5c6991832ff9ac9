// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace bench {

// What every benchmarked server takes from its command line: [--port N] [--threads N].
struct ServerOptions {
  int port = 0;     // 0 lets the system choose; announce_port() tells which it was
  int threads = 1;  // event loops or completion queues; a server without threads ignores it
};

// Reads the command line and ends the program with a message on anything it doesn't know.
inline ServerOptions parse_server_options(int argc, char** argv) {
  ServerOptions options;
  for (int i = 1; i < argc; i += 2) {
    const std::string_view flag = argv[i];
    int* const target = flag == "--port" ? &options.port : flag == "--threads" ? &options.threads : nullptr;
    if (target == nullptr || i + 1 == argc) {
      std::fprintf(stderr, "usage: %s [--port N] [--threads N]\n", argv[0]);
      std::exit(2);
    }
    *target = std::atoi(argv[i + 1]);
  }
  return options;
}

// Tells the runner that the server is ready, and where: one line "port N" on standard output.
inline void announce_port(int port) {
  std::printf("port %d\n", port);
  std::fflush(stdout);
}

}  // namespace bench
