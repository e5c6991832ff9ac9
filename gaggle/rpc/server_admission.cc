// SPDX-License-Identifier: Apache-2.0
//
// Whether a call may begin: what the memory quota and the tap say before anything is made for it.
#include <exception>
#include <utility>

#include "gaggle/rpc/memory_quota.h"
#include "gaggle/rpc/server_call.h"
#include "gaggle/rpc/server_connection.h"
#include "gaggle/rpc/server_core.h"
#include "gaggle/rpc/server_loop.h"
#include "gaggle/rpc/server_request.h"
#include "gaggle/rpc/server_tap.h"

namespace gaggle {
namespace {

class Tapped final : public TapInfo {
 public:
  Tapped(ServerConnection& connection, const http2::HeaderBlock& block, std::string_view method)
      : connection_(connection), block_(block), method_(method) {}

  std::string_view method() const noexcept override { return method_; }
  const Peer& peer() const override { return connection_.peer(); }
  std::optional<std::string_view> header(std::string_view name) const noexcept override {
    for (const http2::HeaderField& field : block_.fields()) {
      if (field.name == name) return field.value;
    }
    return std::nullopt;
  }

 private:
  ServerConnection& connection_;
  const http2::HeaderBlock& block_;
  std::string_view method_;
};

// An exception must not unwind through the parser that called us.
TapVerdict ask(ServerTap& tap, const TapInfo& call) noexcept {
  try {
    TapVerdict verdict = tap.inspect(call);
    const bool contradicts = !verdict.accepts() && !verdict.drops() && verdict.status().is_ok();
    return contradicts ? TapVerdict::reject(Status::internal("the tap rejected the call with OK")) : verdict;
  } catch (...) {
    return TapVerdict::reject(Status::unknown("the tap threw an exception"));
  }
}

}  // namespace

bool ServerConnection::admit(http2::Stream& stream, const http2::HeaderBlock& block, const RequestHead& head) {
  const ServerOptions& options = core_.options();
  if (options.memory_quota != nullptr && !has_memory(stream, block, head)) return false;
  if (options.tap == nullptr) return true;
  const TapVerdict verdict = ask(*options.tap, Tapped(*this, block, head.path));
  if (verdict.accepts()) return true;
  part_.count(ServerLoop::Event::kTapped);
  if (verdict.drops()) {
    drop(stream, http2::ErrorCode::kRefusedStream);
    tell_refused(block, head, Status::unavailable("the tap dropped the call"), false);
  } else {
    refuse(stream, head, 200, verdict.status());
    tell_refused(block, head, verdict.status(), true);
  }
  return false;
}

bool ServerConnection::has_memory(http2::Stream& stream, const http2::HeaderBlock& block, const RequestHead& head) {
  MemoryQuota& quota = *core_.options().memory_quota;
  const MemoryQuota::Level level = quota.level();
  if (level < MemoryQuota::Level::kScarce) return true;
  quota.count(MemoryQuota::Event::kRefusedCall);
  const Status why = Status::resource_exhausted("the server is short of memory");
  const bool answered = level < MemoryQuota::Level::kExhausted;
  if (answered) {
    refuse(stream, head, 200, why);
  } else {
    drop(stream, http2::ErrorCode::kEnhanceYourCalm);
  }
  tell_refused(block, head, why, answered);
  return false;
}

void ServerConnection::update_memory() noexcept {
  MemoryQuota* const quota = core_.options().memory_quota;
  if (quota == nullptr) return;
  size_t bytes = closed_ ? 0 : MemoryQuota::kConnectionBytes + http2().buffered_bytes();
  for (const ServerCall* call = calls_; call != nullptr; call = call->next_call) bytes += call->buffered_bytes();
  quota->change(charged_bytes_, bytes);
  charged_bytes_ = bytes;
  if (follow_memory(*quota)) flush();
}

// Makes the windows as large as the memory allows; true if there is something to send.
bool ServerConnection::follow_memory(MemoryQuota& quota) noexcept {
  const bool small = !closed_ && quota.level() >= MemoryQuota::Level::kShort;
  if (small == small_window_) return false;
  small_window_ = small;
  if (closed_) return false;
  http2().limit_connection_window(small ? MemoryQuota::kShortWindowBytes : UINT32_MAX);
  if (small) {
    small_streams_ = true;
    http2().limit_stream_windows(MemoryQuota::kShortStreamWindowBytes);
    quota.count(MemoryQuota::Event::kShrunkWindow);
    part_.watch_memory();
  }
  return true;
}

// Only now and then: a level that goes up and down with every call must not send SETTINGS with each.
void ServerConnection::check_memory() noexcept {
  update_memory();
  if (small_window_ || closed_ || !std::exchange(small_streams_, false)) return;
  http2().limit_stream_windows(UINT32_MAX);
  flush();
}

}  // namespace gaggle
