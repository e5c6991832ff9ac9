// SPDX-License-Identifier: Apache-2.0
#include "gaggle/cli/sqlite_loader.h"

#include <sqlite3.h>

#include <future>

#include "gaggle/cli/loaders_testing.h"

namespace gaggle::cli {
namespace {

using namespace std::chrono_literals;

struct SqliteLoaderTest : LoaderTest {
  std::string file = (folder / "origin.db").string();

  void SetUp() override {
    run("CREATE TABLE t (k TEXT PRIMARY KEY, v);"
        "INSERT INTO t VALUES ('text', 'alpha'), ('blob', x'00ff'), ('int', 42), ('real', 1.5), ('null', NULL),"
        " ('empty', ''), ('O''Brien', 'quoted'), ('big', zeroblob(2000));"
        "CREATE TABLE n (id INTEGER PRIMARY KEY, v TEXT); INSERT INTO n VALUES (7, 'seven');");
  }
  void run(const char* sql) {
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open(file.c_str(), &database), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(database, sql, nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(database);
    sqlite3_close(database);
  }
  Result<std::unique_ptr<SqliteLoader>> open(const std::string& query) {
    return SqliteLoader::open(file, query, 1'000, pool);
  }
  std::string error_of(const std::string& query) {
    const auto opened = open(query);
    return opened ? "(fine)" : std::string(opened.error().message());
  }
};

constexpr const char* kByKey = "SELECT v FROM t WHERE k=?";

TEST_F(SqliteLoaderTest, gives_the_first_column_whatever_its_type) {
  auto loader = *open(kByKey);
  EXPECT_EQ(ask(*loader, "text"), "alpha");
  EXPECT_EQ(ask(*loader, "blob"), std::string("\0\xff", 2));
  EXPECT_EQ(ask(*loader, "int"), "42");
  EXPECT_EQ(ask(*loader, "real"), "1.5");
  EXPECT_EQ(ask(*loader, "empty"), "");
}

TEST_F(SqliteLoaderTest, no_row_and_null_are_not_found) {
  auto loader = *open(kByKey);
  EXPECT_EQ(ask(*loader, "missing"), "NOT_FOUND");
  EXPECT_EQ(ask(*loader, "null"), "NOT_FOUND");
}

TEST_F(SqliteLoaderTest, the_key_is_never_part_of_the_sql) {
  auto loader = *open(kByKey);
  EXPECT_EQ(ask(*loader, "O'Brien"), "quoted");
  EXPECT_EQ(ask(*loader, "' OR 1=1 --"), "NOT_FOUND");
  EXPECT_EQ(ask(*loader, std::string("text\0x", 6)), "NOT_FOUND") << "a NUL doesn't end the key";
}

TEST_F(SqliteLoaderTest, a_numeric_column_is_found_by_its_digits) {
  auto loader = *open("SELECT v FROM n WHERE id=?");
  EXPECT_EQ(ask(*loader, "7"), "seven");
  EXPECT_EQ(ask(*loader, "seven"), "NOT_FOUND");
}

TEST_F(SqliteLoaderTest, sees_what_others_write) {
  auto loader = *open(kByKey);
  EXPECT_EQ(ask(*loader, "new"), "NOT_FOUND");
  run("INSERT INTO t VALUES ('new', 'now')");
  EXPECT_EQ(ask(*loader, "new"), "now");
  run("ALTER TABLE t ADD COLUMN w");
  EXPECT_EQ(ask(*loader, "new"), "now") << "the statement is prepared anew after a change of the schema";
}

TEST_F(SqliteLoaderTest, a_value_over_the_limit_is_refused) {
  auto loader = *open(kByKey);
  EXPECT_EQ(ask(*loader, "big"), "RESOURCE_EXHAUSTED");
}

TEST_F(SqliteLoaderTest, several_threads_ask_at_once) {
  auto loader = *open(kByKey);
  std::vector<std::future<std::string>> answers;
  for (int i = 0; i < 200; ++i) answers.push_back(std::async(std::launch::async, [&] { return ask(*loader, "text"); }));
  for (auto& answer : answers) EXPECT_EQ(answer.get(), "alpha");
}

TEST_F(SqliteLoaderTest, a_query_that_nobody_waits_for_is_interrupted) {
  auto loader =
      *open("WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM c) SELECT count(*) FROM c WHERE ?<>''");
  EXPECT_EQ(ask(*loader, "k", Context().with_timeout(20ms)), "DEADLINE_EXCEEDED") << "it would never end";
  CancelSource source;
  auto answer = std::async(std::launch::async, [&] { return ask(*loader, "k", source.context()); });
  source.cancel();
  EXPECT_EQ(answer.get(), "CANCELLED");
}

TEST_F(SqliteLoaderTest, a_database_that_is_not_there_is_refused_and_not_made) {
  const auto opened = SqliteLoader::open((folder / "missing.db").string(), kByKey, 1'000, pool);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code(), StatusCode::kInvalidArgument);
  EXPECT_FALSE(std::filesystem::exists(folder / "missing.db"));
}

TEST_F(SqliteLoaderTest, queries_that_cannot_work_are_refused_with_the_reason) {
  EXPECT_EQ(error_of("SELECT v FROM t"),
            "the query \"SELECT v FROM t\" can't be used: it has 0 parameters; exactly one "
            "'?' stands for the key");
  EXPECT_TRUE(error_of("SELECT v FROM t WHERE k=? OR k=?").contains("2 parameters"));
  EXPECT_TRUE(error_of("SELECT v FROM t WHERE k=?; DELETE FROM t").contains("several statements"));
  EXPECT_TRUE(error_of("SELECT v FROM t WHERE k=?; nonsense").contains("several statements"));
  EXPECT_TRUE(error_of("DELETE FROM t WHERE k=?").contains("doesn't only read"));
  EXPECT_TRUE(error_of("SELECT missing FROM t WHERE k=?").contains("no such column"));
  EXPECT_TRUE(error_of("nonsense").contains("syntax error"));
  EXPECT_TRUE(error_of("").contains("no statement"));
  EXPECT_TRUE(error_of("-- ?").contains("no statement"));
}

TEST_F(SqliteLoaderTest, a_semicolon_or_a_comment_at_the_end_does_no_harm) {
  EXPECT_EQ(error_of("SELECT v FROM t WHERE k=?;"), "(fine)");
  EXPECT_EQ(error_of("SELECT v FROM t WHERE k=? ; \n -- by key\n ;"), "(fine)");
  EXPECT_EQ(error_of("SELECT v FROM t WHERE k=?1 OR v=?1"), "(fine)") << "one parameter, used twice";
}

}  // namespace
}  // namespace gaggle::cli
