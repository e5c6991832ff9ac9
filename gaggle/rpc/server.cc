// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/server.h"

#include <future>
#include <optional>
#include <string>
#include <utility>

#include "gaggle/net/byte_stream.h"
#include "gaggle/net/loop.h"
#include "gaggle/net/loop_group.h"
#include "gaggle/rpc/server_core.h"
#include "gaggle/rpc/server_loop.h"

namespace gaggle {
namespace {

Status check_times(const ServerOptions& options) {
  const auto positive = [](Duration value, std::string_view name) {
    if (value > Duration::zero()) return Status::ok();
    return Status::invalid_argument(std::string(name) + " must be positive");
  };
  if (options.keepalive.time < std::chrono::seconds{1}) {
    return Status::invalid_argument("keepalive.time must be at least a second");
  }
  if (Status s = positive(options.connection_timeout, "connection_timeout"); !s) return s;
  if (Status s = positive(options.keepalive.timeout, "keepalive.timeout"); !s) return s;
  if (Status s = positive(options.max_connection_idle, "max_connection_idle"); !s) return s;
  if (Status s = positive(options.max_connection_age, "max_connection_age"); !s) return s;
  if (options.max_connection_age_grace >= Duration::zero()) return Status::ok();
  return Status::invalid_argument("max_connection_age_grace must not be negative");
}

Status check(const ServerOptions& options) {
  if (options.max_concurrent_streams == 0) return Status::invalid_argument("max_concurrent_streams must be at least 1");
  if (options.max_receive_bytes == 0) return Status::invalid_argument("max_receive_bytes must be at least 1");
  if (options.write_timeout <= Duration::zero()) return Status::invalid_argument("write_timeout must be positive");
  if (Status status = check_times(options); !status) return status;
  for (const UnaryServerInterceptor* interceptor : options.unary_interceptors) {
    if (interceptor == nullptr) return Status::invalid_argument("unary_interceptors has a null pointer");
  }
  for (const StreamServerInterceptor* interceptor : options.stream_interceptors) {
    if (interceptor == nullptr) return Status::invalid_argument("stream_interceptors has a null pointer");
  }
  for (const auto& handler : options.stats_handlers) {
    if (handler == nullptr) return Status::invalid_argument("stats_handlers has a null pointer");
  }
  return Status::ok();
}

// Names aren't resolved here, but this one means the same everywhere.
Result<Address> parse_listen_address(std::string_view text) {
  Result<Address> address = Address::parse(text);
  if (address && address->host == "localhost") address->host = "127.0.0.1";
  return address;
}

class ServerImpl final : public Server {
 public:
  ServerImpl(LoopGroup& loops, ServerOptions options) : core_(make_ref<ServerCore>(loops, std::move(options))) {}

  ~ServerImpl() override {
    core_->shutdown(Duration::zero());
    if (waiting_makes_sense()) core_->wait_until_stopped();
  }

  Status register_service(const ServiceDesc& desc, Service& implementation) override {
    return core_->register_service(desc, implementation);
  }

  Result<uint16_t> listen(std::string_view address) override { return listen_with(address, nullptr); }
  Result<uint16_t> listen(std::string_view address, const ServerCredentials& credentials) override {
    return listen_with(address, &credentials);
  }

  Status serve(std::unique_ptr<ByteStream> stream) override {
    if (stream == nullptr) return Status::invalid_argument("serve() was given no stream");
    ServerLoop* const part = core_->part_of(stream->loop());
    if (part == nullptr) return Status::invalid_argument("the stream lives on a loop that isn't the server's");
    if (Status status = core_->begin_serving(); !status) return status;
    const Loop::Enter enter(part->loop());
    return part->serve(std::move(stream));
  }

  void shutdown(Duration grace) override { core_->shutdown(grace); }
  Status wait() override { return core_->wait(); }
  ServerCounters counters() const override { return core_->counters(); }

 private:
  Result<uint16_t> listen_with(std::string_view address, const ServerCredentials* credentials) {
    Result<Address> parsed = parse_listen_address(address);
    if (!parsed) return parsed.error();
    if (Status status = core_->begin_serving(); !status) return status;
    LoopGroup& group = core_->group();
    for (size_t i = 0; i < group.size(); ++i) {
      if (group.loop(i).is_current()) return core_->part_of(group.loop(i))->listen(*parsed, credentials);
    }
    ServerLoop& part = core_->any_part();
    if (!group.has_threads() && !part.loop().is_running()) {
      const Loop::Enter enter(part.loop());
      return part.listen(*parsed, credentials);
    }
    return listen_there(part, *parsed, credentials);
  }

  // A listener belongs to its loop's thread.
  static Result<uint16_t> listen_there(ServerLoop& part, const Address& address, const ServerCredentials* credentials) {
    std::promise<Result<uint16_t>> opened;
    std::future<Result<uint16_t>> result = opened.get_future();
    part.loop().post([&part, address, credentials, opened = std::move(opened)]() mutable {
      opened.set_value(part.listen(address, credentials));
    });
    return result.get();
  }

  // On one of the loops it would be waiting for itself; on a loop that nobody runs, for ever.
  bool waiting_makes_sense() const {
    LoopGroup& group = core_->group();
    return !group.on_loop_thread() && (group.has_threads() || group.loop(0).is_running());
  }

  Ref<ServerCore> core_;
};

}  // namespace

Result<std::unique_ptr<Server>> Server::create(LoopGroup& loops, ServerOptions options) {
  if (Status status = check(options); !status) return status;
  return std::unique_ptr<Server>(std::make_unique<ServerImpl>(loops, std::move(options)));
}

}  // namespace gaggle
