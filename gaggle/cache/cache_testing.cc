// SPDX-License-Identifier: Apache-2.0
#include "gaggle/cache/cache_testing.h"

#include <stdexcept>

#include "gaggle/cache/error_reason.h"
#include "gaggle/cache/slot_table.h"
#include "gaggle/net/sleep.h"

namespace gaggle::cache {
namespace {

class OriginLoader final : public Loader {
 public:
  explicit OriginLoader(Origin& origin) : origin_(origin) {}

  Task<Result<Value>> load(const LoadContext& context, std::string_view key) override {
    ++origin_.loads;
    ++origin_.loads_of[std::string(key)];
    if (origin_.before) origin_.before(key);
    const auto row = origin_.rows.find(key);
    const bool found = row != origin_.rows.end();
    Value value;
    if (found) value.bytes = Bytes::copy_of(row->second);  // as the origin was when it was asked
    if (origin_.takes > Duration::zero()) {
      Status slept = co_await sleep_for(context.loop(), origin_.takes);
      if (!slept) {
        ++origin_.cancelled;
        co_return slept;
      }
    }
    if (!found) co_return Status::not_found("no such key");
    value.expiry = deadline_after(context.loop().now(), origin_.ttl);
    co_return value;
  }

 private:
  Origin& origin_;
};

PeerAnswer failure(std::string_view why) { return {Status::unavailable(why), false}; }

}  // namespace

std::string Call::outcome() {
  if (!ended()) return "(waits)";
  if (outcome_.empty()) {
    Result<Value> result = record_.take();
    outcome_ = result ? std::string(result->bytes.view()) : result.error().to_string();
  }
  return outcome_;
}

std::unique_ptr<Loader> Origin::loader() { return std::make_unique<OriginLoader>(*this); }

class FakeNetwork::FakePeer final : public Peer {
 public:
  FakePeer(FakeNetwork& network, std::string address) : network_(network), address_(std::move(address)) {}
  Task<PeerAnswer> get(Context context, std::string_view group, std::string_view key, const Hop& hop) override {
    network_.log.push_back(hop.from + "->" + address_ + " " + std::string(key));
    return network_.ask(address_, std::move(context), std::string(group), key, hop);
  }

 private:
  FakeNetwork& network_;
  std::string address_;
};

class FakeNetwork::Factory final : public PeerFactory {
 public:
  explicit Factory(FakeNetwork& network) : network_(network) {}
  Result<std::shared_ptr<Peer>> make(const std::string& address) override {
    if (!address.contains(':')) return Status::invalid_argument("this is no address");
    return std::shared_ptr<Peer>(std::make_shared<FakePeer>(network_, address));
  }

 private:
  FakeNetwork& network_;
};

std::unique_ptr<PeerFactory> FakeNetwork::factory() { return std::make_unique<Factory>(*this); }

void FakeNetwork::kill(const std::string& address) {
  dead_.insert(address);
  const auto [first, last] = asking_.equal_range(address);
  std::vector<CancelSource*> sources;
  for (auto it = first; it != last; ++it) sources.push_back(it->second);
  for (CancelSource* source : sources) source->cancel();
}

// What is asked of a node that is killed meanwhile is cancelled, which the asker sees as a failure.
Task<PeerAnswer> FakeNetwork::ask(std::string to, Context context, std::string group, std::string_view key, Hop hop) {
  CancelSource question(context);
  const auto asking = asking_.emplace(to, &question);
  auto crossing = in_context(question.context(), cross(to, question.context(), group, key, hop));
  PeerAnswer answer = co_await std::move(crossing);
  asking_.erase(asking);
  co_return answer;
}

Task<PeerAnswer> FakeNetwork::cross(const std::string& to, const Context& context, const std::string& group,
                                    std::string_view key, const Hop& hop) {
  Loop& loop = *Loop::current();
  if (dead_.contains(to)) co_return failure("connection refused");
  Status there = co_await sleep_for(loop, latency);
  if (!there || dead_.contains(to)) co_return failure("connection lost on the way there");
  if (hung_.contains(to)) {
    Status waited = co_await sleep_for(loop, std::chrono::hours{24});
    co_return failure("no answer: " + waited.to_string());
  }
  Group* target = nodes_.at(to)->group(group);
  if (target == nullptr) {
    co_return PeerAnswer{status_with_reason(StatusCode::kNotFound, "no group " + group, kUnknownGroup), false};
  }
  Value kept;
  Result<Value> value = Status::internal("not asked");
  if (target->find(key, kept)) {
    value = kept;
  } else {
    Task<Result<Value>> answering = target->fetch_forwarded(context, key, hop);
    value = co_await std::move(answering);
  }
  if (dead_.contains(to)) co_return failure("connection lost before the answer");
  const bool its_own_word = value.is_ok() || context.status().is_ok();
  Status back = co_await sleep_for(loop, latency);
  if (!back) co_return failure("connection lost on the way back");
  co_return PeerAnswer{std::move(value), its_own_word};
}

FakeCluster::FakeCluster(std::vector<std::string> addresses, GroupOptions options) {
  for (const std::string& address : addresses) {
    auto cache = std::make_unique<Cache>(network.factory(), world.clock);
    (void)cache->add_group("g", options, origin.loader());
    network.attach(address, *cache);
    nodes_.emplace(address, std::move(cache));
  }
  for (const std::string& address : addresses) set_view(address, addresses);
}

Call& FakeCluster::get(const std::string& address, std::string_view key, Duration timeout) {
  const std::string& kept = keys_.emplace_back(key);
  Call& call = calls_.emplace_back();
  const Context context = call.context().with_clock(world.clock).with_timeout(timeout);
  const Loop::Enter enter(world.loop);
  call.begin(world.loop, group(address).get(context, kept));
  return call;
}

void FakeCluster::set_view(const std::string& address, std::vector<std::string> members) {
  const Status status = cache(address).set_members(address, members);
  if (!status) throw std::logic_error(status.to_string());
}

std::string FakeCluster::key_of(const std::vector<std::string>& members, std::string_view owner,
                                std::string_view second) {
  const SlotTable table(members);
  for (int i = 0;; ++i) {
    std::string key = "key-" + std::to_string(i);
    const std::vector<uint16_t> ranking = table.ranking(slot_of(key));
    if (table.members()[ranking[0]] == owner && (second.empty() || table.members()[ranking[1]] == second)) return key;
  }
}

}  // namespace gaggle::cache
