// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>
#include <utility>

#include "gaggle/base/status.h"

namespace gaggle {

struct Peer;

// What a tap is shown of a call that doesn't exist yet. Valid during the tap's call only.
class TapInfo {
 public:
  // "/package.Service/Method": registered, or for ServerOptions::unknown_service.
  virtual std::string_view method() const noexcept = 0;
  virtual const Peer& peer() const = 0;
  // The first header of that name (lower case), as it came: "-bin" values are still base64.
  virtual std::optional<std::string_view> header(std::string_view name) const noexcept = 0;

 protected:
  ~TapInfo() = default;
};

// What a tap decides.
class [[nodiscard]] TapVerdict {
 public:
  static TapVerdict accept() { return TapVerdict(Kind::kAccept); }
  // The call ends with `why`, which must not be OK, as a Trailers-Only answer.
  static TapVerdict reject(Status why) { return TapVerdict(Kind::kReject, std::move(why)); }
  // RST_STREAM(REFUSED_STREAM) and nothing else: the cheapest answer there is. Clients take it as
  // never processed: they try once more, elsewhere if they can, then give UNAVAILABLE.
  static TapVerdict drop() { return TapVerdict(Kind::kDrop); }

  bool accepts() const noexcept { return kind_ == Kind::kAccept; }
  bool drops() const noexcept { return kind_ == Kind::kDrop; }
  const Status& status() const noexcept { return status_; }

 private:
  enum class Kind : unsigned char { kAccept, kReject, kDrop };
  explicit TapVerdict(Kind kind, Status status = {}) : kind_(kind), status_(std::move(status)) {}

  Kind kind_;
  Status status_;
};

// Decides about each call before anything is made for it: no call object, no message, no handler.
// For shedding load and for turning away callers at the least cost.
//
// Runs while a connection's input is being parsed, on the loop's thread: it must be quick, must not
// block, and may not touch the server. Shared by all loops: keep no unsynchronised state. Calls that
// the server refuses itself (malformed, unknown) don't come here. One that throws rejects the call with
// UNKNOWN, one that rejects with OK does so with INTERNAL. grpc-go: InTapHandle.
class ServerTap {
 public:
  virtual ~ServerTap() = default;
  virtual TapVerdict inspect(const TapInfo& call) = 0;
};

}  // namespace gaggle
