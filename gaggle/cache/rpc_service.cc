// SPDX-License-Identifier: Apache-2.0
#include "gaggle/cache/rpc_service.h"

#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "gaggle/cache/cache.h"
#include "gaggle/cache/error_reason.h"
#include "gaggle/cache/rpc_answer.h"
#include "gaggle/cache/rpc_metadata.h"
#include "gaggle/net/loop.h"
#include "gaggle_cache.gaggle.h"
#include "groupcache.gaggle.h"

namespace gaggle::cache {
namespace {

constexpr size_t kMaxShownBytes = 256;
// More than this is not worth telling, and nanoseconds since 1970 couldn't.
constexpr Duration kForEver = std::chrono::years{100};

// A name as an error message shows it: not longer than names may be, and not cut inside a character.
std::string shown(std::string_view name) {
  if (name.size() <= kMaxShownBytes) return std::string(name);
  size_t end = kMaxShownBytes;
  while (end > 0 && (static_cast<uint8_t>(name[end]) & 0xC0) == 0x80) --end;
  return std::string(name.substr(0, end)) + "...";
}

void fill(Value&& value, TimePoint now, RpcAnswer& answer) {
  answer.value = std::move(value.bytes);
  if (value.expiry == kNever || value.expiry - now > kForEver) return;
  answer.fields.set_ttl_left_ms(milliseconds_left(value.expiry, now));
  const auto wall = std::chrono::system_clock::now() + (value.expiry - now);
  answer.fields.set_expire(std::chrono::duration_cast<std::chrono::nanoseconds>(wall.time_since_epoch()).count());
}

void fill(const Group& group, v1::GroupStats& stats) {
  const GroupCounters counters = group.counters();
  stats.set_name(group.name());
  stats.set_gets(counters.gets);
  stats.set_cache_hits(counters.cache_hits);
  stats.set_peer_loads(counters.peer_loads);
  stats.set_peer_errors(counters.peer_errors);
  stats.set_loads(counters.loads);
  stats.set_loads_deduped(counters.loads_deduped);
  stats.set_local_loads(counters.local_loads);
  stats.set_local_load_errs(counters.local_load_errs);
  stats.set_server_requests(counters.server_requests);
  stats.set_split_views(counters.split_views);
  stats.set_loads_now(counters.loads_now);
  v1::StoreStats& store = *stats.mutable_main_store();
  store.set_bytes(counters.store.bytes);
  store.set_max_bytes(group.options().max_bytes);
  store.set_items(counters.store.items);
  store.set_gets(counters.store.gets);
  store.set_hits(counters.store.hits);
  store.set_evictions(counters.store.evictions);
  store.set_expirations(counters.store.expirations);
}

}  // namespace

// By the descriptor that the proto file gave, but for the type of the answer.
class CacheService::GroupCache final : public Service {
 public:
  explicit GroupCache(Cache& cache) : cache_(cache) {}

  static const ServiceDesc& desc() {
    static constexpr MethodDesc kMethods[] = {generated::unary_method<&GroupCache::Get>("Get")};
    static const ServiceDesc kDesc = {.service_name = groupcachepb::GroupCache_ServiceDesc.service_name,
                                      .handler_type = "gaggle::cache::CacheService",
                                      .fit = generated::fit<GroupCache>,
                                      .methods = kMethods,
                                      .streams = {},
                                      .metadata = groupcachepb::GroupCache_ServiceDesc.metadata};
    return kDesc;
  }

  // A hit is answered here, without a coroutine and without a look at the metadata.
  Task<Status> Get(ServerContext& context, const groupcachepb::Request& request, RpcAnswer& answer) {
    const std::string& name = request.groupname();
    if (name.empty()) return Task<Status>::ready(Status::invalid_argument("the group's name is empty"));
    Group* group = cache_.group(name);
    if (group == nullptr) {
      return Task<Status>::ready(
          status_with_reason(StatusCode::kNotFound, "there is no group " + shown(name), kUnknownGroup));
    }
    group->count_server_request();
    Value value;
    if (!group->find(request.key(), value)) return miss(*group, context, request.key(), answer);
    fill(std::move(value), context.loop().now(), answer);
    return Task<Status>::ready(Status::ok());
  }

 private:
  static Task<Status> miss(Group& group, ServerContext& context, std::string_view key, RpcAnswer& answer) {
    const std::optional<Hop> hop = read_hop(context.metadata());
    Task<Result<Value>> getting = hop ? group.fetch_forwarded(context, key, *hop) : group.fetch(context, key);
    Result<Value> value = co_await std::move(getting);
    if (value) {
      fill(*std::move(value), context.loop().now(), answer);
      co_return Status::ok();
    }
    // Our word, unless the asker's time was simply over.
    if (hop && context.status().is_ok()) {
      if (Status marked = context.set_trailer(kAnswerMark, "1"); !marked) co_return marked;
    }
    co_return std::move(value).error();
  }

  Cache& cache_;
};

class CacheService::Admin final : public v1::UnimplementedCacheAdminServer {
 public:
  explicit Admin(Cache& cache) : cache_(cache) {}

  Task<Status> Stats(ServerContext&, const v1::StatsRequest& request, v1::StatsResponse& response) override {
    const std::shared_ptr<const Membership> membership = cache_.membership();
    v1::NodeStats& node = *response.mutable_node();
    node.set_self(membership->self());
    node.set_table_version(membership->table().version());
    for (const std::string& member : membership->table().members()) node.add_members(member);
    if (!request.group().empty()) {
      const Group* group = cache_.group(request.group());
      if (group == nullptr) {
        return Task<Status>::ready(Status::not_found("there is no group " + shown(request.group())));
      }
      fill(*group, *response.add_groups());
    } else {
      for (const Group* group : cache_.groups()) fill(*group, *response.add_groups());
    }
    return Task<Status>::ready(Status::ok());
  }

 private:
  Cache& cache_;
};

CacheService::CacheService(Cache& cache)
    : group_cache_(std::make_unique<GroupCache>(cache)), admin_(std::make_unique<Admin>(cache)) {}

CacheService::~CacheService() = default;

Status CacheService::register_with(ServiceRegistrar& registrar) {
  if (Status status = registrar.register_service(GroupCache::desc(), *group_cache_); !status) return status;
  return v1::RegisterCacheAdminServer(registrar, *admin_);
}

}  // namespace gaggle::cache
