// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/resolver/manual.h"

#include <mutex>
#include <optional>
#include <utility>

#include "gaggle/net/loop.h"

namespace gaggle {

// What the owner's threads and the connection's loop share.
struct ManualResolver::Shared {
  std::mutex mutex;
  std::optional<ResolverState> state;  // guarded
  Status error;                        // guarded; told once
  Instance* instance = nullptr;        // guarded
  std::atomic<uint64_t> asked{0};
};

// Tells its listener on the loop. `Report` keeps what is shared alive until the loop has run it.
class ManualResolver::Instance final : public Resolver {
 public:
  Instance(std::shared_ptr<Shared> shared, ResolverListener& listener, Loop& loop)
      : shared_(std::move(shared)), listener_(listener), loop_(loop) {
    const std::lock_guard lock(shared_->mutex);
    shared_->instance = this;
    if (shared_->state || !shared_->error.is_ok()) wake();
  }
  ~Instance() override {
    const std::lock_guard lock(shared_->mutex);
    if (shared_->instance == this) shared_->instance = nullptr;
  }

  void resolve_now() override { shared_->asked.fetch_add(1, std::memory_order_relaxed); }

  // With the lock held.
  void wake() {
    loop_.post([shared = shared_, self = this] {
      {
        const std::lock_guard lock(shared->mutex);
        if (shared->instance != self) return;
      }
      self->report();
    });
  }

 private:
  void report() {
    std::optional<ResolverState> state;
    Status error;
    {
      const std::lock_guard lock(shared_->mutex);
      state = shared_->state;
      error = std::exchange(shared_->error, Status::ok());
    }
    if (!error.is_ok()) {
      listener_.on_resolver_error(error);
    } else if (state) {
      static_cast<void>(listener_.on_resolved(std::move(*state)));
    }
  }

  std::shared_ptr<Shared> shared_;
  ResolverListener& listener_;
  Loop& loop_;
};

ManualResolver::ManualResolver(std::string_view scheme) : scheme_(scheme), shared_(std::make_shared<Shared>()) {}
ManualResolver::~ManualResolver() = default;

void ManualResolver::update(ResolverState state) {
  const std::lock_guard lock(shared_->mutex);
  shared_->state = std::move(state);
  shared_->error = Status::ok();
  if (shared_->instance != nullptr) shared_->instance->wake();
}

void ManualResolver::fail(Status error) {
  const std::lock_guard lock(shared_->mutex);
  shared_->error = std::move(error);
  if (shared_->instance != nullptr) shared_->instance->wake();
}

uint64_t ManualResolver::asked() const noexcept { return shared_->asked.load(std::memory_order_relaxed); }

bool ManualResolver::in_use() const noexcept {
  const std::lock_guard lock(shared_->mutex);
  return shared_->instance != nullptr;
}

Result<std::unique_ptr<Resolver>> ManualResolver::build(const Target&, ResolverListener& listener,
                                                        const ResolverOptions& options) {
  std::unique_ptr<Resolver> instance = std::make_unique<Instance>(shared_, listener, *options.loop);
  return instance;
}

}  // namespace gaggle
