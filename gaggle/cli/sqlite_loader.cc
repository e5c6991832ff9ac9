// SPDX-License-Identifier: Apache-2.0
#include "gaggle/cli/sqlite_loader.h"

#include <sqlite3.h>

#include <chrono>
#include <thread>
#include <utility>

#include "gaggle/net/run_blocking.h"
#include "gaggle/net/thread_pool.h"

namespace gaggle::cli {
namespace {

// A locked database is tried again this often, and for so long.
constexpr std::chrono::milliseconds kBusyPause{5};
constexpr int kBusyTries = 1'000;
// How many steps of SQLite's machine lie between two looks at the context: some tens of microseconds.
constexpr int kStepsPerLook = 10'000;

}  // namespace

// One connection with its statement, used by one thread at a time.
class SqliteLoader::Connection {
 public:
  Connection() = default;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() {
    sqlite3_finalize(statement_);
    sqlite3_close(database_);
  }

  Status open(const std::string& file, const std::string& query) {
    const int flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX;
    if (sqlite3_open_v2(file.c_str(), &database_, flags, nullptr) != SQLITE_OK) {
      return Status::invalid_argument("the database " + file + " can't be opened: " + sqlite3_errmsg(database_));
    }
    sqlite3_busy_handler(database_, &Connection::on_busy, this);
    const char* tail = nullptr;
    if (sqlite3_prepare_v3(database_, query.c_str(), static_cast<int>(query.size()) + 1, SQLITE_PREPARE_PERSISTENT,
                           &statement_, &tail) != SQLITE_OK) {
      return refuse(query, sqlite3_errmsg(database_));
    }
    if (statement_ == nullptr) return refuse(query, "it is no statement");
    if (has_statement(tail)) return refuse(query, "several statements aren't allowed");
    if (sqlite3_stmt_readonly(statement_) == 0) return refuse(query, "it doesn't only read");
    if (sqlite3_column_count(statement_) == 0) return refuse(query, "it gives no column");
    const int parameters = sqlite3_bind_parameter_count(statement_);
    if (parameters != 1) {
      return refuse(query, "it has " + std::to_string(parameters) + " parameters; exactly one '?' stands for the key");
    }
    return {};
  }

  Result<Bytes> look_up(const Context& context, const std::string& key, size_t max_value_bytes) {
    context_ = &context;
    sqlite3_progress_handler(database_, kStepsPerLook, &Connection::is_over, this);
    sqlite3_bind_text(statement_, 1, key.data(), static_cast<int>(key.size()), SQLITE_STATIC);
    Result<Bytes> result = step(context, max_value_bytes);
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
    sqlite3_progress_handler(database_, 0, nullptr, nullptr);
    context_ = nullptr;
    return result;
  }

 private:
  static Status refuse(const std::string& query, const std::string& why) {
    return Status::invalid_argument("the query \"" + query + "\" can't be used: " + why);
  }

  // What follows the first statement may be blanks and comments only: then nothing is prepared of it.
  bool has_statement(const char* tail) const {
    while (tail != nullptr && *tail != '\0') {
      sqlite3_stmt* next = nullptr;
      const char* rest = nullptr;
      const int code = sqlite3_prepare_v2(database_, tail, -1, &next, &rest);
      sqlite3_finalize(next);
      if (code != SQLITE_OK || next != nullptr) return true;
      if (rest == tail) return false;
      tail = rest;
    }
    return false;
  }

  // Called by SQLite on the thread that asks; 1 interrupts the query.
  static int is_over(void* self) {
    const Context* context = static_cast<Connection*>(self)->context_;
    return context != nullptr && !context->status().is_ok() ? 1 : 0;
  }
  // Somebody else has locked the database; 0 gives up.
  static int on_busy(void* self, int tries) {
    if (tries >= kBusyTries || is_over(self) != 0) return 0;
    std::this_thread::sleep_for(kBusyPause);
    return 1;
  }

  Result<Bytes> step(const Context& context, size_t max_value_bytes) {
    switch (const int code = sqlite3_step(statement_)) {
      case SQLITE_ROW: break;
      case SQLITE_DONE: return Status::not_found("the database has no row for this key");
      case SQLITE_INTERRUPT:
      case SQLITE_BUSY:
      case SQLITE_LOCKED: {
        Status ended = context.status();
        return ended.is_ok() ? Status::unavailable("the database is locked") : ended;
      }
      case SQLITE_TOOBIG: return Status::resource_exhausted("the value is larger than the database allows");
      default: return Status::internal(std::string("the database says: ") + sqlite3_errstr(code));
    }
    if (sqlite3_column_type(statement_, 0) == SQLITE_NULL) {
      return Status::not_found("the database has NULL for this key");
    }
    // For numbers, asking for the blob makes them text first.
    const void* content = sqlite3_column_blob(statement_, 0);
    const auto size = static_cast<size_t>(sqlite3_column_bytes(statement_, 0));
    if (size > max_value_bytes) {
      return Status::resource_exhausted("the value has " + std::to_string(size) + " bytes, more than this group's may");
    }
    return Bytes::copy_of(std::string_view(static_cast<const char*>(content), size));
  }

  sqlite3* database_ = nullptr;
  sqlite3_stmt* statement_ = nullptr;
  const Context* context_ = nullptr;  // of the query under way
};

SqliteLoader::SqliteLoader(std::string file, std::string query, size_t max_value_bytes, ThreadPool& pool)
    : file_(std::move(file)), query_(std::move(query)), max_value_bytes_(max_value_bytes), pool_(pool) {}

SqliteLoader::~SqliteLoader() = default;

Result<std::unique_ptr<SqliteLoader>> SqliteLoader::open(const std::string& file, const std::string& query,
                                                         size_t max_value_bytes, ThreadPool& pool) {
  std::unique_ptr<SqliteLoader> loader(new SqliteLoader(file, query, max_value_bytes, pool));
  Result<std::unique_ptr<Connection>> first = loader->take_connection();
  if (!first) return first.error();
  loader->idle_.push_back(*std::move(first));
  return loader;
}

Task<Result<cache::Value>> SqliteLoader::load(const cache::LoadContext& context, std::string_view key) {
  auto asking = [this, &context, text = std::string(key)] { return look_up(context, text); };
  Task<Result<Bytes>> on_pool = run_blocking(pool_, std::move(asking));
  Result<Bytes> value = co_await std::move(on_pool);
  if (!value) co_return std::move(value).error();
  co_return cache::Value{*std::move(value)};
}

Result<Bytes> SqliteLoader::look_up(const Context& context, const std::string& key) {
  Result<std::unique_ptr<Connection>> connection = take_connection();
  // It could be opened at the start, so the query is in order.
  if (!connection) return Status::unavailable(connection.error().message());
  Result<Bytes> value = (*connection)->look_up(context, key, max_value_bytes_);
  const std::lock_guard lock(mutex_);
  idle_.push_back(*std::move(connection));
  return value;
}

Result<std::unique_ptr<SqliteLoader::Connection>> SqliteLoader::take_connection() {
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      std::unique_ptr<Connection> connection = std::move(idle_.back());
      idle_.pop_back();
      return connection;
    }
  }
  auto connection = std::make_unique<Connection>();
  if (Status status = connection->open(file_, query_); !status) return status;
  return connection;
}

}  // namespace gaggle::cli
