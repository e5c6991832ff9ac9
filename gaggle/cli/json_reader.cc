// SPDX-License-Identifier: Apache-2.0
#include "gaggle/cli/json_reader.h"

#include <utility>

#include "gaggle/cli/json_scanner.h"

namespace gaggle::cli {

std::string JsonReader::Position::to_string() const {
  return "line " + std::to_string(line) + ", column " + std::to_string(column);
}

Result<bool> JsonReader::fill() {
  if (!piece_.empty()) return true;
  Result<std::string_view> more = source_.read();
  if (!more) return std::move(more).error();
  piece_ = *more;
  return !piece_.empty();
}

void JsonReader::take_character() {
  const char c = piece_.front();
  piece_.remove_prefix(1);
  if (c == '\n') {
    ++here_.line;
    here_.column = 1;
  } else if ((static_cast<unsigned char>(c) & 0xC0) != 0x80) {  // not in the middle of a character of UTF-8
    ++here_.column;
  }
}

Result<std::optional<JsonReader::Value>> JsonReader::next() {
  JsonScanner scanner;
  Value value;
  for (;;) {
    Result<bool> more = fill();
    if (!more) return std::move(more).error();
    if (!*more && value.text.empty()) return std::optional<Value>();
    const char c = *more ? piece_.front() : '\0';
    if (value.text.empty()) {
      if (std::string_view(" \t\r\n").contains(c)) {
        take_character();
        continue;
      }
      value.begin = here_;
    }
    const JsonScanner::Step step = *more ? scanner.push(c) : scanner.finish();
    if (step == JsonScanner::Step::kError) {
      return Status::invalid_argument(here_.to_string() + ": " + scanner.error());
    }
    if (step == JsonScanner::Step::kEnded) return std::optional<Value>(std::move(value));
    if (value.text.size() == max_value_bytes_) {
      return Status::resource_exhausted("a JSON value is longer than " + std::to_string(max_value_bytes_) + " bytes");
    }
    value.text += c;
    take_character();
    if (step == JsonScanner::Step::kEnd) return std::optional<Value>(std::move(value));
  }
}

}  // namespace gaggle::cli
