// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gaggle::layers {

// The house rules that can be read off a source file's text, as functions of path and text, so that
// a test can feed them bad samples.
//
// `path` is relative to the repository ("gaggle/http2/frame.cc"). Each function returns one
// sentence per breach, beginning with "path:line:", and nothing when the file is fine.

// Arrows between folders point down, and other people's headers stay in the layer that needs them.
std::vector<std::string> check_includes(std::string_view path, std::string_view text);

// Licence line, length of the file, nothing left for later.
std::vector<std::string> check_form(std::string_view path, std::string_view text);

}  // namespace gaggle::layers
