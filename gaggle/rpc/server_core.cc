// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/server_core.h"

#include <algorithm>
#include <utility>

#include "gaggle/rpc/memory_quota.h"
#include "gaggle/rpc/server_loop.h"

namespace gaggle {
namespace {

transport::Options transport_options_of(const ServerOptions& options) {
  transport::Options transport;
  transport.http2.limits = options.http2;
  transport.http2.limits.max_concurrent_streams = options.max_concurrent_streams;
  transport.http2.limits.write_progress_timeout = options.write_timeout;
  transport.http2.limits.preface_timeout = options.connection_timeout;
  transport.keepalive = {
      .time = options.keepalive.time, .timeout = options.keepalive.timeout, .permit_without_stream = true};
  transport.max_idle = options.max_connection_idle;
  transport.age_grace = options.max_connection_age_grace;
  return transport;
}

}  // namespace

ServerCore::ServerCore(LoopGroup& loops, ServerOptions options)
    : group_(loops),
      options_(std::move(options)),
      compressors_(options_.compressors.get(own_compressors_)),
      transport_(transport_options_of(options_)),
      interceptors_(options_.unary_interceptors),
      stream_interceptors_(options_.stream_interceptors) {
  if (options_.unknown_service != nullptr) methods_.set_unknown(*options_.unknown_service);
  if (options_.codecs == nullptr) options_.codecs = &built_in_codecs_;
  for (size_t i = 0; i < group_.size(); ++i) parts_.push_back(std::make_unique<ServerLoop>(*this, group_.loop(i)));
}

ServerCore::~ServerCore() = default;

Status ServerCore::register_service(const ServiceDesc& desc, Service& implementation) {
  const std::lock_guard lock(mutex_);
  if (phase_ != Phase::kSetup) {
    return Status::failed_precondition("services are registered before the server starts: \"" +
                                       std::string(desc.service_name) + "\" came after the first listen");
  }
  return methods_.add(desc, implementation);
}

Status ServerCore::begin_serving() {
  const std::lock_guard lock(mutex_);
  if (phase_ == Phase::kSetup) phase_ = Phase::kServing;
  return phase_ == Phase::kServing ? Status::ok() : Status::failed_precondition("the server is shutting down");
}

ServerLoop* ServerCore::part_of(const Loop& loop) noexcept {
  const auto found = std::ranges::find_if(parts_, [&](const auto& part) { return &part->loop() == &loop; });
  return found == parts_.end() ? nullptr : found->get();
}

ServerLoop& ServerCore::least_loaded() noexcept {
  ServerLoop* const part = part_of(group_.least_loaded());
  return part != nullptr ? *part : any_part();
}

bool ServerCore::take_connection() noexcept {
  MemoryQuota* const quota = options_.memory_quota;
  if (quota != nullptr && quota->level() >= MemoryQuota::Level::kScarce) {
    quota->count(MemoryQuota::Event::kRefusedConnection);
    refused_.fetch_add(1, std::memory_order_relaxed);
    return false;
  }
  const uint64_t before = connections_.fetch_add(1, std::memory_order_relaxed);
  if (options_.max_connections == 0 || before < options_.max_connections) return true;
  connections_.fetch_sub(1, std::memory_order_relaxed);
  refused_.fetch_add(1, std::memory_order_relaxed);
  return false;
}

// --- The end ---

void ServerCore::shutdown(Duration grace) {
  const TimePoint ends = deadline_after(parts_.front()->loop().clock().now(), std::max(grace, Duration::zero()));
  const std::lock_guard lock(mutex_);
  grace_ends_ = std::min(grace_ends_, ends);
  if (phase_ == Phase::kSetup || phase_ == Phase::kServing) {
    phase_ = Phase::kClosing;
    missing_ = parts_.size();
    for (const auto& part : parts_) {
      part->loop().post([core = Ref<ServerCore>::share(this), &part = *part] { part.close_listeners(); });
    }
  } else if (phase_ == Phase::kDraining) {
    for (const auto& part : parts_) {
      part->loop().post(
          [core = Ref<ServerCore>::share(this), &part = *part, when = grace_ends_] { part.set_grace(when); });
    }
  }
}

void ServerCore::listeners_closed() noexcept {
  const std::lock_guard lock(mutex_);
  if (--missing_ != 0) return;
  phase_ = Phase::kDraining;
  missing_ = parts_.size();
  for (const auto& part : parts_) {
    part->loop().post(
        [core = Ref<ServerCore>::share(this), &part = *part, when = grace_ends_] { part.begin_drain(when); });
  }
}

void ServerCore::drained() noexcept {
  const std::lock_guard lock(mutex_);
  if (phase_ != Phase::kDraining || --missing_ != 0) return;
  phase_ = Phase::kStopped;
  stopped_.notify_all();
}

Status ServerCore::wait() {
  if (group_.on_loop_thread()) {
    return Status::failed_precondition("wait() on one of the server's own loops would wait for itself");
  }
  wait_until_stopped();
  return Status::ok();
}

void ServerCore::wait_until_stopped() {
  std::unique_lock lock(mutex_);
  stopped_.wait(lock, [this] { return phase_ == Phase::kStopped; });
}

ServerCounters ServerCore::counters() const {
  ServerCounters sum;
  for (const auto& part : parts_) part->add_counters(sum);
  sum.connections_refused = refused_.load(std::memory_order_relaxed);
  return sum;
}

}  // namespace gaggle
