// SPDX-License-Identifier: Apache-2.0
#include "rules.h"

#include <algorithm>
#include <array>
#include <span>

namespace gaggle::layers {
namespace {

using Names = std::vector<std::string_view>;

// A folder of gaggle/ and the folders that it may include besides itself.
struct Layer {
  std::string_view folder;
  Names below;
};

// http2 and net never see each other; services and cache don't either.
const std::array kLayers = std::to_array<Layer>({
    {"base", {}},
    {"http2", {"base"}},
    {"net", {"base"}},
    {"transport", {"http2", "net", "base"}},
    {"rpc", {"transport", "http2", "net", "base"}},
    {"services", {"rpc", "net", "base"}},
    {"cache", {"rpc", "net", "base"}},
    {"cli", {"cache", "services", "rpc", "net", "base"}},
});

// Headers of others, by prefix, and the folders whose library code may include them; the first
// prefix that fits counts. Unless `tests_too`, tests are free to include them.
struct Foreign {
  std::string_view prefix;
  Names folders;
  bool tests_too;
};

const std::array kForeign = std::to_array<Foreign>({
    {"absl/", {}, true},
    {"boost/", {}, true},
    {"grpc/health/", {"services", "cli"}, true},  // generated from protos of ours
    {"grpc/reflection/", {"services", "cli"}, true},
    {"grpc/", {}, true},
    {"grpc++/", {}, true},
    {"grpcpp/", {}, true},
    {"nghttp2/", {}, false},
    {"asio.hpp", {"net", "transport", "rpc", "services", "cache", "cli"}, true},
    {"asio/", {"net", "transport", "rpc", "services", "cache", "cli"}, true},
    {"google/protobuf/", {"rpc", "services", "cache", "cli"}, true},
    {"openssl/", {"net", "rpc"}, false},
    {"CLI/", {"cli"}, false},
    {"spdlog/", {"cli"}, false},
    {"sqlite3.h", {"cli"}, false},
    // The operating system: net's business, and the program's.
    {"sys/uio.h", {"http2", "net", "transport"}, false},  // iovec is a shape of bytes, no call is made
    {"sys/", {"net", "cli"}, false},
    {"netinet/", {"net", "cli"}, false},
    {"arpa/", {"net", "cli"}, false},
    {"netdb.h", {"net", "cli"}, false},
    {"poll.h", {"net", "cli"}, false},
    {"unistd.h", {"net", "cli"}, false},
    {"fcntl.h", {"net", "cli"}, false},
    {"csignal", {"net", "cli"}, false},
});

// The cache is a cache first: these are its only files that know there is an rpc layer.
const Names kCacheFilesThatSpeakRpc = {"rpc_answer", "rpc_metadata", "rpc_peer", "rpc_service"};

constexpr size_t kMaxLines = 450;

bool is_test(std::string_view path) {
  return path.ends_with("_test.cc") || path.ends_with("_testing.cc") || path.ends_with("_testing.h");
}

bool contains(const Names& names, std::string_view name) { return std::ranges::find(names, name) != names.end(); }

// "gaggle/http2/hpack/table.h" -> "http2"; empty when the path isn't below gaggle/.
std::string_view folder_of(std::string_view path) {
  constexpr std::string_view kRoot = "gaggle/";
  if (!path.starts_with(kRoot)) return {};
  path.remove_prefix(kRoot.size());
  const size_t slash = path.find('/');
  return slash == std::string_view::npos ? std::string_view{} : path.substr(0, slash);
}

// "gaggle/cache/peers_test.cc" -> "peers"
std::string_view stem_of(std::string_view path) {
  path.remove_prefix(path.rfind('/') + 1);
  path = path.substr(0, path.find('.'));
  for (std::string_view ending : {"_test", "_testing"}) {
    if (path.ends_with(ending)) path.remove_suffix(ending.size());
  }
  return path;
}

// What stands between the quotes or angle brackets of an include line; empty for any other line.
std::string_view included(std::string_view line) {
  const size_t start = line.find_first_not_of(" \t");
  if (start == std::string_view::npos || line[start] != '#') return {};
  const size_t keyword = line.find_first_not_of(" \t", start + 1);
  if (keyword == std::string_view::npos || !line.substr(keyword).starts_with("include")) return {};
  const size_t open = line.find_first_of("\"<", keyword);
  if (open == std::string_view::npos) return {};
  const size_t close = line.find_first_of("\">", open + 1);
  return close == std::string_view::npos ? std::string_view{} : line.substr(open + 1, close - open - 1);
}

std::string breach(std::string_view path, size_t line, std::string_view what) {
  return std::string(path) + ":" + std::to_string(line) + ": " + std::string(what);
}

void check_own_header(std::string_view path, const Layer& layer, size_t line, std::string_view header,
                      std::vector<std::string>& breaches) {
  const std::string_view target = folder_of(header);
  if (!target.empty() && target != layer.folder && !contains(layer.below, target)) {
    breaches.push_back(breach(
        path, line,
        std::string(layer.folder) + " must not see " + std::string(target) + ": \"" + std::string(header) + "\""));
  }
  const bool rpc = target == "rpc" || header.ends_with(".gaggle.h");
  if (rpc && layer.folder == "cache" && !is_test(path) && !contains(kCacheFilesThatSpeakRpc, stem_of(path))) {
    breaches.push_back(breach(path, line, "only the cache's peer files speak rpc: \"" + std::string(header) + "\""));
  }
}

void check_foreign_header(std::string_view path, const Layer& layer, size_t line, std::string_view header,
                          std::vector<std::string>& breaches) {
  const auto rule = std::ranges::find_if(kForeign, [&](const Foreign& f) { return header.starts_with(f.prefix); });
  if (rule == kForeign.end() || contains(rule->folders, layer.folder)) return;
  if (is_test(path) && !rule->tests_too) return;
  breaches.push_back(breach(path, line, std::string(layer.folder) + " must not include <" + std::string(header) + ">"));
}

// Calls `visit(number, line)` for each line, numbered from 1.
template <typename Visit>
size_t for_each_line(std::string_view text, Visit visit) {
  size_t number = 0;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    visit(++number, text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return number;
}

}  // namespace

std::vector<std::string> check_includes(std::string_view path, std::string_view text) {
  const std::string_view folder = folder_of(path);
  const auto layer = std::ranges::find(kLayers, folder, &Layer::folder);
  if (layer == kLayers.end()) return {breach(path, 1, "this folder has no place among the layers")};
  std::vector<std::string> breaches;
  for_each_line(text, [&](size_t number, std::string_view line) {
    const std::string_view header = included(line);
    if (header.empty()) return;
    check_own_header(path, *layer, number, header, breaches);
    check_foreign_header(path, *layer, number, header, breaches);
  });
  return breaches;
}

std::vector<std::string> check_form(std::string_view path, std::string_view text) {
  std::vector<std::string> breaches;
  if (!text.starts_with("// SPDX-License-Identifier: Apache-2.0\n")) {
    breaches.push_back(breach(path, 1, "the first line is not the licence line"));
  }
  const size_t lines = for_each_line(text, [&](size_t number, std::string_view line) {
    for (std::string_view mark : {"TO"
                                  "DO",
                                  "FIX"
                                  "ME"}) {
      if (line.contains(mark)) breaches.push_back(breach(path, number, "left for later: " + std::string(mark)));
    }
  });
  if (lines > kMaxLines) {
    breaches.push_back(breach(path, lines, "longer than " + std::to_string(kMaxLines) + " lines; split it by concern"));
  }
  return breaches;
}

}  // namespace gaggle::layers
