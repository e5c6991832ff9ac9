// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/server_handshakes.h"

#include <utility>

#include "gaggle/base/context.h"
#include "gaggle/net/loop.h"
#include "gaggle/net/task.h"
#include "gaggle/rpc/credentials/server_credentials.h"
#include "gaggle/rpc/server_core.h"
#include "gaggle/rpc/server_loop.h"

namespace gaggle {
namespace {

using Secured = Result<std::unique_ptr<ByteStream>>;

}  // namespace

// Deletes itself when it has ended.
class ServerHandshakes::Handshake final : TaskCompletion<Secured> {
 public:
  explicit Handshake(ServerHandshakes& owner)
      : source_(Context{}.with_deadline(
            deadline_after(owner.part_.loop().now(), owner.part_.core().options().connection_timeout))),
        owner_(owner),
        position_(owner.running_.size()) {
    owner.running_.push_back(this);
  }

  void run(std::unique_ptr<ByteStream> stream, const ServerCredentials& credentials) {
    peer_ = stream->peer_address().to_string();
    start(begin(credentials, std::move(stream)), *this, source_.context());
  }
  void cancel() noexcept { source_.cancel(Status::unavailable("the server is shutting down")); }

 private:
  Task<Secured> begin(const ServerCredentials& credentials, std::unique_ptr<ByteStream> stream) {
    try {
      return credentials.handshake(std::move(stream), owner_.gate_, source_.context());
    } catch (...) {
      return Task<Secured>::ready(Status::internal("the credentials threw"));
    }
  }

  void on_done(Secured&& stream) noexcept override {
    if (stream && *stream == nullptr) stream = Status::internal("the credentials gave no stream");
    finish(std::move(stream));
  }
  void on_exception(std::exception_ptr) noexcept override { finish(Status::internal("the credentials threw")); }
  void on_abandoned() noexcept override { finish(Status::cancelled("the server's loop has ended")); }

  void finish(Secured stream) noexcept {
    ServerHandshakes& owner = owner_;
    Handshake* const last = owner.running_.back();
    owner.running_[position_] = last;
    last->position_ = position_;
    owner.running_.pop_back();
    owner.delayed_.store(owner.gate_.delayed(), std::memory_order_relaxed);
    if (!stream) {
      owner.failed_.store(owner.failed() + 1, std::memory_order_relaxed);
      const Status& error = stream.error();
      stream = Status(error.code(), peer_ + ": " + std::string(error.message()));
    }
    delete this;
    owner.part_.handshake_ended(std::move(stream));
  }

  CancelSource source_;
  ServerHandshakes& owner_;
  size_t position_;
  std::string peer_;
};

ServerHandshakes::ServerHandshakes(ServerLoop& part) : part_(part), gate_(part.loop(), kStepsPerTurn) {}
ServerHandshakes::~ServerHandshakes() = default;

void ServerHandshakes::begin(std::unique_ptr<ByteStream> stream, const ServerCredentials& credentials) {
  (new Handshake(*this))->run(std::move(stream), credentials);
}

void ServerHandshakes::cancel_all() {
  const std::vector<Handshake*> all = running_;
  for (Handshake* handshake : all) handshake->cancel();
}

}  // namespace gaggle
