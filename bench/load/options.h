// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace bench {

// What a load generator is asked to do. Every generator takes all flags; one that can't do what is asked says so and
// ends with 2.
struct LoadOptions {
  int port = 0;
  int connections = 1;
  int streams = 1;               // calls in flight on each
  std::string kind = "unary";    // unary, chat, download, get (GroupCache/Get), hold (open chats, then quiet)
  std::uint32_t payload = 100;   // bytes, in both directions
  std::uint32_t messages = 100;  // of one download
  std::uint32_t window = 1;      // messages in flight on each chat
  double seconds = 1;            // measured
  double warm_up = 0.2;          // before that
  double rate = 0;               // calls per second of all together, at constant distances; 0: as fast as answers come
  std::uint32_t timeout_ms = 0;  // of each call; 0: none
  std::uint32_t errors_per_mille = 0;  // of the calls, that ask for an error
  std::uint32_t burn_us = 0;           // that the handler computes
  std::uint32_t keep_going = 0;        // 1: failed calls are counted, and all goes on
  std::string ca;                      // a file in PEM: TLS
  std::uint32_t response_bytes = 0;    // TCP only; 0: as long as the request
  std::uint32_t busy_poll_us = 0;      // ours only: LoopOptions::busy_poll
  int server_pid = 0;                  // whose CPU time is reported along; 0: nobody's
};

// Ends the program with a message on anything it doesn't know.
LoadOptions parse_load_options(int argc, char** argv);

// Ends the program: this generator doesn't do that.
[[noreturn]] void not_offered(const char* what);

}  // namespace bench
