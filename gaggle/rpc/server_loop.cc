// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/server_loop.h"

#include <algorithm>
#include <chrono>
#include <random>
#include <utility>

#include "gaggle/net/listener.h"
#include "gaggle/net/loop.h"
#include "gaggle/net/socket_stream.h"
#include "gaggle/rpc/framing.h"
#include "gaggle/rpc/server_call.h"
#include "gaggle/rpc/server_connection.h"
#include "gaggle/rpc/server_core.h"

namespace gaggle {
namespace {

// The timer is armed whenever there are connections, since an armed timer also hears when its loop is
// destroyed.
constexpr Duration kFarAway = std::chrono::hours{24 * 365};

// How long connections with small windows may wait after the memory has come back.
constexpr Duration kMemoryCheck = std::chrono::milliseconds{100};

uint64_t seed_of(const ServerCore& core) {
  const uint64_t given = core.options().random_seed;
  return given != 0 ? given : (uint64_t{std::random_device{}()} << 32) | std::random_device{}();
}

}  // namespace

ServerLoop::ServerLoop(ServerCore& core, Loop& loop)
    : core_(core),
      loop_(loop),
      handshakes_(*this),
      grace_(loop, *this),
      memory_timer_(loop, *this),
      random_(seed_of(core)) {}

ServerLoop::~ServerLoop() {
  large_->close();
  for (ServerCall* call : spare_calls_) delete call;
  while (spare_reader_count_ != 0) delete spare_readers_[--spare_reader_count_];
}

// --- Connections ---

Result<uint16_t> ServerLoop::listen(const Address& address, const ServerCredentials* credentials) {
  if (closing_) return Status::failed_precondition("the server is shutting down");
  auto opened = Listener::open(
      loop_, address,
      [this, credentials](AcceptedSocket accepted) { this->accepted(std::move(accepted.socket), credentials); },
      {.log = core_.options().log});
  if (!opened) {
    const Status& error = opened.error();
    if (error.code() != StatusCode::kFailedPrecondition) return error;
    return Status::unavailable(error.message());
  }
  const uint16_t port = (*opened)->port();
  {
    const std::lock_guard lock(listeners_mutex_);
    listeners_.push_back(std::move(*opened));
  }
  update_reference();
  return port;
}

void ServerLoop::accepted(FileDescriptor socket, const ServerCredentials* credentials) {
  if (!core_.take_connection()) return;
  ServerLoop& target = core_.least_loaded();
  target.loop_.add_load(1);
  if (&target == this) return adopt(std::move(socket), credentials);
  target.loop_.post([core = Ref<ServerCore>::share(&core_), &target, credentials, taken = std::move(socket)]() mutable {
    target.adopt(std::move(taken), credentials);
  });
}

void ServerLoop::adopt(FileDescriptor socket, const ServerCredentials* credentials) {
  auto stream = draining_ ? Result<std::unique_ptr<ByteStream>>(Status::unavailable("the server is shutting down"))
                          : make_socket_stream(loop_, std::move(socket));
  if (!stream) return drop_adopted(LogLevel::kWarning, stream.error());
  if (credentials == nullptr) return add(std::make_unique<ServerConnection>(*this, std::move(*stream)));
  if (!reference_) reference_ = Ref<ServerCore>::share(&core_);
  if (!grace_.armed()) grace_.arm_after(kFarAway);
  handshakes_.begin(std::move(*stream), *credentials);
}

void ServerLoop::handshake_ended(Result<std::unique_ptr<ByteStream>> stream) {
  if (stream && !draining_) return add(std::make_unique<ServerConnection>(*this, std::move(*stream)));
  // Anybody can make as many of these as they like.
  drop_adopted(LogLevel::kInfo, stream ? Status::unavailable("the server is shutting down") : stream.error());
  report_if_drained();
  update_reference();
}

void ServerLoop::drop_adopted(LogLevel level, const Status& why) {
  loop_.add_load(-1);
  core_.connection_gone();
  core_.options().log(level, why.message());
}

Status ServerLoop::serve(std::unique_ptr<ByteStream> stream) {
  if (closing_) return Status::failed_precondition("the server is shutting down");
  if (!core_.take_connection()) {
    return Status::resource_exhausted("the server has max_connections already, or is short of memory");
  }
  loop_.add_load(1);
  add(std::make_unique<ServerConnection>(*this, std::move(stream)));
  return Status::ok();
}

void ServerLoop::add(std::unique_ptr<ServerConnection> connection) {
  bump(connections_accepted_);
  connection->position = connections_.size();
  connections_.push_back(connection.get());
  connections_now_.store(connections_.size(), std::memory_order_relaxed);
  update_reference();
  if (!grace_.armed()) grace_.arm_after(kFarAway);
  connection.release()->start();
}

void ServerLoop::remove(ServerConnection& connection) {
  ServerConnection* const last = connections_.back();
  connections_[connection.position] = last;
  last->position = connection.position;
  connections_.pop_back();
  connections_now_.store(connections_.size(), std::memory_order_relaxed);
  delete &connection;
  loop_.add_load(-1);
  core_.connection_gone();
  report_if_drained();
  update_reference();
}

// The last thing that its callers do: it may destroy this.
void ServerLoop::update_reference() {
  if (!connections_.empty() || !listeners_.empty() || !handshakes_.empty()) {
    if (!reference_) reference_ = Ref<ServerCore>::share(&core_);
    return;
  }
  grace_.disarm();
  if (memory_timer_.armed()) memory_timer_.disarm();
  const Ref<ServerCore> last = std::exchange(reference_, nullptr);
}

Duration ServerLoop::jittered(Duration age) noexcept {
  if (age > Duration::max() / 2) return age;
  const auto tenth = static_cast<double>(age.count()) / 10;
  return age + Duration(static_cast<Duration::rep>((2 * random_.unit() - 1) * tenth));
}

void ServerLoop::watch_memory() {
  if (!memory_timer_.armed()) memory_timer_.arm_after(kMemoryCheck);
}

void ServerLoop::on_memory_timer() {
  bool small = false;
  for (ServerConnection* connection : connections_) {
    connection->check_memory();
    small |= connection->has_small_windows();
  }
  if (small) watch_memory();
}

// --- The end ---

void ServerLoop::close_listeners() {
  closing_ = true;
  std::vector<std::unique_ptr<Listener>> closed;
  {
    const std::lock_guard lock(listeners_mutex_);
    closed.swap(listeners_);
    for (const auto& listener : closed) bump(closed_backoffs_, listener->stats().out_of_descriptors);
  }
  closed.clear();
  core_.listeners_closed();
  update_reference();
}

void ServerLoop::begin_drain(TimePoint grace_ends) {
  draining_ = true;
  for (ServerConnection* connection : connections_) connection->drain();
  handshakes_.cancel_all();
  set_grace(grace_ends);
  report_if_drained();
}

void ServerLoop::set_grace(TimePoint grace_ends) {
  if (connections_.empty()) return;
  if (grace_ends <= loop_.refresh_now()) return end_everything();
  if (grace_ends != kNever) grace_.arm_at(grace_ends);
}

void ServerLoop::end_everything() {
  if (draining_) {
    // None of them can remove another one.
    const std::vector<ServerConnection*> all = connections_;
    for (ServerConnection* connection : all) connection->end("the server is shutting down");
  }
  if (!connections_.empty()) grace_.arm_after(kFarAway);
}

void ServerLoop::loop_is_going() {
  const Ref<ServerCore> keep = Ref<ServerCore>::share(&core_);
  closing_ = draining_ = true;
  {
    const std::lock_guard lock(listeners_mutex_);
    listeners_.clear();
  }
  const std::vector<ServerConnection*> all = connections_;
  for (ServerConnection* connection : all) connection->abandon();
  update_reference();
}

void ServerLoop::report_if_drained() {
  if (!draining_ || reported_ || !connections_.empty() || !handshakes_.empty()) return;
  reported_ = true;
  core_.drained();
}

// --- Pools ---

ServerCall& ServerLoop::take_call() {
  if (spare_calls_.empty()) return *new ServerCall(*this);
  ServerCall* const call = spare_calls_.back();
  spare_calls_.pop_back();
  return *call;
}

void ServerLoop::give_back(ServerCall& call) noexcept {
  call.recycle();
  if (spare_calls_.size() < kMaxSpareCalls) {
    spare_calls_.push_back(&call);
  } else {
    delete &call;
  }
}

ServerLoop::MethodPools& ServerLoop::pools(const ServerMethod& method) {
  if (pools_.empty()) pools_.resize(core_.methods().size());
  std::unique_ptr<MethodPools>& pools = pools_[method.index];
  if (pools == nullptr) {
    pools =
        std::make_unique<MethodPools>(MethodPools{MessagePool(method.request_type), MessagePool(method.response_type)});
  }
  return *pools;
}

Message ServerLoop::take_request(const ServerMethod& method, size_t encoded_bytes, size_t* memory_bytes) {
  if (encoded_bytes > LargeMessages::kMinBytes) {
    const LargeMessages::Kept large = large_->take(method.request_type);
    if (large.message.object != nullptr) return *memory_bytes = large.memory_bytes, large.message;
  }
  return pools(method).requests.take();
}

Message ServerLoop::take_response(const ServerMethod& method, size_t* memory_bytes) {
  MethodPools& pools = this->pools(method);
  if (pools.large_response) {
    const LargeMessages::Kept large = large_->take(method.response_type);
    if (large.message.object != nullptr) return *memory_bytes = large.memory_bytes, large.message;
  }
  return pools.responses.take();
}

void ServerLoop::give_back_request(const ServerMethod& method, Message request, size_t encoded_bytes,
                                   size_t memory_bytes) {
  memory_bytes = std::max(encoded_bytes, memory_bytes);
  if (memory_bytes > LargeMessages::kMinBytes) return large_->give_back(request, memory_bytes);
  pools(method).requests.give_back(request);
}

void ServerLoop::give_back_response(const ServerMethod& method, Message response, size_t encoded_bytes,
                                    size_t memory_bytes) {
  MethodPools& pools = this->pools(method);
  pools.large_response = encoded_bytes > LargeMessages::kMinBytes;
  memory_bytes = std::max(encoded_bytes, memory_bytes);
  if (memory_bytes > LargeMessages::kMinBytes) return large_->give_back(response, memory_bytes);
  pools.responses.give_back(response);
}

Bytes ServerLoop::lend_response(const ServerMethod& method, Message response, size_t encoded_bytes,
                                size_t memory_bytes) {
  pools(method).large_response = true;
  return large_->lend(response, std::max(encoded_bytes, memory_bytes));
}

MessageReader& ServerLoop::take_reader() {
  if (spare_reader_count_ == 0) return *new MessageReader(core_.options().max_receive_bytes);
  return *spare_readers_[--spare_reader_count_];
}

void ServerLoop::give_back(MessageReader& reader) noexcept {
  if (spare_reader_count_ == kMaxSpareReaders) {
    delete &reader;
    return;
  }
  reader.reset();
  spare_readers_[spare_reader_count_++] = &reader;
}

// --- Counters ---

void ServerLoop::count(const transport::Counters& counters) noexcept {
  count(Event::kKeepaliveTimeout, counters.keepalive_timeouts);
  count(Event::kWriteTimeout, counters.write_timeouts);
  count(Event::kMaxIdle, counters.max_idle_drains);
  count(Event::kMaxAge, counters.max_age_drains);
  count(Event::kMaxAgeCut, counters.age_grace_closes);
}

void ServerLoop::add_counters(ServerCounters& sum) const {
  const auto read = [](const std::atomic<uint64_t>& counter) { return counter.load(std::memory_order_relaxed); };
  // Ends are read before beginnings, so that calls_now never comes out below zero.
  const uint64_t succeeded = read(calls_succeeded_);
  const uint64_t failed = read(calls_failed_);
  const uint64_t started = read(calls_started_);
  sum.connections_accepted += read(connections_accepted_);
  sum.connections_now += read(connections_now_);
  sum.calls_started += started;
  sum.calls_succeeded += succeeded;
  sum.calls_failed += failed;
  sum.calls_now += started - succeeded - failed;
  sum.accept_backoffs += read(closed_backoffs_);
  sum.handshakes_failed += handshakes_.failed();
  sum.handshakes_delayed += handshakes_.delayed();
  const auto event = [&](Event which) { return read(events_[static_cast<size_t>(which)]); };
  sum.tapped_calls += event(Event::kTapped);
  sum.too_many_pings += event(Event::kTooManyPings);
  sum.keepalive_timeouts += event(Event::kKeepaliveTimeout);
  sum.write_timeouts += event(Event::kWriteTimeout);
  sum.max_idle_ends += event(Event::kMaxIdle);
  sum.max_age_ends += event(Event::kMaxAge);
  sum.max_age_cuts += event(Event::kMaxAgeCut);
  sum.http2 += http2::read(tallies_);
  const std::lock_guard lock(listeners_mutex_);
  for (const auto& listener : listeners_) sum.accept_backoffs += listener->stats().out_of_descriptors;
}

}  // namespace gaggle
