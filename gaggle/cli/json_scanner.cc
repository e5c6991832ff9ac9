// SPDX-License-Identifier: Apache-2.0
#include "gaggle/cli/json_scanner.h"

#include <cstdio>

namespace gaggle::cli {
namespace {

constexpr size_t kMaxWordBytes = 1024;  // longer than any number that means something

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
bool is_word(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '+' || c == '-' || c == '.';
}

std::string shown(char c) {
  if (c > ' ' && c != 0x7f) return std::string("'") + c + "'";
  if (c == ' ') return "a space";
  if (c == '\n') return "the end of the line";
  char text[16];
  std::snprintf(text, sizeof text, "byte 0x%02x", static_cast<unsigned char>(c));
  return text;
}

// Takes digits off the front; false when there are none.
bool take_digits(std::string_view& text) {
  size_t digits = 0;
  while (digits < text.size() && is_digit(text[digits])) ++digits;
  text.remove_prefix(digits);
  return digits != 0;
}

// RFC 8259, section 6.
bool is_number(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  const bool zero = text.starts_with('0');
  const size_t size = text.size();
  if (!take_digits(text) || (zero && size - text.size() > 1)) return false;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    if (!take_digits(text)) return false;
  }
  if (text.starts_with('e') || text.starts_with('E')) {
    text.remove_prefix(1);
    if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
    if (!take_digits(text)) return false;
  }
  return text.empty();
}

}  // namespace

JsonScanner::Step JsonScanner::push(char c) {
  switch (state_) {
    case State::kString: return in_string(c);
    case State::kEscape:
      if (c == 'u') {
        state_ = State::kHex;
        hex_left_ = 4;
        return Step::kMore;
      }
      if (std::string_view("\"\\/bfnrt").find(c) == std::string_view::npos) return want("an escape such as \\n", c);
      state_ = State::kString;
      return Step::kMore;
    case State::kHex:
      if (!is_hex(c)) return want("four hexadecimal digits", c);
      if (--hex_left_ == 0) state_ = State::kString;
      return Step::kMore;
    case State::kWord: {
      if (is_word(c)) {
        if (word_.size() == kMaxWordBytes) return want("the end of a number", c);
        word_ += c;
        return Step::kMore;
      }
      const Step ended = end_word();
      return ended == Step::kMore ? push(c) : ended;
    }
    default: break;
  }
  if (is_space(c)) return Step::kMore;
  switch (state_) {
    case State::kFirstElement:
      if (c == ']') return close(c);
      return begin_value(c);
    case State::kFirstKey:
      if (c == '}') return close(c);
      [[fallthrough]];
    case State::kKey:
      if (c != '"') return want("a name in double quotes", c);
      state_ = State::kString;
      is_key_ = true;
      return Step::kMore;
    case State::kColon:
      if (c != ':') return want("':'", c);
      state_ = State::kValue;
      return Step::kMore;
    case State::kAfterValue: return after_value(c);
    default: return begin_value(c);
  }
}

JsonScanner::Step JsonScanner::begin_value(char c) {
  if (c == '{' || c == '[') return open(c);
  if (c == '"') {
    state_ = State::kString;
    is_key_ = false;
    return Step::kMore;
  }
  if (!is_word(c)) return want("a value", c);
  state_ = State::kWord;
  word_ = c;
  return Step::kMore;
}

JsonScanner::Step JsonScanner::open(char c) {
  if (open_.size() == kMaxDepth) {
    error_ = "nested deeper than 100 levels";
    return Step::kError;
  }
  open_.push_back(c);
  state_ = c == '{' ? State::kFirstKey : State::kFirstElement;
  return Step::kMore;
}

JsonScanner::Step JsonScanner::close(char c) {
  if ((c == '}') != (open_.back() == '{')) return want(open_.back() == '{' ? "',' or '}'" : "',' or ']'", c);
  open_.pop_back();
  return end_value();
}

JsonScanner::Step JsonScanner::after_value(char c) {
  if (c == ',') {
    state_ = open_.back() == '{' ? State::kKey : State::kValue;
    return Step::kMore;
  }
  if (c == '}' || c == ']') return close(c);
  return want(open_.back() == '{' ? "',' or '}'" : "',' or ']'", c);
}

JsonScanner::Step JsonScanner::in_string(char c) {
  if (c == '\\') {
    state_ = State::kEscape;
  } else if (c == '"') {
    if (!is_key_) return end_value();
    state_ = State::kColon;
  } else if (static_cast<unsigned char>(c) < 0x20) {
    return want("the closing '\"' of a string", c);
  }
  return Step::kMore;
}

JsonScanner::Step JsonScanner::end_value() {
  if (open_.empty()) return Step::kEnd;
  state_ = State::kAfterValue;
  return Step::kMore;
}

// kMore: the character behind the word is still to be looked at.
JsonScanner::Step JsonScanner::end_word() {
  if (word_ != "true" && word_ != "false" && word_ != "null" && !is_number(word_)) {
    error_ = "\"" + word_ + "\" is no value; texts stand in double quotes";
    return Step::kError;
  }
  return end_value() == Step::kEnd ? Step::kEnded : Step::kMore;
}

JsonScanner::Step JsonScanner::finish() {
  if (state_ == State::kWord && open_.empty()) return end_word();
  error_ = "the text ends inside a value";
  return Step::kError;
}

JsonScanner::Step JsonScanner::want(std::string_view what, char c) {
  error_ = "expected " + std::string(what) + ", found " + shown(c);
  return Step::kError;
}

}  // namespace gaggle::cli
