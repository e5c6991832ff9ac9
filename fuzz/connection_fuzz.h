// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "gaggle/http2/connection.h"

// What the fuzzers of connections share: a layer above that does everything it may, when the input
// says so, and the invariants that hold whatever the peer sends.
namespace gaggle::fuzz {

inline void require(bool holds) {
  if (!holds) std::abort();
}

// The bytes of the input, one after the other; zeros behind the end.
class Input {
 public:
  Input(const uint8_t* data, size_t size) : rest_(data, size) {}
  bool empty() const { return rest_.empty(); }
  uint8_t byte() {
    if (rest_.empty()) return 0;
    const uint8_t first = rest_[0];
    rest_ = rest_.subspan(1);
    return first;
  }
  std::span<const uint8_t> take(size_t count) {
    const auto taken = rest_.first(std::min(count, rest_.size()));
    rest_ = rest_.subspan(taken.size());
    return taken;
  }
  std::span<const uint8_t> rest() const { return rest_; }

 private:
  std::span<const uint8_t> rest_;
};

class Application final : public http2::Events {
 public:
  static constexpr TimePoint kStart{std::chrono::hours(1)};

  Application(http2::Role role, const http2::Options& options)
      : options_(options), connection(role, options_, *this, tallies_) {
    connection.start(kStart);
  }
  ~Application() {
    for (http2::Stream* stream : streams()) release(*stream);
  }

  void on_headers(http2::Stream& stream, http2::HeaderBlockRef headers, bool end_stream) override {
    require(!failed_);
    require(connection.role() == http2::Role::kServer ? live_.emplace(&stream, false).second : live_.contains(&stream));
    require(headers.get() != nullptr);
    if (end_stream) end(stream);
  }
  void on_trailers(http2::Stream& stream, http2::HeaderBlockRef) override {
    require_open(stream);
    end(stream);
  }
  void on_data(http2::Stream& stream, std::span<const uint8_t> content, bool end_stream) override {
    require_open(stream);
    require(!content.empty() || end_stream);
    sum_ += content.empty() ? 0 : content.front() + content.back();
    if (eager) connection.consume(stream, content.size());
    if (end_stream) end(stream);
  }
  void on_reset(http2::Stream& stream, http2::ErrorCode, http2::ResetOrigin) override {
    require(live_.contains(&stream));
    require(stream.is_over() && stream.was_reset());
    live_[&stream] = true;
    if (eager) release(stream);
  }
  void on_writable(http2::Stream& stream) override { require(live_.contains(&stream)); }
  void on_connection_error(http2::ErrorCode, std::string_view) override { failed_ = true; }

  std::vector<http2::Stream*> streams() const {
    std::vector<http2::Stream*> all;
    for (const auto& [stream, over] : live_) all.push_back(stream);
    return all;
  }
  void release(http2::Stream& stream) {
    live_.erase(&stream);
    connection.release(stream);
  }
  void open(bool end_stream) {
    http2::Stream* const stream = connection.open_stream();
    if (stream == nullptr) return;
    live_.emplace(stream, false);
    const http2::HeaderOut fields[] = {{.name = ":method", .value = "POST"}, {.name = ":path", .value = "/"}};
    static_cast<void>(connection.send_headers(*stream, fields, end_stream));
  }
  void act(http2::Stream& stream, uint8_t what);
  // Writes up to `bytes`; what was written looks like frames.
  void write(size_t bytes) {
    iovec parts[4];
    const size_t count = connection.gather(parts);
    require(count <= 4);
    size_t offered = 0;
    for (size_t i = 0; i < count; ++i) {
      require(parts[i].iov_len > 0);
      offered += parts[i].iov_len;
    }
    require(connection.failed() || !connection.wants_write() || offered > 0);
    connection.written(std::min(bytes, offered));
  }
  void check() const {
    const http2::Options& options = connection.options();
    require(connection.failed() || connection.receive_credit() == options.connection_window());
    if (connection.role() == http2::Role::kServer) {
      require(connection.used_slots() <= options.limits.max_concurrent_streams);
      require(connection.used_slots() == live_.size());
      require(connection.queued_streams() <= options.limits.max_concurrent_streams);
      require(connection.open_streams() <= options.limits.max_concurrent_streams);
    }
  }

