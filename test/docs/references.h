// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gaggle::docs {

// What documents name is there: files, functions, tests. Functions of the document's text, so that a
// test can feed them bad samples. Each gives one sentence per breach, with the line.

// The content of a file, or nothing when there is none. `path` is relative to the repository, or a
// file's bare name.
using ReadFile = std::function<std::optional<std::string>(std::string_view path)>;

// A walk through the code. In each paragraph and each list item, what stands in `backticks` and ends in
// .h, .cc or .proto is a file, which must exist; what ends in () or has a :: is a function, of which the
// last name must be a word of a file of the same paragraph. A paragraph that names functions but no file
// is a breach.
std::vector<std::string> check_walk(std::string_view text, const ReadFile& read);

// Tables of features whose last column, headed "test", names the tests: at least one file, and the
// tests in it, each in one of the row's files: `Suite.name`, `Suite.*` or `name`. Without any name, all
// tests of a *_test.cc are meant, of which there must be one; other files need a name, and contain it.
// `./run interop PEER` names what test/interop/runner has.
std::vector<std::string> check_features(std::string_view text, const ReadFile& read);

}  // namespace gaggle::docs
