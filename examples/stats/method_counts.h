// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <ostream>
#include <string>

#include "gaggle/rpc/stats_handler.h"

// Counts calls and bytes for each method, of any clients and servers that it's given to:
//
//   auto counts = std::make_shared<MethodCounts>();
//   auto server = Server::create(loops, {.stats_handlers = {counts}});
//   counts->print(std::cout);
class MethodCounts final : public gaggle::StatsHandler {
 public:
  // A line for each method: "server /hello.Greeter/SayHello calls 2 errors 0 sent 31 received 12 bytes".
  // Any thread.
  void print(std::ostream& out) const;

 private:
  struct Counts {
    std::atomic<uint64_t> calls{0}, errors{0}, sent{0}, received{0};
  };

  gaggle::stats::Tag on_call_begin(const gaggle::stats::CallBegin& event) noexcept override;
  void on_message_sent(gaggle::stats::Tag, const gaggle::stats::Payload&) noexcept override;
  void on_message_received(gaggle::stats::Tag, const gaggle::stats::Payload&) noexcept override;
  void on_call_end(gaggle::stats::Tag, const gaggle::stats::CallEnd&) noexcept override;

  mutable std::mutex mutex_;               // guards the map, not what is in it
  std::map<std::string, Counts> methods_;  // only grows, so that tags may point into it
};
