// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gaggle::cli {

// Finds where a JSON value ends (RFC 8259), a character at a time, and refuses what is no JSON at the very
// character that makes it so. Of numbers and of true, false and null, the spelling is checked at their end.
class JsonScanner {
 public:
  enum class [[nodiscard]] Step : uint8_t {
    kMore,   // the value goes on
    kEnd,    // this character was its last
    kEnded,  // the value had ended before this character: a number, true, false, null
    kError,  // error() says what was wrong
  };

  static constexpr size_t kMaxDepth = 100;  // as protobuf's

  Step push(char c);
  // The text is over. kEnded or kError.
  Step finish();
  const std::string& error() const noexcept { return error_; }

 private:
  enum class State : uint8_t {
    kValue,         // a value must come
    kFirstElement,  // behind '[': a value, or ']'
    kFirstKey,      // behind '{': a key, or '}'
    kKey,           // behind ',' in an object
    kColon,
    kAfterValue,  // ',' or the closing bracket
    kString,
    kEscape,
    kHex,
    kWord,  // a number, true, false or null
  };

  Step begin_value(char c);
  Step open(char c);
  Step close(char c);
  Step after_value(char c);
  Step in_string(char c);
  Step end_value();
  Step end_word();
  Step want(std::string_view what, char c);

  State state_ = State::kValue;
  std::vector<char> open_;  // '{' and '['
  bool is_key_ = false;     // of the string that is being read
  int hex_left_ = 0;
  std::string word_;
  std::string error_;
};

}  // namespace gaggle::cli