  const http2::Options options_;
  http2::Tallies tallies_;
  http2::Connection connection;
  bool eager = true;  // consumes and releases at once

 private:
  void require_open(const http2::Stream& stream) const {
    const auto found = live_.find(const_cast<http2::Stream*>(&stream));
    require(found != live_.end() && !found->second);
  }
  void end(http2::Stream& stream) {
    live_[&stream] = true;
    if (!eager) return;
    if (connection.role() == http2::Role::kServer) {
      act(stream, 0);
      act(stream, 1);
      act(stream, 3);
    }
    release(stream);
  }

  std::map<http2::Stream*, bool> live_;  // true: nothing more may come from the peer
  bool failed_ = false;
  unsigned sum_ = 0;  // so that content is read
};

inline void Application::act(http2::Stream& stream, uint8_t what) {
  using namespace http2;
  static const PreparedHeaders response(0, {{.name = ":status", .value = "200", .id = HeaderName::kStatus}});
  static const PreparedHeaders trailers(1, {{.name = "grpc-status", .value = "0", .id = HeaderName::kGrpcStatus}});
  switch (what % 10) {
    case 0: static_cast<void>(connection.send_headers(stream, response, {}, false)); break;
    case 1:
      if (uint8_t* const place = connection.reserve_data(stream, 20, false)) std::fill_n(place, 20, uint8_t{'x'});
      break;
    case 2: static_cast<void>(connection.send_data(stream, Bytes::take(std::string(40'000, 'y')), what >= 128)); break;
    case 3: static_cast<void>(connection.send_trailers(stream, trailers, {})); break;
    case 4: connection.reset(stream, ErrorCode::kCancel); break;
    case 5: connection.consume(stream, 1000); break;
    case 6: connection.expect(stream, size_t{what} * 10'000); break;
    case 7: connection.message_completed(stream); break;
    case 8: static_cast<void>(connection.send_data(stream, Bytes::unowned("small"), what >= 128)); break;
    default: release(stream); break;
  }
}

// Runs a connection by a script: an operation, each a byte.
//   0-99   as many bytes arrive (of what follows)
//   100-149 nine bytes and a frame's worth of the length that they say arrive
//   others  time passes, the layer above acts, bytes are written, a turn begins
inline void run_script(Application& application, Input input) {
  http2::Connection& connection = application.connection;
  TimePoint now = Application::kStart;
  while (!input.empty()) {
    const uint8_t operation = input.byte();
    if (operation < 100) {
      connection.receive(input.take(operation), now);
    } else if (operation < 150) {
      const auto rest = input.rest();
      const size_t length = rest.size() < 9 ? 0 : size_t{rest[1]} << 8 | rest[2];
      connection.receive(input.take(9 + length), now);
    } else if (operation < 180) {
      const auto streams = application.streams();
      const uint8_t what = input.byte();
      if (!streams.empty()) application.act(*streams[operation % streams.size()], what);
    } else {
      switch (operation % 8) {
        case 0: application.open(input.byte() % 2 == 0); break;
        case 1: application.write(input.byte()); break;
        case 2: application.write(SIZE_MAX); break;
        case 3:
          connection.begin_turn();
          connection.receive({}, now);
          break;
        case 4:
          now += std::chrono::milliseconds(10 * input.byte());
          connection.on_time(now);
          break;
        case 5: input.byte() % 2 == 0 ? connection.begin_drain() : connection.ping(7); break;
        case 6: application.eager = !application.eager; break;
        default: connection.release_idle_memory(); break;
      }
    }
    application.check();
  }
  // Whatever was sent: the layer above lets go, everything is written, and nothing is left.
  for (http2::Stream* stream : application.streams()) application.release(*stream);
  connection.connection_lost();
  require(connection.open_streams() == 0 && connection.queued_streams() == 0);
  application.check();
}

}  // namespace gaggle::fuzz
