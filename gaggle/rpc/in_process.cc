// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/in_process.h"

#include <string>
#include <utility>

#include "gaggle/net/loop_group.h"
#include "gaggle/rpc/client_dialer.h"
#include "gaggle/rpc/in_process_pipe.h"

namespace gaggle {
namespace {

// "Connects" by giving the server the other end.
class InProcessDialer final : public Dialer {
 public:
  void serve_with(Server& server) noexcept { server_ = &server; }
  Task<Result<std::unique_ptr<ByteStream>>> dial(Loop& loop, Address, Context) override {
    auto [near, far] = make_in_process_pipe(loop);
    if (Status refused = server_->serve(std::move(far)); !refused) {
      return Task<Result<std::unique_ptr<ByteStream>>>::ready(std::move(refused));
    }
    return Task<Result<std::unique_ptr<ByteStream>>>::ready(std::move(near));
  }

 private:
  Server* server_ = nullptr;
};

// Nobody is between the two ends, so tokens may travel.
class InProcessCredentials final : public ChannelCredentials {
 public:
  SecurityLevel security_level() const noexcept override { return SecurityLevel::kPrivacyAndIntegrity; }
  std::string_view scheme() const noexcept override { return "http"; }
  bool has_handshake() const noexcept override { return false; }
  Task<Result<std::unique_ptr<ByteStream>>> handshake(std::unique_ptr<ByteStream> stream, std::string,
                                                      Context) const override {
    return Task<Result<std::unique_ptr<ByteStream>>>::ready(std::move(stream));
  }
  // There is only one server.
  Status check_authority(const StreamSecurity*, std::string_view) const override { return {}; }
};

// What the client points to.
struct InProcessWiring {
  InProcessDialer dialer;
  InProcessCredentials credentials;
};

class InProcessConnImpl final : public InProcessConn {
 public:
  InProcessConnImpl(std::unique_ptr<Server> server, std::unique_ptr<InProcessWiring> wiring,
                    std::unique_ptr<ClientConn> client)
      : server_(std::move(server)), wiring_(std::move(wiring)), client_(std::move(client)) {}

  Task<Status> invoke(Context context, std::string_view method, ConstMessage request, Message response,
                      CallOptions options) override {
    return client_->invoke(std::move(context), method, request, response, options);
  }
  Task<Result<std::unique_ptr<ClientStream>>> new_stream(Context context, const StreamDesc& desc,
                                                         std::string_view method, CallOptions options) override {
    return client_->new_stream(std::move(context), desc, method, options);
  }
  Loop& loop() noexcept override { return client_->loop(); }
  Status register_service(const ServiceDesc& desc, Service& implementation) override {
    return server_->register_service(desc, implementation);
  }
  ClientConn& client() noexcept override { return *client_; }
  Server& server() noexcept override { return *server_; }

 private:
  // The client ends first: its calls and its connection use the rest.
  std::unique_ptr<Server> server_;
  std::unique_ptr<InProcessWiring> wiring_;
  std::unique_ptr<ClientConn> client_;
};

}  // namespace

Result<std::unique_ptr<InProcessConn>> InProcessConn::create(LoopGroup& loops, InProcessOptions options) {
  Result<std::unique_ptr<Server>> server = Server::create(loops, std::move(options.server));
  if (!server) return server.error();
  auto wiring = std::make_unique<InProcessWiring>();
  wiring->dialer.serve_with(**server);
  options.client.dialer = &wiring->dialer;
  options.client.credentials = &wiring->credentials;
  if (options.client.authority.empty()) options.client.authority = "localhost";
  const std::string target = "unix:" + std::string(kInProcessPath);
  Result<std::unique_ptr<ClientConn>> client = ClientConn::create(loops, target, std::move(options.client));
  if (!client) return client.error();
  return std::unique_ptr<InProcessConn>(
      std::make_unique<InProcessConnImpl>(std::move(*server), std::move(wiring), std::move(*client)));
}

}  // namespace gaggle
