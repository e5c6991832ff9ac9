// SPDX-License-Identifier: Apache-2.0
#include "cluster_testing.h"

#include <sqlite3.h>

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/use_future.hpp>
#include <filesystem>
#include <stdexcept>
#include <thread>
#include <utility>

#include "gaggle/net/spawn.h"
#include "gaggle_cache.gaggle.h"
#include "groupcache.gaggle.h"

namespace gaggle::e2e {

using namespace std::chrono_literals;

bool eventually(const std::function<bool()>& done, Duration at_most) {
  const auto end = std::chrono::steady_clock::now() + at_most;
  while (!done()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(5ms);
  }
  return true;
}

std::vector<std::string> free_addresses(size_t count) {
  using asio::ip::tcp;
  asio::io_context io;
  std::vector<tcp::acceptor> held;
  std::vector<std::string> addresses;
  for (size_t i = 0; i < count; ++i) {
    held.emplace_back(io, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    addresses.push_back("127.0.0.1:" + std::to_string(held.back().local_endpoint().port()));
  }
  return addresses;
}

Folder::Folder() {
  std::string name = (std::filesystem::temp_directory_path() / "gaggle-e2e-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
  path_ = name;
}

Folder::~Folder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

OriginDatabase::OriginDatabase() {
  if (sqlite3_open(folder_.path("origin.db").c_str(), &database_) != SQLITE_OK)
    throw std::runtime_error("sqlite3_open");
  run("CREATE TABLE t (k TEXT PRIMARY KEY, v)");
}

OriginDatabase::~OriginDatabase() { sqlite3_close(database_); }

std::string OriginDatabase::group() const {
  return "g=sqlite:" + folder_.path("origin.db") + "?query=SELECT v FROM t WHERE k=?";
}

void OriginDatabase::put(std::string_view key, std::string_view value) {
  sqlite3_stmt* insert = nullptr;
  sqlite3_prepare_v2(database_, "INSERT OR REPLACE INTO t VALUES (?, ?)", -1, &insert, nullptr);
  sqlite3_bind_text(insert, 1, key.data(), static_cast<int>(key.size()), SQLITE_STATIC);
  sqlite3_bind_blob(insert, 2, value.data(), static_cast<int>(value.size()), SQLITE_STATIC);
  const int code = sqlite3_step(insert);
  sqlite3_finalize(insert);
  if (code != SQLITE_DONE) throw std::runtime_error(sqlite3_errmsg(database_));
}

void OriginDatabase::lock() { run("BEGIN EXCLUSIVE"); }
void OriginDatabase::unlock() { run("COMMIT"); }

void OriginDatabase::run(const char* sql) {
  sqlite3_busy_timeout(database_, 10'000);
  if (sqlite3_exec(database_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) {
    throw std::runtime_error(std::string(sql) + ": " + sqlite3_errmsg(database_));
  }
}

Client::Client(const std::vector<std::string>& addresses, size_t conns_per_node) : conns_per_node_(conns_per_node) {
  ClientConnOptions options{.credentials = insecure_credentials()};
  options.backoff = {.initial = 50ms, .max = 200ms};
  const auto connect = [&](const std::string& address) {
    auto conn = ClientConn::create(loops_, address, options);
    if (!conn) throw std::runtime_error(conn.error().to_string());
    return *std::move(conn);
  };
  for (const std::string& address : addresses) {
    for (size_t i = 0; i < conns_per_node_; ++i) conns_.push_back(connect(address));
    stats_conns_.push_back(connect(address));
  }
}

namespace {

Task<Result<std::string>> ask(ClientConn& conn, std::string key, Context context) {
  groupcachepb::GroupCacheClient cache(conn);
  groupcachepb::Request request;
  groupcachepb::Response response;
  request.set_groupname("g");
  request.set_key(key);
  Task<Status> asking = cache.Get(context, request, response, {.wait_for_ready = true});
  Status status = co_await std::move(asking);
  if (!status) co_return status;
  co_return std::move(*response.mutable_value());
}

}  // namespace

std::future<Result<std::string>> Client::get(size_t node, std::string key, Duration timeout) {
  ClientConn& conn = *conns_[node * conns_per_node_ + turn_++ % conns_per_node_];
  return spawn(loops_.loop(0), ask(conn, std::move(key), Context().with_timeout(timeout)), asio::use_future);
}

std::string Client::get_now(size_t node, std::string key, Duration timeout) {
  const Result<std::string> value = get(node, std::move(key), timeout).get();
  return value ? *value : value.error().to_string();
}

cache::v1::GroupStats Client::stats(size_t node) {
  cache::v1::CacheAdminClient admin(*stats_conns_[node]);
  const cache::v1::StatsRequest request;
  cache::v1::StatsResponse response;
  const Status status = admin.BlockingStats(Context().with_timeout(20s), request, response, {.wait_for_ready = true});
  if (!status) throw std::runtime_error(status.to_string());
  return response.groups(0);
}

}  // namespace gaggle::e2e
