// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

#include "references.h"

namespace gaggle::docs {
namespace {

namespace fs = std::filesystem;
using Breaches = std::vector<std::string>;

std::optional<std::string> content_of(const fs::path& path) {
  if (!fs::is_regular_file(path)) return std::nullopt;
  std::ifstream file(path);
  return std::string{std::istreambuf_iterator<char>(file), {}};
}

// The repository. A bare name counts if one file of the source folders has it.
class Tree {
 public:
  Tree() {
    for (const char* folder : {"gaggle", "codegen", "test", "examples", "bench", "fuzz", "proto"}) {
      if (!fs::exists(root_ / folder)) continue;
      for (const auto& entry : fs::recursive_directory_iterator(root_ / folder)) {
        if (entry.is_regular_file()) by_name_[entry.path().filename()].push_back(entry.path());
      }
    }
  }
  std::optional<std::string> read(std::string_view path) const {
    if (std::optional<std::string> found = content_of(root_ / path)) return found;
    const auto named = by_name_.find(std::string(path));
    if (named == by_name_.end() || named->second.size() != 1) return std::nullopt;
    return content_of(named->second[0]);
  }
  std::string document(std::string_view path) const {
    const std::optional<std::string> text = content_of(root_ / path);
    EXPECT_TRUE(text.has_value()) << path;
    return text.value_or("");
  }

 private:
  const fs::path root_ = GAGGLE_ROOT;
  std::map<std::string, std::vector<fs::path>> by_name_;
};

std::optional<std::string> sample(std::string_view path) {
  if (path == "a.cc") return "void Widget::turn() { push(); }";
  if (path == "a_test.cc") return "TEST(Widgets, turn) {}\nTEST_F(WidgetTest,\n  very_long_name) {}";
  if (path == "test/interop/runner/peers.py") return "name = \"grpc-go\"; cases = [\"soak\"]";
  if (path == "run.sh") return "check turning";
  return std::nullopt;
}

TEST(WalkRules, files_and_functions_that_are_there_are_fine) {
  EXPECT_EQ(check_walk("In `a.cc`, `Widget::turn` calls `push()`, with `x = 1`.", sample), Breaches{});
  EXPECT_EQ(check_walk("- `a.cc`\n  `Widget::turn`\n", sample), Breaches{}) << "a list item may have several lines";
}

TEST(WalkRules, a_file_that_is_gone_is_named_with_its_line) {
  EXPECT_EQ(check_walk("\nSee `b.cc`.", sample), (Breaches{"line 2: there is no file b.cc"}));
}

TEST(WalkRules, a_function_must_be_in_a_file_of_its_own_paragraph) {
  EXPECT_EQ(check_walk("`a.cc`: `Widget::spin`", sample),
            (Breaches{"line 1: none of the paragraph's files has Widget::spin"}));
  EXPECT_EQ(check_walk("`a.cc`: `tur()`", sample).size(), 1u) << "words, not parts of them";
  EXPECT_EQ(check_walk("`a.cc`\n\n`Widget::turn`", sample).size(), 1u);
  EXPECT_EQ(check_walk("1. `a.cc`\n2. `Widget::turn`", sample).size(), 1u);
}

std::string table(std::string_view cell) {
  return "| feature | test |\n|---|---|\n| x | " + std::string(cell) + " |\n";
}

TEST(FeatureRules, a_row_with_a_test_is_fine) {
  EXPECT_EQ(check_features(table("`a_test.cc` `Widgets.turn`"), sample), Breaches{});
  EXPECT_EQ(check_features(table("a_test.cc, `turn`, `WidgetTest.very_long_name`"), sample), Breaches{});
  EXPECT_EQ(check_features(table("`a_test.cc` `Widgets.*`"), sample), Breaches{});
  EXPECT_EQ(check_features(table("`run.sh` `turning`"), sample), Breaches{});
  EXPECT_EQ(check_features(table("a_test.cc"), sample), Breaches{}) << "all of its tests";
  EXPECT_EQ(check_features(table("`./run interop grpc-go`, case `soak`; `./run interop`"), sample), Breaches{});
}

TEST(FeatureRules, a_row_without_one_is_not) {
  for (const char* cell :
       {"", "soon", "run.sh", "`b_test.cc` `Widgets.turn`", "`a_test.cc` `Widgets.spin`", "`a_test.cc` `Gadgets.*`",
        "`a_test.cc` `tur`", "`run.sh` `spinning`", "`./run interop grpc-c`"}) {
    EXPECT_NE(check_features(table(cell), sample), Breaches{}) << cell;
  }
  EXPECT_NE(check_features("| feature |\n|---|\n| x |\n", sample), Breaches{}) << "a table without the column";
}

TEST(Documents, a_call_works_as_its_page_says) {
  const Tree tree;
  const std::string text = tree.document("docs/how-a-call-works.md");
  EXPECT_EQ(check_walk(text, [&](std::string_view path) { return tree.read(path); }), Breaches{});
  EXPECT_GT(text.size(), 4000u);
}

TEST(Documents, every_feature_has_a_test) {
  const Tree tree;
  const std::string text = tree.document("docs/grpc-features.md");
  EXPECT_EQ(check_features(text, [&](std::string_view path) { return tree.read(path); }), Breaches{});
}

}  // namespace
}  // namespace gaggle::docs
