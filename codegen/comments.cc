// SPDX-License-Identifier: Apache-2.0
#include "codegen/comments.h"

#include <google/protobuf/descriptor.pb.h>

#include <sstream>
#include <string_view>

namespace gaggle::codegen {
namespace {

// A comment line must not continue on the next one, or it would swallow code.
bool would_continue(std::string_view line) { return line.ends_with('\\') || line.ends_with("?\?/"); }

std::string as_cpp(const std::string& text) {
  std::istringstream lines(text);
  std::string result;
  std::string blank;  // empty lines, kept only when something follows
  for (std::string line; std::getline(lines, line);) {
    line.erase(line.find_last_not_of(" \t\r\f\v") + 1);
    if (line.empty()) {
      if (!result.empty()) blank += "//\n";
      continue;
    }
    if (would_continue(line)) line += '.';
    result += blank + "//" + (line[0] == ' ' ? "" : " ") + line + "\n";
    blank.clear();
  }
  return result;
}

template <class Descriptor>
std::string comment_with_notes(const Descriptor& descriptor) {
  std::string comment;
  google::protobuf::SourceLocation location;
  if (descriptor.GetSourceLocation(&location)) {
    comment = as_cpp(location.leading_comments);
    if (comment.empty()) comment = as_cpp(location.trailing_comments);
  }
  if (descriptor.options().deprecated()) comment += "// Deprecated.\n";
  return comment;
}

}  // namespace

std::string comment_of(const google::protobuf::ServiceDescriptor& service) { return comment_with_notes(service); }

std::string comment_of(const google::protobuf::MethodDescriptor& method) { return comment_with_notes(method); }

void print_comment(const std::string& comment, google::protobuf::io::Printer& out) {
  std::istringstream lines(comment);
  for (std::string line; std::getline(lines, line);) out.Print("$line$\n", "line", line);
}

}  // namespace gaggle::codegen
