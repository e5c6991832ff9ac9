// SPDX-License-Identifier: Apache-2.0
// How bytes are cut into reads changes nothing: the same input whole, byte by byte and in pieces of
// a size that it says itself is told to the layer above, and answered, alike.
//
// Input: one byte, the size of the pieces; then what a client sends behind the preface's text.
#include <algorithm>
#include <cstdlib>
#include <string>

#include "gaggle/http2/connection.h"
#include "gaggle/http2/preface.h"

namespace {

using namespace gaggle;
using namespace gaggle::http2;

// Notes all it's told, and answers nothing.
class Recorder final : public Events {
 public:
  Recorder() : connection(Role::kServer, chosen_options, *this, tallies) {}
  ~Recorder() { connection.connection_lost(); }

  void on_headers(Stream& stream, HeaderBlockRef headers, bool end_stream) override {
    note('h', stream.id(), end_stream);
    for (const HeaderField& field : headers->fields()) text.append(field.name).append("=").append(field.value);
  }
  void on_trailers(Stream& stream, HeaderBlockRef) override { note('t', stream.id(), true); }
  void on_data(Stream& stream, std::span<const uint8_t> content, bool end_stream) override {
    // Pieces of one frame are noted as one.
    if (!content.empty() && last_data_ != stream.id()) note('d', stream.id(), false);
    last_data_ = stream.id();
    text.append(content.begin(), content.end());
    connection.consume(stream, content.size());
    if (end_stream) note('e', stream.id(), true);
  }
  void on_reset(Stream& stream, ErrorCode code, ResetOrigin origin) override {
    note('r', stream.id(), origin == ResetOrigin::kPeer);
    text += std::to_string(static_cast<uint32_t>(code));
    connection.release(stream);
  }
  void on_writable(Stream&) override {}
  void on_settings(const Settings& peer) override { note('s', peer.initial_window_bytes, peer.enable_push); }
  void on_connection_error(ErrorCode code, std::string_view) override { note('!', static_cast<uint32_t>(code), true); }

  // The bytes that are sent back.
  std::string written() {
    std::string bytes;
    while (connection.wants_write()) {
      iovec parts[8];
      const size_t count = connection.gather(parts);
      size_t size = 0;
      for (size_t i = 0; i < count; ++i) {
        bytes.append(static_cast<const char*>(parts[i].iov_base), parts[i].iov_len);
        size += parts[i].iov_len;
      }
      connection.written(size);
    }
    return bytes;
  }

  std::string text;
  const Options chosen_options = options();
  Tallies tallies;
  Connection connection;

 private:
  static Options options() {
    Options chosen;
    chosen.limits.new_requests_per_turn = 1'000'000;
    return chosen;
  }
  void note(char what, uint32_t number, bool flag) {
    last_data_ = 0;
    text += what + std::to_string(number) + (flag ? "+" : "-");
  }
  uint32_t last_data_ = 0;
};

struct Outcome {
  std::string heard;
  std::string answered;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

Outcome read_in_pieces(std::span<const uint8_t> input, size_t piece) {
  Recorder recorder;
  const TimePoint now{std::chrono::hours(1)};
  recorder.connection.start(now);
  recorder.connection.receive({reinterpret_cast<const uint8_t*>(kClientPreface.data()), kClientPreface.size()}, now);
  while (!input.empty()) {
    const auto part = input.first(std::min(piece, input.size()));
    input = input.subspan(part.size());
    recorder.connection.receive(part, now);
  }
  return {recorder.text, recorder.written()};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::span<const uint8_t> input(data + 1, size - 1);
  const Outcome whole = read_in_pieces(input, SIZE_MAX);
  if (whole != read_in_pieces(input, 1)) std::abort();
  if (whole != read_in_pieces(input, size_t{data[0]} + 2)) std::abort();
  return 0;
}
