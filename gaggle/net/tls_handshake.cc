// SPDX-License-Identifier: Apache-2.0
#include "gaggle/net/tls_handshake.h"

#include <array>
#include <chrono>
#include <utility>

#include "gaggle/net/loop.h"
#include "gaggle/net/readiness.h"
#include "gaggle/net/tls_stream.h"
#include "gaggle/net/turn_gate.h"

namespace gaggle {
namespace {

using Secured = Result<std::unique_ptr<ByteStream>>;

// Closing a socket with unread bytes in it makes TCP drop what we sent last, the alert included.
constexpr Duration kLinger = std::chrono::seconds{1};

Status timed_out(const Status& status) {
  const char* const what = status.code() == StatusCode::kDeadlineExceeded ? "not done in time" : "given up";
  return {status.code(), std::string("TLS: the handshake was ") + what + ": " + std::string(status.message())};
}

// Steps, with waits between them, until there are no more.
Task<Status> shake_hands(TlsStream& stream, TurnGate* gate) {
  for (;;) {
    switch (stream.handshake_step()) {
      case TlsStream::Step::kDone: co_return Status::ok();
      case TlsStream::Step::kFailed: co_return stream.failure();
      case TlsStream::Step::kWait: break;
    }
    auto waiting = until_readable(stream.lower());
    Status waited = co_await std::move(waiting);
    if (!waited) co_return timed_out(waited);
    if (gate == nullptr) continue;
    auto passing = gate->pass();
    Status passed = co_await std::move(passing);
    if (!passed) co_return timed_out(passed);
  }
}

Task<Status> discard_until_end(ByteStream& stream) {
  stream.shutdown_write();
  std::array<uint8_t, 1024> buffer;
  for (;;) {
    const IoResult result = stream.read(buffer);
    if (result.is_done()) continue;
    if (result.kind != IoResult::Kind::kWouldBlock) co_return Status::ok();
    auto waiting = until_readable(stream);
    Status waited = co_await std::move(waiting);
    if (!waited) co_return waited;
  }
}

}  // namespace

Task<Secured> tls_connect(std::unique_ptr<ByteStream> lower, std::shared_ptr<const TlsContext> tls,
                          std::string server_name, Context context) {
  auto stream = TlsStream::client(std::move(lower), std::move(tls), server_name);
  auto handshake = shake_hands(*stream, nullptr);
  Status status = co_await in_context(context, std::move(handshake));
  if (!status) co_return status;
  std::unique_ptr<ByteStream> secured = std::move(stream);
  co_return secured;
}

Task<Secured> tls_accept(std::unique_ptr<ByteStream> lower, std::shared_ptr<const TlsContext> tls, TurnGate& gate,
                         Context context) {
  auto stream = TlsStream::server(std::move(lower), std::move(tls));
  auto handshake = shake_hands(*stream, &gate);
  Status status = co_await in_context(context, std::move(handshake));
  if (status) {
    std::unique_ptr<ByteStream> secured = std::move(stream);
    co_return secured;
  }
  if (stream->failure().is_ok()) co_return status;
  const Context short_while = context.with_deadline(deadline_after(stream->loop().now(), kLinger));
  auto lingering = discard_until_end(stream->lower());
  Status lingered = co_await in_context(short_while, std::move(lingering));
  static_cast<void>(lingered);
  co_return status;
}

}  // namespace gaggle
