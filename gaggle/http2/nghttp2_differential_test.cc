// SPDX-License-Identifier: Apache-2.0
//
// Traffic of both directions, valid and then damaged at random, judged by us and by nghttp2: the
// verdicts are of the same class, or differ in a way that is in the table.
//
// GAGGLE_DIFFERENTIAL_RUNS sets how many strings of bytes are tried, GAGGLE_DIFFERENTIAL_SEED the
// first of them; a failure prints the seed that makes it again.
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <random>
#include <string>

#include "gaggle/http2/connection_testing.h"
#include "gaggle/http2/nghttp2_oracle_testing.h"

namespace gaggle::http2::testing {
namespace {

constexpr int kRequests = 3;  // of a client

uint64_t from_environment(const char* name, uint64_t otherwise) {
  const char* const text = std::getenv(name);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

class Traffic {
 public:
  Traffic(Role role, uint64_t seed) : role_(role), random_(seed) {}

  std::string valid() {
    std::string bytes;
    for (int i = 2 + pick(8); i > 0; --i) bytes += frames_.emplace_back(piece());
    return bytes;
  }
  // Frames swapped, repeated and left out; then bytes changed, cut out, put in.
  std::string damaged() {
    valid();
    if (pick(3) == 0) std::swap(frames_[pick(frames_.size())], frames_[pick(frames_.size())]);
    if (pick(3) == 0) frames_.push_back(frames_[pick(frames_.size())]);
    if (pick(4) == 0) frames_.erase(frames_.begin() + pick(frames_.size()));
    if (pick(2) == 0) damage_header(frames_.empty() ? frames_.emplace_back(piece()) : frames_[pick(frames_.size())]);
    std::string bytes;
    for (const std::string& one : frames_) bytes += one;
    for (int i = pick(3); i > 0 && !bytes.empty(); --i) damage(bytes);
    return whole_frames(bytes);
  }

 private:
  int pick(size_t below) { return static_cast<int>(random_() % below); }
  uint32_t some_stream() { return static_cast<uint32_t>(1 + 2 * pick(kRequests)); }
  uint8_t maybe(uint8_t flag) { return pick(2) == 0 ? flag : uint8_t{0}; }

  // A frame, or what belongs together.
  std::string piece() {
    switch (pick(12)) {
      case 0: return ping(7);
      case 1: return settings({{SettingId::kInitialWindowSize, static_cast<uint32_t>(pick(70'000))}});
      case 2: return window_update(0, static_cast<uint32_t>(1 + pick(1000)));
      case 3: return window_update(opened(), static_cast<uint32_t>(1 + pick(1000)));
      case 4: return priority(some_stream(), 0);
      case 5: return rst_stream(opened(), ErrorCode::kCancel);
      case 6: return frame(0xee, 0, static_cast<uint32_t>(pick(4)), "unknown");
      case 7:
      case 8:
        return padded_data(opened(), std::string(static_cast<size_t>(pick(300)), 'p'), static_cast<uint8_t>(pick(20)),
                           maybe(kEndStream));
      default: return message();
    }
  }
  uint32_t opened() {
    return role_ == Role::kClient ? some_stream()
           : last_ == 0           ? begin_stream()
                                  : last_ - 2 * static_cast<uint32_t>(pick(last_ / 2 + 1));
  }
  uint32_t begin_stream() {
    last_ = last_ == 0 ? 1 : last_ + 2;
    frames_.push_back(headers(last_, request_fields(), kEndHeaders));
    return last_;
  }
  std::string message() {
    const uint32_t id = role_ == Role::kClient ? some_stream() : (last_ = last_ == 0 ? 1 : last_ + 2);
    Fields fields = role_ == Role::kClient ? response_fields() : request_fields();
    if (pick(3) == 0) fields.emplace_back("content-length", "5");
    if (pick(3) == 0) fields.emplace_back("te", "trailers");
    if (pick(5) == 0) fields[static_cast<size_t>(pick(fields.size()))].second += static_cast<char>(pick(128));
    const bool content = pick(3) != 0;
    const bool trailers = content && pick(3) == 0;
    std::string bytes;
    const std::string all = block(fields);
    const uint8_t end = content ? uint8_t{0} : kEndStream;
    if (pick(3) == 0) {
      const size_t cut = static_cast<size_t>(pick(all.size()));
      bytes = frame(FrameType::kHeaders, end, id, all.substr(0, cut)) + continuation(id, all.substr(cut), kEndHeaders);
    } else {
      bytes = headers(id, fields, end | kEndHeaders);
    }
    if (content) bytes += data(id, "hello", trailers ? uint8_t{0} : kEndStream);
    if (trailers) bytes += headers(id, {{"grpc-status", "0"}});
    return bytes;
  }

  // Without the incomplete frame or header block at the end, which one may judge before it's
  // complete and the other after.
  static std::string whole_frames(const std::string& bytes) {
    size_t end = 0;
    size_t kept = 0;
    bool in_block = false;
    while (bytes.size() - end >= kFrameHeaderBytes) {
      const FrameHeader header = read_frame_header(reinterpret_cast<const uint8_t*>(bytes.data()) + end);
      if (bytes.size() - end - kFrameHeaderBytes < header.length) break;
      end += kFrameHeaderBytes + header.length;
      if (header.type == FrameType::kHeaders || in_block) in_block = !header.has(kEndHeaders);
      if (!in_block) kept = end;
    }
    return bytes.substr(0, kept);
  }

  void damage_header(std::string& bytes) {
    if (bytes.size() < kFrameHeaderBytes) return;
    char& length = bytes[2];
    switch (pick(5)) {
      case 0: bytes[3] = static_cast<char>(pick(11)); break;
      case 1: bytes[4] = static_cast<char>(bytes[4] ^ (1 << pick(6))); break;
      case 2: bytes[8] = static_cast<char>(pick(9)); break;
      case 3: length = static_cast<char>(length + pick(5) - 2); break;
      default: bytes[5] = static_cast<char>(bytes[5] ^ 0x80); break;
    }
  }
  void damage(std::string& bytes) {
    const size_t at = static_cast<size_t>(pick(bytes.size()));
    switch (pick(4)) {
      case 0: bytes[at] = static_cast<char>(bytes[at] ^ (1 << pick(8))); break;
      case 1: bytes.erase(at, static_cast<size_t>(1 + pick(12))); break;
      case 2: bytes.insert(at, 1 + static_cast<size_t>(pick(4)), static_cast<char>(pick(256))); break;
      default: bytes.resize(at); break;
    }
  }

  Role role_;
  std::mt19937_64 random_;
  std::vector<std::string> frames_;
  uint32_t last_ = 0;
};

std::string hex(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    text += kDigits[static_cast<uint8_t>(byte) >> 4];
    text += kDigits[static_cast<uint8_t>(byte) & 15];
  }
  return text;
}

void compare(Role role, bool damaged) {
  const uint64_t runs = from_environment("GAGGLE_DIFFERENTIAL_RUNS", 10'000);
  const uint64_t first = from_environment("GAGGLE_DIFFERENTIAL_SEED", 1);
  std::map<std::string, int> differences;
  std::map<VerdictClass, int> verdicts;
  for (uint64_t seed = first; seed < first + runs; ++seed) {
    Traffic traffic(role, seed);
    const std::string bytes = damaged ? traffic.damaged() : traffic.valid();
    const Verdict ours = our_verdict(role, bytes, kRequests);
    const Verdict theirs = nghttp2_verdict(role, bytes, kRequests);
    ++verdicts[ours.worst];
    const std::string difference = unexpected_difference(ours, theirs);
    if (difference.empty()) continue;
    if (++differences[difference] == 1) {
      ADD_FAILURE() << difference << "\nseed " << seed << ": " << join(Transcript().read(bytes)) << "\n" << hex(bytes);
    }
  }
  for (const auto& [difference, times] : differences) std::printf("%6d  %s\n", times, difference.c_str());
  EXPECT_GT(verdicts[VerdictClass::kAccepted], 0) << "or the comparison says nothing";
  if (damaged) {
    EXPECT_GT(verdicts[VerdictClass::kStreamError], 0);
    EXPECT_GT(verdicts[VerdictClass::kConnectionError], 0);
  }
}

TEST(AgainstNghttp2, a_server_judges_mostly_valid_traffic_alike) { compare(Role::kServer, false); }
TEST(AgainstNghttp2, a_client_judges_mostly_valid_traffic_alike) { compare(Role::kClient, false); }
TEST(AgainstNghttp2, a_server_judges_damaged_traffic_alike) { compare(Role::kServer, true); }
TEST(AgainstNghttp2, a_client_judges_damaged_traffic_alike) { compare(Role::kClient, true); }

}  // namespace
}  // namespace gaggle::http2::testing
