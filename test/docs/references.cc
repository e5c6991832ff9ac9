// SPDX-License-Identifier: Apache-2.0
#include "references.h"

#include <algorithm>
#include <cctype>
#include <initializer_list>

namespace gaggle::docs {
namespace {

struct Line {
  size_t number;
  std::string_view text;
};

std::vector<Line> lines_of(std::string_view text) {
  std::vector<Line> lines;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    lines.push_back({lines.size() + 1, text.substr(0, end)});
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return lines;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front()))) text.remove_prefix(1);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) text.remove_suffix(1);
  return text;
}

bool ends_in(std::string_view text, std::initializer_list<std::string_view> endings) {
  return std::ranges::any_of(endings, [&](std::string_view ending) { return text.ends_with(ending); });
}

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

bool has_word(std::string_view text, std::string_view word) {
  for (size_t at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
    const bool begins = at == 0 || !is_word(text[at - 1]);
    const bool ends = at + word.size() == text.size() || !is_word(text[at + word.size()]);
    if (begins && ends) return true;
  }
  return false;
}

// What stands between backticks.
std::vector<std::string_view> code_in(std::string_view text) {
  std::vector<std::string_view> code;
  for (;;) {
    const size_t open = text.find('`');
    if (open == std::string_view::npos) return code;
    const size_t close = text.find('`', open + 1);
    if (close == std::string_view::npos) return code;
    code.push_back(text.substr(open + 1, close - open - 1));
    text.remove_prefix(close + 1);
  }
}

std::string breach(size_t line, std::string_view what, std::string_view name) {
  return "line " + std::to_string(line) + ": " + std::string(what) + " " + std::string(name);
}

// --- Walks ---

bool is_source(std::string_view code) {
  return code.find(' ') == std::string_view::npos && ends_in(code, {".h", ".cc", ".proto"});
}

// "Class::name", "name()" -> "name"; empty for anything else.
std::string_view function_of(std::string_view code) {
  const bool call = code.ends_with("()");
  if (call) code.remove_suffix(2);
  const size_t scope = code.rfind("::");
  if (!call && scope == std::string_view::npos) return {};
  if (scope != std::string_view::npos) code.remove_prefix(scope + 2);
  return !code.empty() && std::ranges::all_of(code, is_word) ? code : std::string_view{};
}

struct Paragraph {
  std::vector<Line> lines;

  void check(const ReadFile& read, std::vector<std::string>& breaches) const {
    std::vector<std::string> files;
    for (const Line& line : lines) {
      for (std::string_view code : code_in(line.text)) {
        if (!is_source(code)) continue;
        std::optional<std::string> content = read(code);
        if (!content) breaches.push_back(breach(line.number, "there is no file", code));
        files.push_back(content.value_or(""));
      }
    }
    for (const Line& line : lines) {
      for (std::string_view code : code_in(line.text)) {
        const std::string_view name = function_of(code);
        if (name.empty()) continue;
        if (std::ranges::any_of(files, [&](const std::string& file) { return has_word(file, name); })) continue;
        breaches.push_back(breach(line.number, "none of the paragraph's files has", code));
      }
    }
  }
};

bool begins_paragraph(std::string_view line) {
  line = trimmed(line);
  if (line.empty() || line.starts_with("- ") || line.starts_with("#")) return true;
  const size_t digits = line.find_first_not_of("0123456789");
  return digits != 0 && digits != std::string_view::npos && line.substr(digits).starts_with(". ");
}

// --- Tables ---

std::vector<std::string_view> cells_of(std::string_view row) {
  std::vector<std::string_view> cells;
  row = trimmed(row);
  row.remove_prefix(1);
  if (row.ends_with('|')) row.remove_suffix(1);
  for (;;) {
    const size_t end = row.find('|');
    cells.push_back(trimmed(row.substr(0, end)));
    if (end == std::string_view::npos) return cells;
    row.remove_prefix(end + 1);
  }
}

bool is_ruler(std::string_view row) { return row.find_first_not_of("|-: ") == std::string_view::npos; }

