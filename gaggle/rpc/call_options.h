// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include "gaggle/base/status.h"

namespace gaggle {

class Metadata;
class CallCredentials;
class CallOption;
class CallRecord;
class Codec;
class FinishHook;
struct CallAttempt;
struct StreamSecurity;

// Who is at the other end.
struct Peer {
  std::string address;        // "127.0.0.1:50051", "unix:/run/x.sock", "in-process"
  std::string local_address;  // our end, in the same form
  // How the connection is protected, and by whose certificate (gaggle/net/stream_security.h); null:
  // not at all.
  std::shared_ptr<const StreamSecurity> security;
};

// What one call wants different from its connection's defaults.
//
// A plain aggregate for designated initialisers: `{.wait_for_ready = true}`. It owns nothing:
// what it points to must live until the call has completed. Connection defaults apply first, then
// the call's own; the later wins; `metadata`, `custom` and `on_finish` concatenate, and `static_method`
// is true if either is.
struct CallOptions {
  // True: the call waits, within its deadline, while there is no working connection. False (the
  // default): it fails with UNAVAILABLE as soon as the connection is known to be broken.
  std::optional<bool> wait_for_ready{};

  // Limits on one message, in bytes of its encoded form. Beyond: RESOURCE_EXHAUSTED.
  std::optional<size_t> max_receive_bytes{};  // default 4 MiB
  std::optional<size_t> max_send_bytes{};     // default 2^31 - 1

  // For calls that a service config retries or hedges (gRFC A6). What was sent is kept until the
  // server answers, at most this many bytes; a call that sends more isn't retried any more.
  std::optional<size_t> retry_buffer_bytes{};  // default 256 KiB
  // At most so many attempts, retries and hedges, the first one included, whatever more the service
  // config wants; 1: never again. gRFC A6 has 5 for it, so that a config, which may come from DNS, can't
  // make one call many; a program may say more as well as less.
  std::optional<uint32_t> max_attempts{};  // default 5

  // How the call's messages are written: the name of a codec that ClientConnOptions::codecs has; the
  // server learns it as the subtype of the content-type, "application/grpc+json", in lower case. INTERNAL
  // for a name that there is no codec for. Empty (the default) and "proto": protobuf, and Bytes as they are.
  std::string_view content_subtype{};
  // The codec itself, wherever it's from; the subtype is then its name, or `content_subtype` if that is
  // set. The answer is read by it, too, whatever its subtype.
  const Codec* codec = nullptr;

  // The method's name is one of a bounded set: written in the program, not made from input. Statistics
  // by name are then safe to keep. Generated clients say so of all their calls.
  bool static_method = false;

  // Compresses what the call sends: a name that the connection's compressors have, "gzip", "deflate"
  // and "zstd" if nobody has changed them; INTERNAL for any other. "identity": not at all, whatever the
  // connection's default. Empty (the default): as the connection does, which by default is not at all.
  // A message that compression wouldn't make smaller travels as it is.
  std::string_view compressor{};

  const Metadata* metadata = nullptr;  // sent with the call's headers; INTERNAL if it can't be
  // Says who calls, beside ClientConnOptions::call_credentials (credentials/call_credentials.h).
  CallCredentials* credentials = nullptr;
  // Replaces the connection's :authority. On a secured connection the server's certificate has to be for
  // it, too; the call ends with UNAVAILABLE otherwise.
  std::string_view authority{};

  // Filled when the call has completed (header: as soon as it has arrived).
  Metadata* header = nullptr;
  Metadata* trailer = nullptr;
  Peer* peer = nullptr;
  // Whether the latest message that was received came compressed: of a stream, as of its last recv.
  bool* received_compressed = nullptr;

  std::span<CallOption* const> custom{};     // hooks that users write; in order
  std::span<FinishHook* const> on_finish{};  // told how the call has ended; in order

  // For CallOption::after. The connection sets it; leave it null.
  CallRecord* record = nullptr;
};

// g++ 12 destroys temporaries inside a co_await expression twice; with nothing to destroy, that is
// harmless, and options may be written where the call is made.
static_assert(std::is_trivially_destructible_v<CallOptions>);

// What a hook sees of the call; the options are the combined ones and may be changed by `before`, as may
// the method, which then outlives the call. `custom` and `on_finish` are settled by then, and empty.
struct CallInfo {
  std::string_view method;  // "/package.Service/Method"
  CallOptions* options = nullptr;
};

// A user's own call option. Stands outside of all interceptors: once per call, whatever they make of it.
// One object may serve concurrent calls: then it synchronises itself.
class CallOption {
 public:
  virtual ~CallOption() = default;
  // Before anything is sent; an error ends the call with it, an exception with INTERNAL.
  virtual Status before(CallInfo&) { return {}; }
  // Exactly once when the call has ended, if `before` of this hook ran OK: with the status that the caller
  // gets, and with what its last attempt was (call_attempt.h). When FinishHook says that a call ends.
  virtual void after(const CallInfo&, const CallAttempt&) noexcept {}
};

// Told how a call has ended: exactly once, with the status that the caller gets, whatever happened to
// the call: an interceptor answered it, a hook refused it, it was cancelled or never sent. Outside of
// all interceptors. A stream ends when its caller has received the end or an error, a send has ended
// it, or it's destroyed (CANCELLED then). On the thread where that happens; one object may serve
// concurrent calls: then it synchronises itself. It must not end the call's connection.
class FinishHook {
 public:
  virtual ~FinishHook() = default;
  virtual void on_finish(std::string_view method, const Status& status) noexcept = 0;
};

}  // namespace gaggle
