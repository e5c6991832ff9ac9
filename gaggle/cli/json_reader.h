// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "gaggle/base/result.h"

namespace gaggle::cli {

// Where text comes from, piece by piece.
class TextSource {
 public:
  virtual ~TextSource() = default;
  // Waits for more. Empty: the end. What it gives is valid until the next read.
  virtual Result<std::string_view> read() = 0;
};

// A text that is there already.
class TextInMemory final : public TextSource {
 public:
  explicit TextInMemory(std::string_view text) : text_(text) {}
  Result<std::string_view> read() override { return std::exchange(text_, {}); }

 private:
  std::string_view text_;
};

// Cuts a text into JSON values, of which there may be any number, with white space between them or
// without. A value is given as soon as its last character has been read. One over the limit is
// RESOURCE_EXHAUSTED; what is no JSON is INVALID_ARGUMENT, with line and column, counted from 1, a column per
// Unicode character. After an error nothing more can be read.
class JsonReader {
 public:
  static constexpr size_t kMaxValueBytes = 64u << 20;

  struct Position {
    size_t line = 1;
    size_t column = 1;
    std::string to_string() const;  // "line 3, column 14"
  };
  struct Value {
    std::string text;
    Position begin;
  };

  explicit JsonReader(TextSource& source, size_t max_value_bytes = kMaxValueBytes)
      : source_(source), max_value_bytes_(max_value_bytes) {}
  Result<std::optional<Value>> next();

 private:
  // False: there is no more.
  Result<bool> fill();
  void take_character();

  TextSource& source_;
  const size_t max_value_bytes_;
  std::string_view piece_;
  Position here_;
};

}  // namespace gaggle::cli