bool is_test_file(std::string_view word) { return ends_in(word, {".cc", ".h", ".py", ".sh", ".js", ".java", ".txt"}); }

// Files may stand in backticks or not, tests must.
std::vector<std::string_view> files_in(std::string_view cell) {
  std::vector<std::string_view> files;
  while (!cell.empty()) {
    const size_t end = cell.find_first_of(" `,;");
    if (is_test_file(cell.substr(0, end))) files.push_back(cell.substr(0, end));
    cell.remove_prefix(end == std::string_view::npos ? cell.size() : end + 1);
  }
  return files;
}

// Whether `name` is a GoogleTest test of the file: TEST(Suite, name), TEST_F, TYPED_TEST, …
bool has_test(std::string_view file, std::string_view name) {
  const size_t dot = name.find('.');
  if (dot == std::string_view::npos) return has_word(file, name);
  const std::string suite(name.substr(0, dot));
  const std::string_view test = name.substr(dot + 1);
  const std::string begin = "(" + suite + ",";
  for (size_t at = file.find(begin); at != std::string_view::npos; at = file.find(begin, at + 1)) {
    std::string_view rest = trimmed(file.substr(at + begin.size(), 300));
    if (test == "*" || (rest.starts_with(test) && rest.substr(test.size()).starts_with(")"))) return true;
  }
  return false;
}

// "./run interop PEER" stands for what the runner has under that name.
constexpr std::string_view kInterop = "./run interop";
constexpr std::string_view kInteropFiles[] = {"test/interop/runner/parts.py", "test/interop/runner/peers.py"};

void check_row(const Line& line, std::string_view cell, const ReadFile& read, std::vector<std::string>& breaches) {
  std::vector<std::string> contents;
  bool has_any_test = false;
  for (std::string_view file : files_in(cell)) {
    std::optional<std::string> content = read(file);
    if (!content) breaches.push_back(breach(line.number, "there is no file", file));
    contents.push_back(content.value_or(""));
    has_any_test |= file.ends_with("_test.cc") && contents.back().find("TEST") != std::string::npos;
  }
  const bool interop = cell.find(kInterop) != std::string_view::npos;
  for (std::string_view file : kInteropFiles) {
    if (interop) contents.push_back(read(file).value_or(""));
  }
  if (contents.empty()) breaches.push_back(breach(line.number, "no file with a test in:", cell));
  size_t tests = 0;
  for (std::string_view name : code_in(cell)) {
    if (is_test_file(name)) continue;
    ++tests;
    if (name.starts_with(kInterop)) name = trimmed(name.substr(kInterop.size()));
    if (name.empty()) continue;
    const auto has = [&](const std::string& file) { return has_test(file, name); };
    if (std::ranges::none_of(contents, has)) breaches.push_back(breach(line.number, "no such test:", name));
  }
  if (tests == 0 && !has_any_test) breaches.push_back(breach(line.number, "no test is named in:", cell));
}

}  // namespace

std::vector<std::string> check_walk(std::string_view text, const ReadFile& read) {
  std::vector<std::string> breaches;
  Paragraph paragraph;
  for (const Line& line : lines_of(text)) {
    if (begins_paragraph(line.text)) {
      paragraph.check(read, breaches);
      paragraph.lines.clear();
    }
    paragraph.lines.push_back(line);
  }
  paragraph.check(read, breaches);
  return breaches;
}

std::vector<std::string> check_features(std::string_view text, const ReadFile& read) {
  std::vector<std::string> breaches;
  bool in_table = false;
  for (const Line& line : lines_of(text)) {
    const std::string_view row = trimmed(line.text);
    if (!row.starts_with("|")) {
      in_table = false;
    } else if (!in_table) {
      in_table = true;
      if (cells_of(row).back() != "test") breaches.push_back(breach(line.number, "the last column isn't", "\"test\""));
    } else if (!is_ruler(row)) {
      check_row(line, cells_of(row).back(), read, breaches);
    }
  }
  return breaches;
}

}  // namespace gaggle::docs
