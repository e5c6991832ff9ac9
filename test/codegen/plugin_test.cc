// SPDX-License-Identifier: Apache-2.0
//
// The program as protoc and people meet it: golden files, options, and what it says when misused.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace gaggle {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

struct Outcome {
  int exit = -1;
  std::string text;  // standard output and standard error
};

Outcome run(const std::string& command) {
  Outcome outcome;
  FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) return outcome;
  std::array<char, 4096> buffer;
  while (size_t count = fread(buffer.data(), 1, buffer.size(), pipe)) outcome.text.append(buffer.data(), count);
  const int status = pclose(pipe);
  if (WIFEXITED(status)) outcome.exit = WEXITSTATUS(status);
  return outcome;
}

std::string read(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

class Plugin : public testing::Test {
 protected:
  Plugin() {
    std::string name = (fs::temp_directory_path() / "gaggle_plugin_XXXXXX").string();
    dir_ = mkdtemp(name.data());
    fs::create_directory(dir_ / "out");
  }
  ~Plugin() override { fs::remove_all(dir_); }

  // protoc with our plugin, in the folder `protos`. What protoc itself never frees isn't our leak.
  Outcome protoc(const fs::path& protos, const std::string& arguments) {
    return run("cd " + protos.string() +
               " && ASAN_OPTIONS=detect_leaks=0 " TEST_PROTOC " --plugin=protoc-gen-gaggle=" TEST_PLUGIN
               " -I. --gaggle_out=" +
               out().string() + " " + arguments);
  }
  Outcome generate(const std::string& proto) {
    std::ofstream(dir_ / "x.proto") << proto;
    return protoc(dir_, "x.proto");
  }

  fs::path out() const { return dir_ / "out"; }

  fs::path dir_;
};

const fs::path kTestDir = TEST_DIR;

TEST_F(Plugin, prints_what_the_golden_files_say) {
  Outcome outcome = protoc(kTestDir / "protos", "nested/imported.proto kinds.proto keywords.proto no_package.proto");
  ASSERT_EQ(outcome.exit, 0) << outcome.text;
  size_t files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(kTestDir / "golden")) {
    if (!entry.is_regular_file()) continue;
    const std::string name = fs::relative(entry.path(), kTestDir / "golden").replace_extension("").string();
    EXPECT_EQ(read(out() / name), read(entry.path()))
        << name << " changed; if it should have, build the target update_golden";
    ++files;
  }
  EXPECT_EQ(files, 8u) << "a header and a source for each proto";
}

TEST_F(Plugin, says_the_same_for_one_file_as_for_several) {
  ASSERT_EQ(protoc(kTestDir / "protos", "kinds.proto").exit, 0);
  EXPECT_EQ(read(out() / "kinds.gaggle.cc"), read(kTestDir / "golden/kinds.gaggle.cc.golden"));
}

TEST_F(Plugin, takes_the_options_that_other_generators_take) {
  Outcome outcome = protoc(kTestDir / "protos", "--gaggle_opt=paths=source_relative kinds.proto");
  EXPECT_EQ(outcome.exit, 0) << outcome.text;
  EXPECT_TRUE(fs::exists(out() / "kinds.gaggle.h")) << "go_package has no say in where C++ goes";
}

TEST_F(Plugin, refuses_options_that_it_does_not_know) {
  Outcome outcome = protoc(kTestDir / "protos", "--gaggle_opt=colour=blue kinds.proto");
  EXPECT_NE(outcome.exit, 0);
  EXPECT_THAT(outcome.text, HasSubstr("unknown option \"colour\""));
  EXPECT_THAT(outcome.text, HasSubstr("paths=source_relative")) << "and says which it knows";

  outcome = protoc(kTestDir / "protos", "--gaggle_opt=paths=import kinds.proto");
  EXPECT_NE(outcome.exit, 0);
  EXPECT_THAT(outcome.text, HasSubstr("unknown value \"import\""));
}

TEST_F(Plugin, takes_proto3_optional) {
  Outcome outcome = generate("syntax = \"proto3\"; message M { optional int32 n = 1; }");
  EXPECT_EQ(outcome.exit, 0) << outcome.text;
}

TEST_F(Plugin, refuses_names_that_would_collide) {
  Outcome outcome = generate(
      "syntax = \"proto3\"; package p; message ScoresClient {} "
      "service Scores { rpc Get(ScoresClient) returns (ScoresClient); }");
  EXPECT_NE(outcome.exit, 0);
  EXPECT_THAT(outcome.text, HasSubstr("p.ScoresClient"));

  outcome = generate("syntax = \"proto3\"; service Scores {} service ScoresRaw {}");
  EXPECT_NE(outcome.exit, 0);
  EXPECT_THAT(outcome.text, HasSubstr("ScoresRawServer")) << "both services would make this class";
}

TEST_F(Plugin, tells_its_version_and_its_use) {
  Outcome version = run(TEST_PLUGIN " --version");
  EXPECT_EQ(version.exit, 0);
  EXPECT_THAT(version.text, testing::MatchesRegex("protoc-gen-gaggle [0-9]+\\.[0-9]+\\.[0-9]+\n"));

  Outcome help = run(TEST_PLUGIN " --help");
  EXPECT_EQ(help.exit, 0);
  EXPECT_THAT(help.text, HasSubstr("protoc --cpp_out=DIR --gaggle_out=DIR"));

  Outcome wrong = run(TEST_PLUGIN " --colour");
  EXPECT_NE(wrong.exit, 0);
  EXPECT_THAT(wrong.text, HasSubstr("\"--colour\""));
}

TEST_F(Plugin, says_so_when_its_input_is_garbage) {
  Outcome outcome = run("printf 'not a request' | " TEST_PLUGIN);
  EXPECT_NE(outcome.exit, 0);
  EXPECT_THAT(outcome.text, HasSubstr("unparseable request"));
}

}  // namespace
}  // namespace gaggle
