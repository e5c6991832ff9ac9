// SPDX-License-Identifier: Apache-2.0
#include "gaggle/cli/file_loader.h"

#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <fstream>

#include "gaggle/cli/loaders_testing.h"

namespace gaggle::cli {
namespace {

namespace fs = std::filesystem;

// Everything holds for both ways of resolving a path.
struct FileLoaderTest : LoaderTest, ::testing::WithParamInterface<FileLoader::Resolve> {
  fs::path root = folder / "root";
  std::unique_ptr<FileLoader> loader;

  void SetUp() override {
    fs::create_directories(root / "sub" / "deep");
    write(root / "a.txt", "alpha");
    write(root / "sub" / "b.txt", "beta");
    write(folder / "secret", "outside");
    loader = open(1'000);
  }
  static void write(const fs::path& path, std::string_view content) {
    std::ofstream(path, std::ios::binary) << content;
  }
  std::unique_ptr<FileLoader> open(size_t most) { return *FileLoader::open(root.string(), most, pool, GetParam()); }
  std::string get(std::string key) { return ask(*loader, std::move(key)); }
};

TEST_P(FileLoaderTest, gives_files_below_its_directory) {
  EXPECT_EQ(get("a.txt"), "alpha");
  EXPECT_EQ(get("sub/b.txt"), "beta");
  EXPECT_EQ(get("./sub//b.txt"), "beta");
  write(root / "empty", "");
  EXPECT_EQ(get("empty"), "");
  const std::string bytes("\0\xff\r\n", 4);
  write(root / "sch\xc3\xb6n \n?", bytes);
  EXPECT_EQ(get("sch\xc3\xb6n \n?"), bytes);
}

TEST_P(FileLoaderTest, what_is_not_there_is_not_found) {
  EXPECT_EQ(get("missing"), "NOT_FOUND");
  EXPECT_EQ(get("missing/b.txt"), "NOT_FOUND");
  EXPECT_EQ(get("a.txt/b.txt"), "NOT_FOUND") << "a file is no directory";
  EXPECT_EQ(get("a.txt/"), "NOT_FOUND");
}

TEST_P(FileLoaderTest, leaving_the_directory_by_dots_is_not_found) {
  EXPECT_EQ(get("../secret"), "NOT_FOUND");
  EXPECT_EQ(get("sub/../../secret"), "NOT_FOUND");
  EXPECT_EQ(get("sub/deep/../../../secret"), "NOT_FOUND");
  EXPECT_EQ(get(".."), "NOT_FOUND");
  EXPECT_EQ(get("../root/a.txt"), "NOT_FOUND") << "out and in again is out";
  EXPECT_EQ(get("/etc/passwd"), "NOT_FOUND");
  EXPECT_EQ(get((folder / "secret").string()), "NOT_FOUND");
}

TEST_P(FileLoaderTest, leaving_the_directory_by_a_link_is_not_found) {
  fs::create_symlink("../secret", root / "relative");
  fs::create_symlink(folder / "secret", root / "absolute");
  fs::create_directory_symlink(folder, root / "up");
  fs::create_directory_symlink("/proc/self", root / "proc");
  EXPECT_EQ(get("relative"), "NOT_FOUND");
  EXPECT_EQ(get("absolute"), "NOT_FOUND");
  EXPECT_EQ(get("up/secret"), "NOT_FOUND");
  EXPECT_EQ(get("proc/environ"), "NOT_FOUND");
}

TEST_P(FileLoaderTest, loops_of_links_end) {
  fs::create_symlink("two", root / "one");
  fs::create_symlink("one", root / "two");
  EXPECT_EQ(get("one"), "NOT_FOUND");
}

TEST_P(FileLoaderTest, directories_and_special_files_are_not_found) {
  ASSERT_EQ(::mkfifo((root / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(get("pipe"), "NOT_FOUND") << "and nobody waits for a writer";
  EXPECT_EQ(get("sub"), "NOT_FOUND");
  EXPECT_EQ(get("sub/"), "NOT_FOUND");
  EXPECT_EQ(get("."), "NOT_FOUND");
}

TEST_P(FileLoaderTest, names_that_no_file_can_have_are_not_found) {
  EXPECT_EQ(get(std::string("a.txt\0.png", 10)), "NOT_FOUND") << "the name doesn't end at its NUL";
  EXPECT_EQ(get(std::string(1, '\0')), "NOT_FOUND");
  EXPECT_EQ(get(std::string(300, 'x')), "NOT_FOUND");
  std::string deep;
  for (int i = 0; i < 5'000; ++i) deep += "x/";
  EXPECT_EQ(get(deep), "NOT_FOUND");
}

TEST_P(FileLoaderTest, a_file_over_the_limit_is_refused_without_reading_it) {
  write(root / "fits", std::string(1'000, 'x'));
  write(root / "big", std::string(1'001, 'x'));
  fs::resize_file(root / "big", uintmax_t{1} << 40);  // a hole
  EXPECT_EQ(get("fits").size(), 1'000u);
  EXPECT_EQ(get("big"), "RESOURCE_EXHAUSTED");
}

TEST_P(FileLoaderTest, a_directory_that_is_none_is_refused_at_the_start) {
  EXPECT_EQ(FileLoader::open((root / "missing").string(), 1, pool).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(FileLoader::open((root / "a.txt").string(), 1, pool).status().code(), StatusCode::kInvalidArgument);
}

INSTANTIATE_TEST_SUITE_P(Both, FileLoaderTest,
                         ::testing::Values(FileLoader::Resolve::kByKernel, FileLoader::Resolve::kByHand),
                         [](const auto& way) {
                           return way.param == FileLoader::Resolve::kByKernel ? "by_kernel" : "by_hand";
                         });

}  // namespace
}  // namespace gaggle::cli
