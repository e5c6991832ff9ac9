// SPDX-License-Identifier: Apache-2.0
//
// The built-in compressors by themselves: what they make, and what they refuse to unfold.
#include "gaggle/rpc/compressor.h"

#include <gtest/gtest.h>

#include <memory>
#include <thread>

#include "gaggle/rpc/compressor_choice.h"
#include "gaggle/rpc/compressor_testing.h"

namespace gaggle {
namespace {

std::span<const uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

// Letters without a pattern, the same every time.
std::string noise(size_t size) {
  std::string text;
  uint32_t state = 12345;
  while (text.size() < size) {
    state = state * 1664525 + 1013904223;
    text += static_cast<char>(state >> 24);
  }
  return text;
}

class BuiltInCompressor : public testing::TestWithParam<const char*> {
 protected:
  const Compressor& compressor() const { return *registry_.find(GetParam()); }
  Status decompress(std::string_view content, size_t limit, std::string& out) const {
    return compressor().decompress(bytes_of(content), limit, out);
  }

 private:
  CompressorRegistry registry_;
};

INSTANTIATE_TEST_SUITE_P(All, BuiltInCompressor, testing::Values("gzip", "deflate", "zstd"),
                         [](const auto& test) { return std::string(test.param); });

TEST_P(BuiltInCompressor, gives_back_what_it_was_given) {
  for (const std::string& text : {std::string{}, std::string("x"), std::string(271828, '\0'), noise(100'000)}) {
    std::string packed = "kept:", plain = "kept:";
    ASSERT_TRUE(compressor().compress(bytes_of(text), packed));
    ASSERT_TRUE(packed.starts_with("kept:")) << "it appends";
    ASSERT_TRUE(decompress(packed.substr(5), text.size(), plain).is_ok());
    EXPECT_EQ(plain, "kept:" + text) << text.size();
  }
  EXPECT_LT(compressed(GetParam(), std::string(271828, '\0')).size(), 1000u) << "zeros are easy";
}

TEST_P(BuiltInCompressor, messages_leave_nothing_behind_for_the_next) {
  const std::string first = compressed(GetParam(), "one message");
  std::string again, other;
  EXPECT_TRUE(compressor().compress(bytes_of("something else"), other));
  EXPECT_TRUE(compressor().compress(bytes_of("one message"), again));
  EXPECT_EQ(again, first) << "compression.md: no context across messages";
}

TEST_P(BuiltInCompressor, a_bomb_ends_at_the_limit) {  // [145]
  const std::string bomb = compressed(GetParam(), std::string(size_t{64} << 20, 'b'));
  ASSERT_LT(bomb.size(), size_t{1} << 20);
  std::string out;
  const size_t limit = 100'000;
  const Status status = decompress(bomb, limit, out);
  EXPECT_EQ(status.code(), StatusCode::kResourceExhausted) << status.to_string();
  EXPECT_LE(out.capacity(), 4 * limit) << "memory follows the limit, not the bomb";
}

TEST_P(BuiltInCompressor, the_limit_itself_is_allowed) {
  const std::string packed = compressed(GetParam(), std::string(5000, 'x'));
  std::string out;
  EXPECT_TRUE(decompress(packed, 5000, out).is_ok());
  EXPECT_EQ(out.size(), 5000u);
  out.clear();
  EXPECT_EQ(decompress(packed, 4999, out).code(), StatusCode::kResourceExhausted);
  out.clear();
  EXPECT_TRUE(decompress(packed, SIZE_MAX, out).is_ok()) << "no limit is a limit like any other";
}

TEST_P(BuiltInCompressor, what_is_cut_off_anywhere_is_refused) {  // [146]
  const std::string packed = compressed(GetParam(), noise(300));
  for (size_t size = 0; size < packed.size(); ++size) {
    std::string out;
    EXPECT_EQ(decompress(packed.substr(0, size), 1000, out).code(), StatusCode::kInternal) << size;
  }
}

TEST_P(BuiltInCompressor, garbage_is_refused_and_the_next_message_isnt) {
  for (const std::string& bad : {noise(50), std::string(1000, '\xff'), compressed(GetParam(), "x") + "tail"}) {
    std::string out;
    EXPECT_EQ(decompress(bad, 1000, out).code(), StatusCode::kInternal);
  }
  EXPECT_EQ(decompressed(GetParam(), compressed(GetParam(), "good")), "good");
}

TEST_P(BuiltInCompressor, is_used_by_many_threads_at_once) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([this, text = noise(1000) + std::to_string(i)] {
      for (int round = 0; round < 50; ++round) {
        std::string packed, plain;
        ASSERT_TRUE(compressor().compress(bytes_of(text), packed));
        ASSERT_TRUE(decompress(packed, 2000, plain).is_ok());
        ASSERT_EQ(plain, text);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(Compressor, a_damaged_checksum_is_noticed) {  // [146]
  for (const char* name : {"gzip", "deflate"}) {
    std::string packed = compressed(name, "checked");
    packed[packed.size() - (name == std::string_view("gzip") ? 8 : 1)] ^= 1;
    std::string out;
    const CompressorRegistry registry;
    EXPECT_EQ(registry.find(name)->decompress(bytes_of(packed), 100, out).code(), StatusCode::kInternal) << name;
  }
}

TEST(Compressor, series_of_gzip_members_and_zstd_frames_are_one_message) {
  for (const char* name : {"gzip", "zstd"}) {
    EXPECT_EQ(decompressed(name, compressed(name, "one ") + compressed(name, "") + compressed(name, "two")), "one two");
  }
}

TEST(Compressor, deflate_is_the_zlib_format) {
  EXPECT_EQ(compressed("deflate", "x")[0], '\x78') << "RFC 1950: method 8, a window of 32 KiB";
  EXPECT_EQ(compressed("gzip", "x").substr(0, 3), "\x1f\x8b\x08") << "RFC 1952";
}

TEST(Compressor, a_zstd_frame_that_announces_a_huge_window_is_refused) {
  // Magic, no checksum, no content size, a window of 2 GiB; then an empty last block.
  const std::string_view frame("\x28\xb5\x2f\xfd\x00\xa8\x01\x00\x00", 9);
  const CompressorRegistry registry;
  std::string out;
  EXPECT_EQ(registry.find("zstd")->decompress(bytes_of(frame), 100, out).code(), StatusCode::kInternal);
}

class Reverse final : public Compressor {
 public:
  explicit Reverse(std::string_view name) : name_(name) {}
  std::string_view name() const noexcept override { return name_; }
  bool compress(std::span<const uint8_t> message, std::string& out) const override {
    out.append(message.rbegin(), message.rend());
    return true;
  }
  Status decompress(std::span<const uint8_t> compressed, size_t, std::string& out) const override {
    out.append(compressed.rbegin(), compressed.rend());
    return {};
  }

 private:
  std::string_view name_;
};

TEST(CompressorRegistry, is_filled_with_the_built_in_ones_and_changed_at_will) {
  CompressorRegistry registry;
  EXPECT_EQ(registry.accept_encoding(), "identity,gzip,deflate,zstd");
  EXPECT_EQ(registry.find("identity"), nullptr);
  EXPECT_EQ(registry.find(""), nullptr);
  EXPECT_EQ(registry.find("GZIP"), nullptr) << "names are case-sensitive";
  EXPECT_TRUE(registry.add(std::make_unique<Reverse>("x-reverse")));
  EXPECT_TRUE(registry.add(std::make_unique<Reverse>("gzip")));
  registry.remove("deflate");
  EXPECT_EQ(registry.accept_encoding(), "identity,gzip,zstd,x-reverse");
  std::string out;
  EXPECT_TRUE(registry.find("gzip")->compress(bytes_of("abc"), out));
  EXPECT_EQ(out, "cba") << "replaced";
}

TEST(CompressorRegistry, begins_with_none_if_asked_to) {
  CompressorRegistry registry = CompressorRegistry::none();
  EXPECT_EQ(registry.accept_encoding(), "identity");
  EXPECT_EQ(registry.find("gzip"), nullptr);
  EXPECT_TRUE(registry.add(make_zstd_compressor()));
  EXPECT_EQ(registry.accept_encoding(), "identity,zstd");
}

TEST(CompressorChoice, is_the_built_in_ones_a_users_or_nothing) {
  const CompressorRegistry own;
  std::unique_ptr<const CompressorRegistry> made;
  EXPECT_EQ(&CompressorChoice(&own).get(made), &own);
  EXPECT_EQ(made, nullptr) << "the user's stays the user's";
  EXPECT_EQ(CompressorChoice().get(made).accept_encoding(), "identity,gzip,deflate,zstd");
  EXPECT_EQ(CompressorChoice(nullptr).get(made).accept_encoding(), "identity");
}

TEST(CompressorRegistry, names_that_cant_travel_are_refused) {
  CompressorRegistry registry;
  for (const char* name : {"", "identity", "Gzip", "a b", "a,b", "a\r\n"}) {
    EXPECT_EQ(registry.add(std::make_unique<Reverse>(name)).code(), StatusCode::kInvalidArgument) << name;
  }
  EXPECT_EQ(registry.add(nullptr).code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace gaggle
