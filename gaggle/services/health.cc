// SPDX-License-Identifier: Apache-2.0
#include "gaggle/services/health.h"

#include <string>
#include <utility>

#include "gaggle/rpc/server_context.h"
#include "gaggle/services/health_state.h"
#include "grpc/health/v1/health.gaggle.h"

namespace gaggle {
namespace {

using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;
using grpc::health::v1::HealthListRequest;
using grpc::health::v1::HealthListResponse;

constexpr size_t kMaxNameBytes = 1024;
// gRFC A90 leaves the number to the server; grpc-go has the same.
constexpr size_t kMaxListed = 100;

void fill(ServingStatus status, HealthCheckResponse& response) {
  response.set_status(static_cast<HealthCheckResponse::ServingStatus>(status));
}

Status check_name(const HealthCheckRequest& request) {
  if (request.service().size() <= kMaxNameBytes) return Status::ok();
  return Status::invalid_argument("the service's name is longer than 1024 bytes");
}

}  // namespace

class HealthServer::HealthService final : public grpc::health::v1::UnimplementedHealthServer {
 public:
  explicit HealthService(std::shared_ptr<State> state) : state_(std::move(state)) {}

  Task<Status> Check(ServerContext&, const HealthCheckRequest& request, HealthCheckResponse& response) override {
    if (Status bad = check_name(request); !bad) return Task<Status>::ready(std::move(bad));
    const std::optional<ServingStatus> status = state_->get(request.service());
    if (!status) return Task<Status>::ready(Status::not_found("unknown service \"" + request.service() + "\""));
    fill(*status, response);
    return Task<Status>::ready(Status::ok());
  }

  Task<Status> List(ServerContext&, const HealthListRequest&, HealthListResponse& response) override {
    const auto all = state_->all();
    if (all.size() > kMaxListed) {
      return Task<Status>::ready(Status::resource_exhausted("there are more services than List may tell: 100"));
    }
    for (const auto& [name, status] : all) fill(status, (*response.mutable_statuses())[name]);
    return Task<Status>::ready(Status::ok());
  }

  Task<Status> Watch(ServerContext& context, const HealthCheckRequest& request,
                     ServerStreamingServer<HealthCheckResponse>& stream) override {
    if (Status bad = check_name(request); !bad) co_return bad;
    Result<Watching> watching = Watching::begin(state_, request.service(), context.loop());
    if (!watching) co_return std::move(watching).error();
    std::optional<ServingStatus> told;
    HealthCheckResponse response;
    for (;;) {
      const State::News news = state_->news(watching->watcher());
      if (told != news.status) {
        told = news.status;
        fill(news.status, response);
        Status sent = co_await stream.send(response);
        if (!sent) co_return sent;
      }
      if (news.over) co_return Status::unavailable("the server is shutting down");
      Status woken = co_await watching->watcher().changed.wait();
      if (!woken) co_return woken;
    }
  }

 private:
  // Leaves the list of watchers, however the call ends.
  class Watching {
   public:
    static Result<Watching> begin(const std::shared_ptr<State>& state, const std::string& service, Loop& loop) {
      Result<std::shared_ptr<State::Watcher>> watcher = state->watch(service, loop);
      if (!watcher) return watcher.error();
      return Watching(state, service, *std::move(watcher));
    }
    Watching(Watching&& other) noexcept = default;
    Watching& operator=(Watching&&) = delete;
    ~Watching() {
      if (watcher_ != nullptr) state_->unwatch(service_, *watcher_);
    }
    State::Watcher& watcher() noexcept { return *watcher_; }

   private:
    Watching(std::shared_ptr<State> state, std::string service, std::shared_ptr<State::Watcher> watcher)
        : state_(std::move(state)), service_(std::move(service)), watcher_(std::move(watcher)) {}
    std::shared_ptr<State> state_;
    std::string service_;
    std::shared_ptr<State::Watcher> watcher_;
  };

  const std::shared_ptr<State> state_;
};

HealthServer::HealthServer(HealthOptions options)
    : state_(std::make_shared<State>(options)), service_(std::make_unique<HealthService>(state_)) {}

HealthServer::~HealthServer() = default;

Status HealthServer::register_with(ServiceRegistrar& registrar) {
  return grpc::health::v1::RegisterHealthServer(registrar, *service_);
}

void HealthServer::set(std::string_view service, ServingStatus status) { state_->set(service, status); }
std::optional<ServingStatus> HealthServer::status(std::string_view service) const { return state_->get(service); }
void HealthServer::shutdown() { state_->shutdown(); }
void HealthServer::resume() { state_->resume(); }
void HealthServer::end() { state_->end(); }

}  // namespace gaggle
