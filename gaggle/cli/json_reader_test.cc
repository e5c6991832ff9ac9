// SPDX-License-Identifier: Apache-2.0
#include "gaggle/cli/json_reader.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace gaggle::cli {
namespace {

using Texts = std::vector<std::string>;

// Gives a text in pieces of so many bytes.
class InPieces final : public TextSource {
 public:
  InPieces(std::string_view text, size_t size) : text_(text), size_(size) {}
  Result<std::string_view> read() override {
    const std::string_view piece = text_.substr(0, size_);
    text_.remove_prefix(piece.size());
    return piece;
  }
  size_t left() const { return text_.size(); }

 private:
  std::string_view text_;
  size_t size_;
};

// All values, the last being the error if there is one.
Texts values(std::string_view text, size_t piece = 1000) {
  InPieces source(text, piece);
  JsonReader reader(source);
  Texts all;
  for (;;) {
    Result<std::optional<JsonReader::Value>> value = reader.next();
    if (!value) {
      all.push_back(std::string(value.error().message()));
      return all;
    }
    if (!*value) return all;
    all.push_back((*value)->text);
  }
}

TEST(JsonReader, cuts_values_apart) {
  EXPECT_EQ(values(""), Texts{});
  EXPECT_EQ(values(" \n\t "), Texts{});
  EXPECT_EQ(values(R"({})"), (Texts{"{}"}));
  EXPECT_EQ(values(R"({"a":1}{"b":[{},[]]} {"c":"}"})"), (Texts{R"({"a":1})", R"({"b":[{},[]]})", R"({"c":"}"})"}));
  EXPECT_EQ(values(R"( "a" 12 -3.5e+7 true false null [1,2] )"),
            (Texts{"\"a\"", "12", "-3.5e+7", "true", "false", "null", "[1,2]"}))
      << "some messages, such as StringValue, are no objects in JSON";
  EXPECT_EQ(values(R"({"a\"}":"\\","u":"\u00e9\n"}7)"), (Texts{R"({"a\"}":"\\","u":"\u00e9\n"})", "7"}));
}

TEST(JsonReader, how_the_text_arrives_changes_nothing) {
  const std::string text = R"({"a": [1, -2.5, "x\u0041", {"b": null}], "c": true} 12 {"d": {}})";
  const Texts whole = values(text);
  ASSERT_EQ(whole.size(), 3u);
  for (size_t piece = 1; piece < 20; ++piece) EXPECT_EQ(values(text, piece), whole) << piece;
}

TEST(JsonReader, a_value_is_given_with_its_last_character) {
  InPieces source("{\"a\":1}\n{\"b\":2}", 1);
  JsonReader reader(source);
  ASSERT_TRUE(reader.next().is_ok());
  EXPECT_EQ(source.left(), 8u) << "who types one message must not have to begin the next one first";
}

TEST(JsonReader, says_where_a_value_begins) {
  TextInMemory source("\n  {}\n \xc3\xa9");
  JsonReader reader(source);
  EXPECT_EQ((*reader.next())->begin.to_string(), "line 2, column 3");
}

TEST(JsonReader, what_is_no_json_is_refused_where_it_is_none) {
  const auto error = [](std::string_view text) {
    const Texts all = values(text);
    return all.empty() ? "" : all.back();
  };
  EXPECT_EQ(error("{\"a\" 1}"), "line 1, column 6: expected ':', found '1'");
  EXPECT_EQ(error("{\n  \"a\": 1\n  \"b\": 2\n}"), "line 3, column 3: expected ',' or '}', found '\"'");
  EXPECT_EQ(error("{a: 1}"), "line 1, column 2: expected a name in double quotes, found 'a'");
  EXPECT_EQ(error("{'a': 1}"), "line 1, column 2: expected a name in double quotes, found '''");
  EXPECT_EQ(error("{\"a\": 1,}"), "line 1, column 9: expected a name in double quotes, found '}'");
  EXPECT_EQ(error("[1,]"), "line 1, column 4: expected a value, found ']'");
  EXPECT_EQ(error("[1}"), "line 1, column 3: expected ',' or ']', found '}'");
  EXPECT_EQ(error("}"), "line 1, column 1: expected a value, found '}'");
  EXPECT_EQ(error("{\"a\": tru}"), "line 1, column 10: \"tru\" is no value; texts stand in double quotes");
  EXPECT_EQ(error("{\"a\": 01}"), "line 1, column 9: \"01\" is no value; texts stand in double quotes");
  EXPECT_EQ(error("\"a\nb\""), "line 1, column 3: expected the closing '\"' of a string, found the end of the line");
  EXPECT_EQ(error("\"\\x\""), "line 1, column 3: expected an escape such as \\n, found 'x'");
  EXPECT_EQ(error("\"\\u00g0\""), "line 1, column 6: expected four hexadecimal digits, found 'g'");
  EXPECT_EQ(error("{\"gr\xc3\xbcn\" 1}"), "line 1, column 9: expected ':', found '1'") << "characters, not bytes";
  EXPECT_EQ(error("{\"a\": [1, 2"), "line 1, column 12: the text ends inside a value");
  EXPECT_EQ(error("\"abc"), "line 1, column 5: the text ends inside a value");
  for (const char* number : {"-", "1.", ".5", "1e", "+1", "1e+", "0x1", "NaN"}) {
    EXPECT_TRUE(error(number).ends_with("is no value; texts stand in double quotes") ||
                error(number).find("expected a value") != std::string::npos)
        << number;
  }
}

TEST(JsonReader, depth_and_length_have_bounds) {
  const std::string deep(100, '[');
  EXPECT_EQ(values(deep + std::string(100, ']')).size(), 1u);
  EXPECT_EQ(values("[" + deep), (Texts{"line 1, column 101: nested deeper than 100 levels"}));
  TextInMemory text(R"("four" "fiver")");
  JsonReader reader(text, 6);
  EXPECT_TRUE(reader.next().is_ok()) << "six characters with its quotes";
  EXPECT_EQ(reader.next().status().code(), StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace gaggle::cli
