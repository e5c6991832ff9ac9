// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "gaggle/base/clock.h"
#include "gaggle/base/ref.h"
#include "gaggle/net/loop_group.h"
#include "gaggle/rpc/codec.h"
#include "gaggle/rpc/compressor.h"
#include "gaggle/rpc/server.h"
#include "gaggle/rpc/server_interceptors.h"
#include "gaggle/rpc/server_methods.h"
#include "gaggle/rpc/server_reply.h"
#include "gaggle/rpc/server_request.h"
#include "gaggle/rpc/stats_tags.h"
#include "gaggle/transport/connection.h"

namespace gaggle {

class ServerLoop;

// What the parts of one server share, on all its loops: options, methods, and how it ends.
//
// Counted, since it outlives the Server when that is destroyed on one of its own loops: then each
// part that still runs holds a reference. Methods are added before the first loop takes part and
// only read afterwards.
//
// The end goes through two rounds, each of which every loop has to report: listeners closed (from
// then on no connection can come), then connections drained, handlers ended.
class ServerCore final : public RefCounted<ServerCore> {
 public:
  ServerCore(LoopGroup& loops, ServerOptions options);
  ~ServerCore();

  const ServerOptions& options() const noexcept { return options_; }
  const transport::Options& transport_options() const noexcept { return transport_; }
  const MethodTable& methods() const noexcept { return methods_; }
  const ReplyTemplates& templates() const noexcept { return templates_; }
  const CompressorRegistry& compressors() const noexcept { return compressors_; }
  RequestRules request_rules() const noexcept { return {methods_, compressors_, *options_.codecs, options_.codec}; }
  UnaryServerInterceptor* interceptor() noexcept { return interceptors_.get(); }
  StreamServerInterceptor* stream_interceptor() noexcept { return stream_interceptors_.get(); }
  // Null when there are none.
  const StatsHandlers* stats_handlers() const noexcept {
    return options_.stats_handlers.empty() ? nullptr : &options_.stats_handlers;
  }
  LoopGroup& group() noexcept { return group_; }
  // Whether somebody has a say in whether a call may begin.
  bool guards_calls() const noexcept { return options_.tap != nullptr || options_.memory_quota != nullptr; }

  // Any thread.
  Status register_service(const ServiceDesc& desc, Service& implementation);
  Status begin_serving();  // registration ends; FAILED_PRECONDITION after shutdown
  void shutdown(Duration grace);
  Status wait();
  void wait_until_stopped();
  ServerCounters counters() const;

  // The part of `loop`, or of the loop with the fewest connections; null for a loop of others.
  ServerLoop* part_of(const Loop& loop) noexcept;
  ServerLoop& least_loaded() noexcept;
  ServerLoop& any_part() noexcept { return *parts_.front(); }

  // One place of max_connections; false when there is none, or the memory is scarce. Any thread.
  bool take_connection() noexcept;
  void connection_gone() noexcept { connections_.fetch_sub(1, std::memory_order_relaxed); }

  // From the loops.
  void listeners_closed() noexcept;
  void drained() noexcept;

 private:
  enum class Phase : uint8_t { kSetup, kServing, kClosing, kDraining, kStopped };

  LoopGroup& group_;
  const CodecRegistry built_in_codecs_;
  ServerOptions options_;
  std::unique_ptr<const CompressorRegistry> own_compressors_;  // null: they are the user's
  const CompressorRegistry& compressors_;
  transport::Options transport_;
  ReplyTemplates templates_;
  InterceptorChain interceptors_;
  StreamInterceptorChain stream_interceptors_;
  MethodTable methods_;  // written in Phase::kSetup, under the mutex
  std::vector<std::unique_ptr<ServerLoop>> parts_;

  std::atomic<uint64_t> connections_{0};
  std::atomic<uint64_t> refused_{0};

  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable stopped_;
  Phase phase_ = Phase::kSetup;
  size_t missing_ = 0;  // parts that haven't reported in this phase
  TimePoint grace_ends_ = kNever;
};

}  // namespace gaggle
