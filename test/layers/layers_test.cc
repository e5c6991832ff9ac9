// SPDX-License-Identifier: Apache-2.0
//
// The layers of DESIGN are a promise; this is what keeps it. The first part shows that each rule
// bites on a bad sample, the second holds the rules against the tree.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include "rules.h"

namespace gaggle::layers {
namespace {

namespace fs = std::filesystem;

bool breaks(std::string_view path, std::string_view line) { return !check_includes(path, line).empty(); }

TEST(IncludeRules, a_folder_sees_itself_and_what_is_below) {
  EXPECT_FALSE(breaks("gaggle/http2/frame.cc", "#include \"gaggle/http2/frame.h\"\n"));
  EXPECT_FALSE(breaks("gaggle/http2/frame.cc", "#include \"gaggle/base/bytes.h\"\n"));
  EXPECT_FALSE(breaks("gaggle/transport/server.cc", "#include \"gaggle/http2/connection.h\"\n"));
  EXPECT_FALSE(breaks("gaggle/rpc/server.cc", "#include \"gaggle/base/status.h\"\n"))
      << "an arrow may skip layers as long as it points down";
}

TEST(IncludeRules, an_arrow_that_points_up_is_refused) {
  EXPECT_TRUE(breaks("gaggle/base/bytes.h", "#include \"gaggle/http2/frame.h\"\n"));
  EXPECT_TRUE(breaks("gaggle/transport/server.cc", "#include \"gaggle/rpc/server.h\"\n"));
  EXPECT_TRUE(breaks("gaggle/rpc/server.cc", "#include \"gaggle/cache/group.h\"\n"));
  EXPECT_TRUE(breaks("gaggle/cache/group.cc", "#include \"gaggle/cli/main.h\"\n"));
  EXPECT_TRUE(breaks("gaggle/http2/a_test.cc", "#include \"gaggle/rpc/server.h\"\n")) << "tests are no exception";
}

TEST(IncludeRules, http2_and_net_never_see_each_other) {
  EXPECT_TRUE(breaks("gaggle/http2/connection.h", "#include \"gaggle/net/task.h\"\n"));
  EXPECT_TRUE(breaks("gaggle/net/socket.h", "#include \"gaggle/http2/frame.h\"\n"));
}

TEST(IncludeRules, siblings_above_rpc_never_see_each_other) {
  EXPECT_TRUE(breaks("gaggle/services/health.cc", "#include \"gaggle/cache/group.h\"\n"));
  EXPECT_TRUE(breaks("gaggle/cache/group.cc", "#include \"gaggle/services/health.h\"\n"));
  EXPECT_TRUE(breaks("gaggle/services/health.cc", "#include \"gaggle/transport/server.h\"\n"))
      << "services are written against rpc's public interface only";
}

TEST(IncludeRules, only_net_and_what_is_above_knows_asio) {
  EXPECT_TRUE(breaks("gaggle/http2/connection.cc", "#include <asio.hpp>\n"));
  EXPECT_TRUE(breaks("gaggle/base/clock.h", "#include <asio/steady_timer.hpp>\n"));
  EXPECT_FALSE(breaks("gaggle/net/loop.h", "#include <asio/io_context.hpp>\n"));
}

TEST(IncludeRules, only_the_peer_files_of_the_cache_speak_rpc) {
  EXPECT_TRUE(breaks("gaggle/cache/group.cc", "#include \"gaggle/rpc/client_conn.h\"\n"));
  EXPECT_TRUE(breaks("gaggle/cache/store.h", "#include \"groupcache.gaggle.h\"\n"))
      << "generated services are rpc by another name";
  EXPECT_FALSE(breaks("gaggle/cache/rpc_peer.cc", "#include \"gaggle/rpc/client_conn.h\"\n"));
}

TEST(IncludeRules, nobody_includes_abseil_boost_or_another_grpc) {
  for (const char* header : {"absl/strings/string_view.h", "boost/asio.hpp", "grpc/grpc.h", "grpcpp/grpcpp.h"}) {
    const std::string line = std::string("#include <") + header + ">\n";
    EXPECT_TRUE(breaks("gaggle/rpc/server.cc", line)) << header;
    EXPECT_TRUE(breaks("gaggle/rpc/server_test.cc", line)) << header;
  }
}

TEST(IncludeRules, the_oracle_stays_in_tests) {
  EXPECT_TRUE(breaks("gaggle/http2/connection.cc", "#include <nghttp2/nghttp2.h>\n"));
  EXPECT_FALSE(breaks("gaggle/http2/differential_test.cc", "#include <nghttp2/nghttp2.h>\n"));
}

TEST(IncludeRules, the_operating_system_is_known_to_net_alone) {
  EXPECT_TRUE(breaks("gaggle/transport/server.cc", "#include <sys/socket.h>\n"));
  EXPECT_FALSE(breaks("gaggle/net/socket.cc", "#include <sys/socket.h>\n"));
}

TEST(IncludeRules, odd_spelling_hides_nothing) {
  EXPECT_TRUE(breaks("gaggle/base/a.h", "  #  include   <gaggle/net/task.h>  // why not\n"));
  EXPECT_TRUE(breaks("gaggle/base/a.h", "#include \"gaggle/net/task.h\"")) << "last line without a newline";
  EXPECT_FALSE(breaks("gaggle/base/a.h", "// #include \"gaggle/net/task.h\"\n")) << "a comment includes nothing";
}

TEST(IncludeRules, a_folder_without_a_place_is_refused) {
  EXPECT_TRUE(breaks("gaggle/util/strings.h", "\n")) << "every folder has a place among the layers, or isn't there";
}

TEST(IncludeRules, a_breach_names_file_line_and_reason) {
  const auto breaches = check_includes("gaggle/http2/a.cc", "\n#include \"gaggle/net/task.h\"\n");
  ASSERT_EQ(breaches.size(), 1u);
  EXPECT_EQ(breaches[0], "gaggle/http2/a.cc:2: http2 must not see net: \"gaggle/net/task.h\"");
}

TEST(FormRules, each_bites_on_a_bad_sample) {
  const std::string licence = "// SPDX-License-Identifier: Apache-2.0\n";
  EXPECT_TRUE(check_form("a.cc", licence + "int a;\n").empty());
  EXPECT_EQ(check_form("a.cc", "int a;\n").size(), 1u) << "no licence line";
  EXPECT_EQ(check_form("a.cc", licence + "// TO"
                                         "DO: later\n")
                .size(),
            1u);
  std::string lengthy = licence;
  for (int i = 0; i < 450; ++i) lengthy += "int a;\n";
  EXPECT_EQ(check_form("a.cc", lengthy).size(), 1u) << "451 lines";
}

// Calls `check` for each source file below `folder` and collects what it says.
template <typename Check>
std::string hold_against(const std::string& folder, Check check, size_t* files) {
  const fs::path root = GAGGLE_ROOT;
  std::ostringstream breaches;
  if (!fs::exists(root / folder)) return {};
  for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
    const std::string ending = entry.path().extension();
    if (!entry.is_regular_file() || (ending != ".h" && ending != ".cc")) continue;
    std::ifstream file(entry.path());
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    for (const std::string& line : check(fs::relative(entry.path(), root).string(), text)) breaches << line << "\n";
    ++*files;
  }
  return breaches.str();
}

TEST(Tree, every_include_points_down) {
  size_t files = 0;
  EXPECT_EQ(hold_against("gaggle", check_includes, &files), "");
  EXPECT_GT(files, 20u) << "the test looked in the wrong place: " GAGGLE_ROOT;
}

TEST(Tree, every_file_has_its_form) {
  size_t files = 0;
  for (const char* folder : {"gaggle", "codegen", "fuzz", "examples", "test", "bench"}) {
    EXPECT_EQ(hold_against(folder, check_form, &files), "");
  }
  EXPECT_GT(files, 20u) << "the test looked in the wrong place: " GAGGLE_ROOT;
}

}  // namespace
}  // namespace gaggle::layers
