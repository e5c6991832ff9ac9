// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "gaggle/base/context.h"
#include "gaggle/base/result.h"
#include "gaggle/cache/value.h"
#include "gaggle/net/task.h"

namespace gaggle::cache {

// What a forwarded request says of its sender, so that it's answered where it arrives and isn't
// forwarded on and on.
struct Hop {
  std::string from;            // the sending node's own address
  uint64_t table_version = 0;  // of the slot table it chose us by
  uint32_t hops = 1;           // how often the request has been forwarded so far; see Group::fetch_forwarded
};

// What another node answered.
struct PeerAnswer {
  Result<Value> value;
  // The answer is the owner's word: its value, or its loader's status. False: the node couldn't be
  // reached, failed, or isn't set up for this; somebody else must be asked.
  bool authoritative = false;
};

// Another node of the cluster, as the cache sees it. Thread-safe.
class Peer {
 public:
  virtual ~Peer() = default;
  virtual Task<PeerAnswer> get(Context context, std::string_view group, std::string_view key, const Hop& hop) = 0;
};

// Makes the peer at an address, at the latest when it's first needed.
class PeerFactory {
 public:
  virtual ~PeerFactory() = default;
  virtual Result<std::shared_ptr<Peer>> make(const std::string& address) = 0;
};

}  // namespace gaggle::cache
