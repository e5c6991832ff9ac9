// SPDX-License-Identifier: Apache-2.0
//
// gaggle_interop_etcd --endpoint=HOST:PORT --seconds=N: our client on a real etcd. Keys are put, read
// and watched and a lease is kept alive, over one connection, with silences that are longer than the
// keepalive time. With --restarts, the connection has to be lost so often, and all goes on over a new one.
#include <CLI/CLI.hpp>
#include <chrono>
#include <iostream>
#include <memory>
#include <string>

#include "etcd/rpc.gaggle.h"
#include "gaggle/net/block_on.h"
#include "gaggle/net/loop_group.h"
#include "gaggle/net/sleep.h"
#include "gaggle/rpc/client_conn.h"
#include "gaggle/rpc/credentials/credentials.h"

namespace gaggle::interop {
namespace {

using namespace etcdserverpb;
using namespace std::chrono_literals;
using WatchStream = BidiStreamingClient<WatchRequest, WatchResponse>;
using LeaseStream = BidiStreamingClient<LeaseKeepAliveRequest, LeaseKeepAliveResponse>;

constexpr int64_t kLeaseSeconds = 60;
constexpr std::string_view kKey = "gaggle/key";

struct Session {
  Loop& loop;
  KVClient kv;
  WatchClient watch;
  LeaseClient lease;
  Context context;  // of the long streams
  TimePoint end;
  int restarts = 0;  // of etcd that are still to come
  bool silences = true;
  int rounds = 0;

