// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/client_health.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "gaggle/net/loop.h"
#include "gaggle/net/sleep.h"
#include "gaggle/rpc/client_backoff.h"
#include "gaggle/rpc/client_channel.h"
#include "gaggle/rpc/client_stream_call.h"
#include "gaggle/rpc/client_subconn.h"

namespace gaggle {
namespace {

constexpr std::string_view kMethod = "/grpc.health.v1.Health/Watch";

// The two messages of the method are a field each; this layer has no protobuf. Both are field 1:
// HealthCheckRequest.service, a string, and HealthCheckResponse.status, an enum.

void append_varint(std::string& out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}

Bytes encode_request(std::string_view service) {
  std::string out;
  if (!service.empty()) {
    out += '\x0a';
    append_varint(out, service.size());
    out += service;
  }
  return Bytes::take(std::move(out));
}

bool take_varint(std::span<const uint8_t>& bytes, uint64_t& value) {
  value = 0;
  for (unsigned shift = 0; shift < 64 && !bytes.empty(); shift += 7) {
    const uint8_t byte = bytes.front();
    bytes = bytes.subspan(1);
    value |= uint64_t{byte & 0x7Fu} << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

// Nothing when this is no such message. Fields that we don't know are skipped.
std::optional<uint64_t> decode_status(std::span<const uint8_t> bytes) {
  uint64_t status = 0;
  while (!bytes.empty()) {
    uint64_t tag = 0;
    uint64_t value = 0;
    if (!take_varint(bytes, tag)) return std::nullopt;
    switch (tag & 7) {
      case 0:
        if (!take_varint(bytes, value)) return std::nullopt;
        if (tag >> 3 == 1) status = value;
        continue;
      case 1: value = 8; break;
      case 2:
        if (!take_varint(bytes, value)) return std::nullopt;
        break;
      case 5: value = 4; break;
      default: return std::nullopt;
    }
    if (value > bytes.size()) return std::nullopt;
    bytes = bytes.subspan(static_cast<size_t>(value));
  }
  return status;
}

constexpr uint64_t kServing = 1;
constexpr std::array<std::string_view, 4> kStatusNames = {"UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"};

// Lets go of the call, however the frame ends.
class Detach {
 public:
  explicit Detach(ClientStreamCall& call) noexcept : call_(call) {}
  Detach(const Detach&) = delete;
  Detach& operator=(const Detach&) = delete;
  ~Detach() { call_.detach(); }

 private:
  ClientStreamCall& call_;
};

}  // namespace

ClientHealthWatch::ClientHealthWatch(ClientSubConn& subconn, ClientChannel& channel, std::string service)
    : subconn_(Ref<ClientSubConn>::share(&subconn)),
      channel_(Ref<ClientChannel>::share(&channel)),
      service_(std::move(service)) {}

ClientHealthWatch::~ClientHealthWatch() = default;

void ClientHealthWatch::begin() { start(run(), *this, source_.context()); }

void ClientHealthWatch::leave() noexcept {
  wanted_ = false;
  source_.cancel(Status::cancelled("nobody wants to know the server's health any more"));
}

void ClientHealthWatch::end() noexcept {
  if (wanted_) subconn_->on_health_watch_over();
  delete this;
}

Task<Status> ClientHealthWatch::run() {
  Loop& loop = channel_->loop();
  const ConnectBackoff& waits = channel_->options().backoff;
  Backoff backoff(waits, channel_->random());
  for (;;) {
    const TimePoint began = loop.now();
    answered_ = false;
    Task<Status> asking = ask();
    Status ended = co_await std::move(asking);
    // When the connection is gone, the SubConn's state says it all.
    if (!wanted_ || !subconn_->has_transport()) co_return ended;
    if (ended.code() == StatusCode::kUnimplemented) {
      channel_->options().log(LogLevel::kWarning, subconn_->address().to_string() +
                                                      " has no health service, which the service config wants to be "
                                                      "asked; it's taken for healthy");
      subconn_->on_health({ConnectivityState::kReady, {}});
      co_return ended;
    }
    tell_failure(Status::unavailable("the server's health can't be asked: " + ended.to_string()));
    if (!wanted_) co_return ended;
    if (answered_) backoff.reset();
    const Duration wait = answered_ ? std::max(Duration::zero(), began + waits.initial - loop.now()) : backoff.next();
    auto sleeping = sleep_for(loop, wait);
    Status slept = co_await sleeping;
    if (!slept) co_return slept;
  }
}

// One call, from its beginning to its end.
Task<Status> ClientHealthWatch::ask() {
  ClientStreamCall& call = *new ClientStreamCall(*channel_, false, true);
  const Detach detach(call);
  call.pin(*subconn_);
  const CallOptions options{.wait_for_ready = true};
  call.prepare(source_.context(), kMethod, options);
  ClientStreamOperation opening(call, ClientStreamOperation::Kind::kOpen);
  co_await opening;
  if (!opening.status()) co_return opening.status();
  const Bytes request = encode_request(service_);
  ClientStreamOperation sending(call, message_of(request));
  co_await sending;
  if (!sending.status()) co_return sending.status();
  for (;;) {
    Bytes answer;
    ClientStreamOperation receiving(call, message_of(answer));
    co_await receiving;
    if (!receiving.status()) co_return receiving.status();
    if (!receiving.more()) co_return Status::unavailable("the server ended the call");
    answered_ = true;
    if (!wanted_) co_return Status::ok();
    tell(answer);
  }
}

void ClientHealthWatch::tell(const Bytes& answer) {
  const std::optional<uint64_t> status = decode_status(answer.span());
  if (!status) return tell_failure(Status::unavailable("the server's answer about its health can't be decoded"));
  if (*status == kServing) return subconn_->on_health({ConnectivityState::kReady, {}});
  const std::string name = *status < kStatusNames.size() ? std::string(kStatusNames[*status]) : std::to_string(*status);
  tell_failure(Status::unavailable("the server says of \"" + service_ + "\" that it is " + name));
}

void ClientHealthWatch::tell_failure(const Status& why) {
  const Status error = Status::unavailable(subconn_->address().to_string() + ": " + std::string(why.message()));
  channel_->note_error(error);
  subconn_->on_health({ConnectivityState::kTransientFailure, error});
}

}  // namespace gaggle
