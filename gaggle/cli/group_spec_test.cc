// SPDX-License-Identifier: Apache-2.0
#include "gaggle/cli/group_spec.h"

#include <gtest/gtest.h>

namespace gaggle::cli {
namespace {

using namespace std::chrono_literals;

std::string error_of(std::string_view text) {
  const Result<GroupSpec> spec = parse_group_spec(text);
  return spec ? "(fine)" : std::string(spec.error().message());
}

TEST(GroupSpec, names_a_directory) {
  const Result<GroupSpec> spec = parse_group_spec("pages=file:/srv/pages");
  ASSERT_TRUE(spec) << spec.error().to_string();
  EXPECT_EQ(spec->name, "pages");
  EXPECT_EQ(spec->origin, GroupSpec::Origin::kFile);
  EXPECT_EQ(spec->path, "/srv/pages");
  EXPECT_EQ(spec->options.max_bytes, 64u << 20) << "the default";
  EXPECT_EQ(spec->options.ttl, Duration::max());
}

TEST(GroupSpec, takes_sql_as_it_is) {
  const Result<GroupSpec> spec = parse_group_spec(
      "scores=sqlite:/tmp/a b.db?query=SELECT v, 'x=1,y=2' FROM t WHERE k=? AND n<>',ttl=1' OR n IN (1,2)");
  ASSERT_TRUE(spec) << spec.error().to_string();
  EXPECT_EQ(spec->name, "scores") << "the first '=' ends the name";
  EXPECT_EQ(spec->path, "/tmp/a b.db");
  EXPECT_EQ(spec->query, "SELECT v, 'x=1,y=2' FROM t WHERE k=? AND n<>',ttl=1' OR n IN (1,2)")
      << "y isn't a known option, and ttl isn't at the end";
}

TEST(GroupSpec, takes_known_options_off_the_end_in_any_order) {
  const Result<GroupSpec> spec =
      parse_group_spec("s=sqlite:x.db?query=SELECT v FROM t WHERE k IN (?,1),ttl=5m,max_bytes=16MiB");
  ASSERT_TRUE(spec) << spec.error().to_string();
  EXPECT_EQ(spec->query, "SELECT v FROM t WHERE k IN (?,1)");
  EXPECT_EQ(spec->options.ttl, 5min);
  EXPECT_EQ(spec->options.max_bytes, 16u << 20);
  const Result<GroupSpec> file = parse_group_spec("f=file:/a,b,max_bytes=1KiB");
  ASSERT_TRUE(file) << file.error().to_string();
  EXPECT_EQ(file->path, "/a,b");
}

TEST(GroupSpec, what_follows_an_unknown_option_only_looks_like_one) {
  const Result<GroupSpec> spec = parse_group_spec("f=file:/a,ttl=1s,colour=red");
  ASSERT_TRUE(spec) << spec.error().to_string();
  EXPECT_EQ(spec->path, "/a,ttl=1s,colour=red") << "only known options at the very end are options";
  EXPECT_EQ(spec->options.ttl, Duration::max());
}

TEST(GroupSpec, says_what_is_wrong) {
  EXPECT_EQ(error_of("scores"), "--group: \"scores\" has no '='; write NAME=ORIGIN");
  EXPECT_EQ(error_of("=file:/x"), "--group: the name before the first '=' is empty");
  EXPECT_EQ(error_of("s="), "--group s: the origin is file:DIR or sqlite:FILE?query=SQL, not \"\"");
  EXPECT_EQ(error_of("s=redis:x"), "--group s: the origin is file:DIR or sqlite:FILE?query=SQL, not \"redis:x\"");
  EXPECT_EQ(error_of("s=file:"), "--group s: file: needs a directory");
  EXPECT_EQ(error_of("s=sqlite:x.db"), "--group s: sqlite: needs a query: sqlite:FILE?query=SELECT v FROM t WHERE k=?");
  EXPECT_EQ(error_of("s=sqlite:x.db?query="), error_of("s=sqlite:x.db"));
  EXPECT_EQ(error_of("s=sqlite:?query=SELECT ?"), "--group s: sqlite: needs a database file");
  EXPECT_EQ(error_of("s=file:/x,ttl=5"), "--group s: ttl: \"5\" is not a duration such as 250ms, 30s, 5m or 2h");
  EXPECT_EQ(error_of("s=file:/x,ttl=0s"), "--group s: ttl must be above zero");
  EXPECT_EQ(error_of("s=file:/x,max_bytes=0"), "--group s: max_bytes must be above zero");
  EXPECT_EQ(error_of("s=file:/x,ttl=1s,ttl=2s"), "--group s: ttl is given twice");
}

}  // namespace
}  // namespace gaggle::cli
