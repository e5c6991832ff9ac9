// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

namespace bench {

// What every benchmarked server takes from its command line.
struct ServerOptions {
  int port = 0;          // 0 lets the system choose; announce_port() tells which it was
  int threads = 1;       // event loops or completion queues; a server without threads ignores it
  int busy_poll_us = 0;  // ours only: LoopOptions::busy_poll
  std::string cert;      // with `key`, files in PEM: TLS
  std::string key;

  bool tls() const { return !cert.empty(); }
};

// Reads the command line and ends the program with a message on anything it doesn't know.
inline ServerOptions parse_server_options(int argc, char** argv) {
  ServerOptions options;
  for (int i = 1; i < argc; i += 2) {
    const std::string_view flag = argv[i];
    int* const number = flag == "--port"           ? &options.port
                        : flag == "--threads"      ? &options.threads
                        : flag == "--busy-poll-us" ? &options.busy_poll_us
                                                   : nullptr;
    std::string* const text = flag == "--cert" ? &options.cert : flag == "--key" ? &options.key : nullptr;
    if ((number == nullptr && text == nullptr) || i + 1 == argc) {
      std::fprintf(stderr, "usage: %s [--port N] [--threads N] [--cert FILE --key FILE]\n", argv[0]);
      std::exit(2);
    }
    if (number != nullptr) *number = std::atoi(argv[i + 1]);
    if (text != nullptr) *text = argv[i + 1];
  }
  return options;
}

// Tells the runner that the server is ready, and where: one line "port N" on standard output.
inline void announce_port(int port) {
  std::printf("port %d\n", port);
  std::fflush(stdout);
}

// Keeps the core busy: what a handler that computes something costs.
inline void burn(unsigned microseconds) {
  if (microseconds == 0) return;
  const auto end = std::chrono::steady_clock::now() + std::chrono::microseconds{microseconds};
  while (std::chrono::steady_clock::now() < end) {
  }
}

inline std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace bench
