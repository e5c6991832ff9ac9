// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "gaggle/base/result.h"
#include "gaggle/cache/loader.h"

namespace gaggle {
class ThreadPool;
}

namespace gaggle::cli {

// Gives the first column of the first row that a query gives, with the key as its one parameter.
//
// Text and blobs as they are, numbers as text; no row, or NULL, is NOT_FOUND. The key is bound as
// text, never made part of the SQL. Databases are opened for reading only. Queries run on the pool,
// which outlives the loader, each thread with a connection and a prepared statement of its own; a
// query that nobody waits for any more is interrupted. UNAVAILABLE when the database is locked for
// too long, RESOURCE_EXHAUSTED for a value over the limit, INTERNAL for what else SQLite says.
class SqliteLoader final : public cache::Loader {
 public:
  // INVALID_ARGUMENT when the file can't be opened, or the query isn't exactly one statement that
  // reads, with exactly one parameter and at least one column.
  static Result<std::unique_ptr<SqliteLoader>> open(const std::string& file, const std::string& query,
                                                    size_t max_value_bytes, ThreadPool& pool);
  ~SqliteLoader() override;

  Task<Result<cache::Value>> load(const cache::LoadContext& context, std::string_view key) override;

 private:
  class Connection;
  SqliteLoader(std::string file, std::string query, size_t max_value_bytes, ThreadPool& pool);
  Result<Bytes> look_up(const Context& context, const std::string& key);
  Result<std::unique_ptr<Connection>> take_connection();

  const std::string file_;
  const std::string query_;
  const size_t max_value_bytes_;
  ThreadPool& pool_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Connection>> idle_;  // guarded by mutex_; at most one per thread of the pool
};

}  // namespace gaggle::cli
