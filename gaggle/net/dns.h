// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "gaggle/base/clock.h"
#include "gaggle/base/result.h"
#include "gaggle/net/address.h"
#include "gaggle/net/task.h"

namespace gaggle {

class Loop;

// What to ask the domain name system for.
struct DnsQuery {
  std::string host;
  uint16_t port = 0;      // of the addresses in the answer
  std::string text_name;  // the name whose TXT records are wanted too; empty: none
  // "8.8.8.8:53", "[::1]:53": the name server to ask; empty: those that the system is configured with.
  std::string server;
  // How much longer than the addresses the TXT records may take: some name servers never answer such a
  // question, and that must not cost the addresses.
  Duration text_patience = std::chrono::seconds{5};
};

struct DnsAnswer {
  std::vector<Address> addresses;  // numeric, IPv6 and IPv4, best first (RFC 6724); never empty
  // Each record's strings joined. A name without such records has none; an error: whether it has any
  // couldn't be found out.
  Result<std::vector<std::string>> texts = std::vector<std::string>{};
};

// Asks for a host's addresses (A and AAAA), and for TXT records at the same time. Awaited on `loop`'s
// thread, on whose sockets and timers c-ares works: no thread waits behind it.
//
// Names in /etc/hosts are found there, everything else by the name servers of /etc/resolv.conf or
// `query.server`, over TCP when the answer is cut short; other sources of nsswitch.conf aren't asked.
// Both files are read anew each time. Up to four tries for each server, 5 s at first.
// UNAVAILABLE when the host has no address or nobody answers; CANCELLED or DEADLINE_EXCEEDED when the
// awaiting task's context ends first; then nothing stays open.
Task<Result<DnsAnswer>> ask_dns(Loop& loop, DnsQuery query);

}  // namespace gaggle