  Context soon() const { return context.with_timeout(10s); }
};

Status expect(bool good, std::string_view what) { return good ? Status::ok() : Status::internal(what); }

Task<Status> put(Session& session, std::string value, int64_t lease) {
  PutRequest request;
  request.set_key(std::string(kKey));
  request.set_value(value);
  request.set_lease(lease);
  PutResponse response;
  Task<Status> calling = session.kv.Put(session.soon(), request, response);
  co_return co_await std::move(calling);
}

// Whether the key has this value; an empty one: whether there is none.
Task<Status> expect_value(Session& session, std::string value) {
  RangeRequest request;
  request.set_key(std::string(kKey));
  RangeResponse response;
  Task<Status> calling = session.kv.Range(session.soon(), request, response);
  Status status = co_await std::move(calling);
  if (!status) co_return status;
  if (value.empty()) co_return expect(response.kvs().empty(), "the key outlived its lease");
  co_return expect(response.kvs_size() == 1 && response.kvs(0).value() == value, "Range gave another value");
}

Task<Status> expect_event(WatchStream& watching, std::string value) {
  WatchResponse response;
  Task<Result<bool>> receiving = watching.recv(response);
  const Result<bool> more = co_await std::move(receiving);
  if (!more) co_return more.error();
  co_return expect(*more && response.events_size() == 1 && response.events(0).kv().value() == value,
                   "Watch gave another event");
}

Task<Status> keep_alive(LeaseStream& leasing, int64_t id) {
  LeaseKeepAliveRequest request;
  request.set_id(id);
  Task<Result<bool>> sending = leasing.send(request);
  const Result<bool> sent = co_await std::move(sending);
  if (!sent) co_return sent.error();
  LeaseKeepAliveResponse response;
  Task<Result<bool>> receiving = leasing.recv(response);
  const Result<bool> more = co_await std::move(receiving);
  if (!more) co_return more.error();
  co_return expect(*more && response.id() == id && response.ttl() == kLeaseSeconds, "the lease wasn't prolonged");
}

Task<Status> one_round(Session& session, WatchStream& watching, LeaseStream& leasing, int64_t lease) {
  const std::string value = "round " + std::to_string(++session.rounds);
  Task<Status> putting = put(session, value, lease);
  Status status = co_await std::move(putting);
  if (!status) co_return status;
  Task<Status> event = expect_event(watching, value);
  status = co_await std::move(event);
  if (!status) co_return status;
  Task<Status> prolonging = keep_alive(leasing, lease);
  status = co_await std::move(prolonging);
  if (!status) co_return status;
  Task<Status> reading = expect_value(session, value);
  co_return co_await std::move(reading);
}

Task<Status> rounds(Session& session, WatchStream& watching, LeaseStream& leasing, int64_t lease) {
  while (session.loop.now() < session.end) {
    Task<Status> round = one_round(session, watching, leasing, lease);
    Status status = co_await std::move(round);
    if (!status) co_return status;
    // Every fifth silence is one in which the keepalive has to ask; but one in which etcd is killed would hide that.
    const bool silent = session.silences && session.rounds % 5 == 0;
    auto pause = sleep_for(session.loop, silent ? Duration(13s) : Duration(500ms));
    status = co_await pause;
    if (!status) co_return status;
  }
  co_return Status::ok();
}

Task<Status> watch_created(WatchStream& watching) {
  WatchRequest request;
  request.mutable_create_request()->set_key(std::string(kKey));
  Task<Result<bool>> sending = watching.send(request);
  const Result<bool> sent = co_await std::move(sending);
  if (!sent) co_return sent.error();
  WatchResponse response;
  Task<Result<bool>> receiving = watching.recv(response);
  const Result<bool> more = co_await std::move(receiving);
  if (!more) co_return more.error();
  co_return expect(*more && response.created(), "the watch wasn't created");
}

Task<Result<int64_t>> grant(Session& session) {
  LeaseGrantRequest request;
  request.set_ttl(kLeaseSeconds);
  LeaseGrantResponse response;
  Task<Status> calling = session.lease.LeaseGrant(session.soon(), request, response);
  const Status status = co_await std::move(calling);
  if (!status) co_return status;
  co_return response.id();
}

Task<Status> revoke(Session& session, int64_t id) {
  LeaseRevokeRequest request;
  request.set_id(id);
  LeaseRevokeResponse response;
  Task<Status> calling = session.lease.LeaseRevoke(session.soon(), request, response);
  co_return co_await std::move(calling);
}

// Opens both streams, and uses them until the time is up or etcd is gone.
Task<Status> talk(Session& session, int64_t lease) {
  Task<Result<WatchStream>> watch_opening = session.watch.Watch(session.context);
  Result<WatchStream> watching = co_await std::move(watch_opening);
  if (!watching) co_return watching.error();
  Task<Result<LeaseStream>> lease_opening = session.lease.LeaseKeepAlive(session.context);
  Result<LeaseStream> leasing = co_await std::move(lease_opening);
  if (!leasing) co_return leasing.error();
  Task<Status> creating = watch_created(*watching);
  Status status = co_await std::move(creating);
  if (!status) co_return status;
  Task<Status> running = rounds(session, *watching, *leasing, lease);
  co_return co_await std::move(running);
}

// Until etcd answers again.
Task<Status> wait_for_etcd(Session& session) {
  RangeRequest request;
  request.set_key(std::string(kKey));
  RangeResponse response;
  CallOptions options;
  options.wait_for_ready = true;
  Task<Status> calling = session.kv.Range(session.context.with_timeout(30s), request, response, options);
  co_return co_await std::move(calling);
}

Task<Status> run(Session& session) {
  Task<Result<int64_t>> granting = grant(session);
  const Result<int64_t> lease = co_await std::move(granting);
  if (!lease) co_return lease.error();
  Status status;
  for (;;) {
    Task<Status> talking = talk(session, *lease);
    status = co_await std::move(talking);
    if (status) break;
    if (status.code() != StatusCode::kUnavailable || session.restarts == 0) co_return status;
    --session.restarts;
    Task<Status> waiting = wait_for_etcd(session);
    status = co_await std::move(waiting);
    if (!status) co_return status;
  }
  Task<Status> revoking = revoke(session, *lease);
  status = co_await std::move(revoking);
  if (!status) co_return status;
  Task<Status> reading = expect_value(session, {});
  co_return co_await std::move(reading);
}

int run(const std::string& endpoint, int seconds, int restarts) {
  LoopGroup loops(1);
  ClientConnOptions options{.credentials = insecure_credentials()};
  options.keepalive.time = 10s;
  options.keepalive.timeout = 5s;
  const auto conn = ClientConn::create(loops, "dns:///" + endpoint, options);
  if (!conn) return 1;
  Session session{.loop = loops.loop(0),
                  .kv = KVClient(**conn),
                  .watch = WatchClient(**conn),
                  .lease = LeaseClient(**conn),
                  .context = Context().with_timeout(std::chrono::seconds{seconds + 60}),
                  .end = Clock::real().now() + std::chrono::seconds{seconds},
                  .restarts = restarts,
                  .silences = restarts == 0};
  const Status status = block_on(loops.loop(0), run(session));
  const ClientConnCounters counters = (*conn)->counters();
  std::cout << session.rounds << " rounds, " << counters.calls_started << " calls (" << counters.calls_failed
            << " failed), " << counters.connect_attempts << " connection(s), " << counters.connections_lost
            << " lost: " << status.to_string() << std::endl;
  return status && counters.connections_lost == static_cast<uint64_t>(restarts) ? 0 : 1;
}

}  // namespace
}  // namespace gaggle::interop

int main(int argc, char** argv) {
  CLI::App app("Our client on a real etcd.");
  std::string endpoint = "127.0.0.1:2379";
  int seconds = 30;
  app.add_option("--endpoint", endpoint)->capture_default_str();
  int restarts = 0;
  app.add_option("--seconds", seconds)->capture_default_str();
  app.add_option("--restarts", restarts, "How often etcd will be killed and started again")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  return gaggle::interop::run(endpoint, seconds, restarts);
}
