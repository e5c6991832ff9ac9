// SPDX-License-Identifier: Apache-2.0
#include "gaggle/http2/connection_testing.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "gaggle/http2/preface.h"

namespace gaggle::http2::testing {

namespace {

const char* origin_name(ResetOrigin origin) {
  switch (origin) {
    case ResetOrigin::kPeer: return "peer";
    case ResetOrigin::kProtocol: return "protocol";
    case ResetOrigin::kUnprocessed: return "unprocessed";
    case ResetOrigin::kConnection: return "connection";
  }
  return "?";
}

std::string words(const HeaderBlock& block) {
  if (block.is_truncated()) return " truncated";
  std::string text;
  for (const HeaderField& field : block.fields())
    text += " " + std::string(field.name) + "=" + std::string(field.value);
  return text;
}

}  // namespace

Script::Script(Role role, const Options& options, Behaviour how)
    : behaviour(how), options_(options), connection_(role, options_, *this, tallies_) {
  if (role == Role::kClient) transcript_.skip_preface();
  connection_.start(now_);
}

Script& Script::shake_hands(std::string_view peer_settings) {
  if (connection_.role() == Role::kServer) send(kClientPreface);
  send(peer_settings.empty() ? settings() : std::string(peer_settings));
  send(settings_ack());
  sent();
  heard();
  return *this;
}

Script& Script::send(std::string_view bytes, size_t piece) {
  while (!bytes.empty()) {
    const std::string_view part = bytes.substr(0, piece);
    bytes.remove_prefix(part.size());
    // A copy of its own size, so that a sanitizer sees every read beyond it.
    const std::vector<uint8_t> copy(part.begin(), part.end());
    connection_.receive(copy, now_);
  }
  return *this;
}

Script& Script::next_turn() {
  connection_.begin_turn();
  connection_.receive({}, now_);
  return *this;
}

Script& Script::wait(Duration time) {
  now_ += time;
  connection_.on_time(now_);
  return *this;
}

std::string Script::take_bytes(size_t piece) {
  std::string bytes;
  while (connection_.wants_write()) {
    iovec parts[16];
    const size_t count = connection_.gather(parts);
    size_t taken = 0;
    for (size_t i = 0; i < count && taken < piece; ++i) {
      const size_t part = std::min(parts[i].iov_len, piece - taken);
      bytes.append(static_cast<const char*>(parts[i].iov_base), part);
      taken += part;
    }
    connection_.written(taken);
    if (taken == 0) {
      ADD_FAILURE() << "wants_write() but gather() has nothing";
      break;
    }
  }
  return bytes;
}

Lines Script::sent(size_t piece) { return transcript_.read(take_bytes(piece)); }

Lines Script::heard() {
  flush_data();
  return std::exchange(heard_, {});
}

Stream& Script::stream(uint32_t id) {
  const auto found = streams_.find(id);
  if (found == streams_.end()) {
    ADD_FAILURE() << "no stream " << id;
    std::abort();
  }
  return *found->second;
}

void Script::release(Stream& stream) {
  streams_.erase(stream.id());
  connection_.release(stream);
}

void Script::answer(Stream& stream, bool end) {
  const HeaderOut status{.name = ":status", .value = "200", .id = HeaderName::kStatus};
  const HeaderOut trailer{.name = "grpc-status", .value = "0", .id = HeaderName::kGrpcStatus};
  EXPECT_EQ(connection_.send_headers(stream, {&status, 1}, false), SendResult::kOk);
  static_cast<void>(connection_.send_data(stream, Bytes::unowned("ok"), false));
  if (end) {
    EXPECT_EQ(connection_.send_trailers(stream, {&trailer, 1}), SendResult::kOk);
  }
}

Stream& Script::request(bool end_stream) {
  Stream* const stream = connection_.open_stream();
  if (stream == nullptr) {
    ADD_FAILURE() << "no stream can be opened";
    std::abort();
  }
  const HeaderOut fields[] = {{.name = ":method", .value = "POST", .id = HeaderName::kMethod},
                              {.name = ":scheme", .value = "http", .id = HeaderName::kScheme},
                              {.name = ":path", .value = "/a", .id = HeaderName::kPath}};
  EXPECT_EQ(connection_.send_headers(*stream, fields, end_stream), SendResult::kOk);
  streams_[stream->id()] = stream;
  return *stream;
}

void Script::note(std::string line) {
  flush_data();
  heard_.push_back(std::move(line));
}

void Script::flush_data() {
  if (data_stream_ == 0) return;
  heard_.push_back("data " + std::to_string(data_stream_) + " " + std::to_string(data_.size()));
  data_stream_ = 0;
  data_.clear();
}

void Script::on_headers(Stream& stream, HeaderBlockRef headers, bool end_stream) {
  note("headers " + std::to_string(stream.id()) + words(*headers) + (end_stream ? " end" : ""));
  streams_[stream.id()] = &stream;
  if (end_stream) ended(stream);
}

void Script::on_trailers(Stream& stream, HeaderBlockRef trailers) {
  note("trailers " + std::to_string(stream.id()) + words(*trailers));
  ended(stream);
}

void Script::on_data(Stream& stream, std::span<const uint8_t> content, bool end_stream) {
  if (data_stream_ != stream.id()) flush_data();
  if (!content.empty()) {
    data_stream_ = stream.id();
    data_.append(content.begin(), content.end());
  }
  if (consume_data) connection_.consume(stream, content.size());
  if (!end_stream) return;
  note("end " + std::to_string(stream.id()));
  ended(stream);
}

void Script::ended(Stream& stream) {
  if (behaviour != Behaviour::kAnswer) return;
  if (connection_.role() == Role::kServer) answer(stream);
  release(stream);
}

void Script::on_reset(Stream& stream, ErrorCode code, ResetOrigin origin) {
  note("reset " + std::to_string(stream.id()) + " " + std::string(error_code_name(code)) + " by " +
       origin_name(origin));
  if (behaviour == Behaviour::kAnswer) release(stream);
}

void Script::on_writable(Stream& stream) { note("writable " + std::to_string(stream.id())); }

void Script::on_goaway(uint32_t last_stream_id, ErrorCode code, std::string_view debug) {
  note("goaway " + std::to_string(last_stream_id) + " " + std::string(error_code_name(code)) +
       (debug.empty() ? "" : " " + std::string(debug)));
}

void Script::on_settings(const Settings& peer) { note("settings " + std::to_string(peer.initial_window_bytes)); }

void Script::on_connection_error(ErrorCode code, std::string_view reason) {
  note("failed " + std::string(error_code_name(code)) + ": " + std::string(reason));
}

std::string join(const Lines& lines) {
  std::string text;
  for (const std::string& line : lines) text += (text.empty() ? "" : "; ") + line;
  return text;
}

}  // namespace gaggle::http2::testing
