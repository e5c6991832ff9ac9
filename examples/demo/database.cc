// SPDX-License-Identifier: Apache-2.0
#include "database.h"

#include <sqlite3.h>

#include <memory>
#include <set>
#include <stdexcept>

namespace demo {
namespace {

struct Close {
  void operator()(sqlite3* database) const { sqlite3_close(database); }
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Database = std::unique_ptr<sqlite3, Close>;
using Statement = std::unique_ptr<sqlite3_stmt, Close>;

Database open(const std::string& file, int flags) {
  sqlite3* opened = nullptr;
  const int code = sqlite3_open_v2(file.c_str(), &opened, flags, nullptr);
  Database database(opened);
  if (code != SQLITE_OK) throw std::runtime_error(file + ": " + sqlite3_errmsg(opened));
  return database;
}

void run(const Database& database, const char* sql) {
  if (sqlite3_exec(database.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) {
    throw std::runtime_error(std::string(sql) + ": " + sqlite3_errmsg(database.get()));
  }
}

Statement prepare(const Database& database, const char* sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(database.get(), sql, -1, &statement, nullptr) != SQLITE_OK) {
    throw std::runtime_error(std::string(sql) + ": " + sqlite3_errmsg(database.get()));
  }
  return Statement(statement);
}

// A page of 200 to 711 letters; the same for the same key, different for different ones.
std::string page_of(uint32_t key) {
  uint64_t state = key;
  const auto next = [&state] {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return state >> 33;
  };
  std::string page = "product " + std::to_string(key) + ": ";
  const size_t size = 200 + next() % 512;
  while (page.size() < size) page.push_back(static_cast<char>('a' + next() % 26));
  return page;
}

}  // namespace

size_t populate(const std::string& file, const std::vector<uint32_t>& keys) {
  const Database database = open(file, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  run(database, "CREATE TABLE pages (k INTEGER PRIMARY KEY, v TEXT NOT NULL); BEGIN");
  const Statement insert = prepare(database, "INSERT INTO pages VALUES (?, ?)");
  const std::set<uint32_t> distinct(keys.begin(), keys.end());
  for (const uint32_t key : distinct) {
    const std::string page = page_of(key);
    sqlite3_bind_int64(insert.get(), 1, key);
    sqlite3_bind_text(insert.get(), 2, page.data(), static_cast<int>(page.size()), SQLITE_STATIC);
    if (sqlite3_step(insert.get()) != SQLITE_DONE) throw std::runtime_error(sqlite3_errmsg(database.get()));
    sqlite3_reset(insert.get());
  }
  run(database, "COMMIT");
  return distinct.size();
}

std::unordered_map<uint32_t, std::string> read_rows(const std::string& file) {
  const Database database = open(file, SQLITE_OPEN_READONLY);
  const Statement select = prepare(database, "SELECT k, v FROM pages");
  std::unordered_map<uint32_t, std::string> rows;
  while (sqlite3_step(select.get()) == SQLITE_ROW) {
    rows.emplace(static_cast<uint32_t>(sqlite3_column_int64(select.get(), 0)),
                 reinterpret_cast<const char*>(sqlite3_column_text(select.get(), 1)));
  }
  return rows;
}

}  // namespace demo
