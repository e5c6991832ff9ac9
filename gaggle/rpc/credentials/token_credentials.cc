// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/credentials/token_credentials.h"

#include <algorithm>
#include <cassert>
#include <mutex>
#include <utility>
#include <vector>

#include "gaggle/net/event.h"
#include "gaggle/net/loop.h"
#include "gaggle/net/spawn.h"
#include "gaggle/rpc/thrown.h"

namespace gaggle {
namespace {

Result<std::shared_ptr<const Metadata>> bearer(std::string_view token) {
  auto metadata = std::make_shared<Metadata>();
  if (token.empty()) return Status::invalid_argument("the token is empty");
  if (Status bad = metadata->add("authorization", std::string("Bearer ").append(token)); !bad) return bad;
  return std::shared_ptr<const Metadata>(std::move(metadata));
}

}  // namespace

Result<std::unique_ptr<StaticTokenCredentials>> StaticTokenCredentials::create(std::string_view token,
                                                                               bool requires_privacy) {
  auto metadata = bearer(token);
  if (!metadata) return metadata.error();
  return std::unique_ptr<StaticTokenCredentials>(new StaticTokenCredentials(*metadata, requires_privacy));
}

// Shared with the fetch that is under way, which may outlive the credentials.
class RefreshingTokenCredentials::State final : public std::enable_shared_from_this<State> {
 public:
  explicit State(RefreshingTokenOptions options) : options_(std::move(options)) {}

  bool requires_privacy() const noexcept { return options_.requires_privacy; }

  // The answer, if it's known; a fetch is begun if one is due.
  bool answer(Loop& loop, CallCredentials::Answer& out) {
    const TimePoint now = loop.now();
    std::unique_lock lock(mutex_);
    const bool good = token_ != nullptr && now < expires_;
    if (good) out = token_;
    if (good && now < refresh_at_) return true;
    if (!fetching_ && now >= retry_at_) {
      fetching_ = true;
      lock.unlock();  // the fetch may end at once, with its loop
      begin_fetch(loop);
      return good;
    }
    if (good || fetching_) return good;
    out = last_error_;
    return true;
  }

  static Task<CallCredentials::Answer> wait(std::shared_ptr<State> state) {
    Waiting waiting(*state, *Loop::current());
    Status waited = co_await waiting.waiter->event.wait();
    if (!waited) {
      co_return Status(waited.code(), "waiting for an access token: " + std::string(waited.message()));
    }
    const std::lock_guard lock(state->mutex_);
    if (!state->last_error_.is_ok()) co_return state->last_error_;
    co_return state->token_;
  }

 private:
  struct Waiter {
    explicit Waiter(Loop& on) : loop(on), event(on) {}
    Loop& loop;
    AsyncEvent event;
  };
  // In the list of those who wait, unless the fetch has ended meanwhile.
  struct Waiting {
    Waiting(State& owner, Loop& loop) : state(owner), waiter(std::make_shared<Waiter>(loop)) {
      const std::lock_guard lock(state.mutex_);
      if (state.fetching_) {
        state.waiters_.push_back(waiter);
      } else {
        waiter->event.set();
      }
    }
    Waiting(const Waiting&) = delete;
    Waiting& operator=(const Waiting&) = delete;
    ~Waiting() {
      const std::lock_guard lock(state.mutex_);
      std::erase(state.waiters_, waiter);
    }
    State& state;
    const std::shared_ptr<Waiter> waiter;
  };
  // Tells those who wait in any case: the fetching task may be destroyed with its loop.
  struct Fetch {
    explicit Fetch(std::shared_ptr<State> owner) : state(std::move(owner)) {}
    Fetch(const Fetch&) = delete;
    Fetch& operator=(const Fetch&) = delete;
    ~Fetch() { state->end_fetch(std::move(result), now); }
    const std::shared_ptr<State> state;
    Result<AccessToken> result = Status::unavailable("the loop that fetched the access token has ended");
    TimePoint now{};
  };

  void begin_fetch(Loop& loop) {
    Task<Status> fetch = run_fetch(std::make_unique<Fetch>(shared_from_this()), loop);
    spawn(loop, std::move(fetch), [](const Status&) {});
  }

  static Task<Status> run_fetch(std::unique_ptr<Fetch> fetch, Loop& loop) {
    fetch->now = loop.now();
    const RefreshingTokenOptions& options = fetch->state->options_;
    const Context context =
        Context{}.with_clock(loop.clock()).with_deadline(deadline_after(fetch->now, options.fetch_timeout));
    try {
      Task<Result<AccessToken>> fetching = options.fetch(context);
      Result<AccessToken> result = co_await in_context(context, std::move(fetching));
      fetch->result = std::move(result);
    } catch (...) {
      fetch->result = status_of_thrown("the token fetcher");
    }
    fetch->now = loop.now();
    co_return Status::ok();
  }

  void end_fetch(Result<AccessToken> result, TimePoint now) {
    Result<std::shared_ptr<const Metadata>> token =
        result ? bearer(result->value) : Result<std::shared_ptr<const Metadata>>(result.error());
    if (result && !token) {
      token =
          Status::internal("the access token that was fetched can't be sent: " + std::string(token.error().message()));
    }
    const std::lock_guard lock(mutex_);
    fetching_ = false;
    last_error_ = token.status();
    if (token) {
      token_ = *std::move(token);
      expires_ = deadline_after(now, result->lifetime);
      refresh_at_ = deadline_after(now, std::max(result->lifetime - options_.refresh_ahead, result->lifetime / 2));
      retry_at_ = TimePoint::min();
    } else {
      retry_at_ = deadline_after(now, options_.retry_after);
    }
    for (const std::shared_ptr<Waiter>& waiter : waiters_) {
      waiter->loop.post([waiter] { waiter->event.set(); });
    }
    waiters_.clear();
  }

  const RefreshingTokenOptions options_;
  std::mutex mutex_;  // guards what follows
  std::shared_ptr<const Metadata> token_;
  TimePoint expires_{};
  TimePoint refresh_at_{};
  TimePoint retry_at_ = TimePoint::min();
  Status last_error_;
  bool fetching_ = false;
  std::vector<std::shared_ptr<Waiter>> waiters_;
};

RefreshingTokenCredentials::RefreshingTokenCredentials(std::shared_ptr<State> state) : state_(std::move(state)) {}
RefreshingTokenCredentials::~RefreshingTokenCredentials() = default;

Result<std::unique_ptr<RefreshingTokenCredentials>> RefreshingTokenCredentials::create(RefreshingTokenOptions options) {
  if (!options.fetch) return Status::invalid_argument("RefreshingTokenOptions::fetch is missing");
  return std::unique_ptr<RefreshingTokenCredentials>(
      new RefreshingTokenCredentials(std::make_shared<State>(std::move(options))));
}

bool RefreshingTokenCredentials::requires_privacy() const noexcept { return state_->requires_privacy(); }

Task<CallCredentials::Answer> RefreshingTokenCredentials::metadata(CallCredentialsRequest) {
  Loop* const loop = Loop::current();
  assert(loop != nullptr && "credentials are asked on a loop");
  Answer answer = std::shared_ptr<const Metadata>();
  if (state_->answer(*loop, answer)) return Task<Answer>::ready(std::move(answer));
  return State::wait(state_);
}

}  // namespace gaggle
