// SPDX-License-Identifier: Apache-2.0
//
// The demonstration's program; run.sh calls it in this order.
//   gaggle_demo populate TRACE DATABASE              makes the origin
//   gaggle_demo addresses N                          N addresses that were free a moment ago
//   gaggle_demo replay TRACE DATABASE HOST:PORT...   asks the nodes, twice, and reports
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "database.h"
#include "replay.h"
#include "report.h"
#include "trace.h"

namespace {

using Arguments = std::vector<std::string>;

int populate(const Arguments& arguments) {
  const size_t rows = demo::populate(arguments[1], demo::read_trace(arguments[0]));
  std::printf("%zu rows\n", rows);
  return 0;
}

// All are held until all are known, so that they differ.
int addresses(const Arguments& arguments) {
  using asio::ip::tcp;
  asio::io_context io;
  std::vector<tcp::acceptor> held;
  for (int i = 0; i < std::stoi(arguments[0]); ++i) {
    held.emplace_back(io, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    std::printf("127.0.0.1:%d\n", held.back().local_endpoint().port());
  }
  return 0;
}

int replay(const Arguments& arguments) {
  const auto trace = demo::read_trace(arguments[0]);
  const auto rows = demo::read_rows(arguments[1]);
  demo::Cluster cluster(Arguments(arguments.begin() + 2, arguments.end()));
  const auto cold = cluster.stats();
  const demo::Pass first = cluster.replay(trace, rows);
  const auto warm = cluster.stats();
  bool good = demo::report("== the trace, from cold caches", first, cluster.addresses(), cold, warm, rows.size());
  const demo::Pass second = cluster.replay(trace, rows);
  const auto end = cluster.stats();
  good &= demo::report("== the same requests again", second, cluster.addresses(), warm, end, 0);
  std::printf(good ? "each key was loaded once in the whole cluster, and none a second time\n"
                   : "something went wrong\n");
  return good ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const Arguments all(argv + 1, argv + argc);
  const Arguments rest(all.begin() + (all.empty() ? 0 : 1), all.end());
  try {
    if (rest.size() == 2 && all[0] == "populate") return populate(rest);
    if (rest.size() == 1 && all[0] == "addresses") return addresses(rest);
    if (rest.size() >= 3 && all[0] == "replay") return replay(rest);
    std::fprintf(stderr,
                 "usage: gaggle_demo populate TRACE DATABASE | addresses N | replay TRACE DATABASE HOST:PORT...\n");
  } catch (const std::exception& error) {
    std::fprintf(stderr, "gaggle_demo: %s\n", error.what());
  }
  return 2;
}
