// SPDX-License-Identifier: Apache-2.0
//
// Peer: the benchmark's service straight on libnghttp2, protobuf and epoll, one thread. No gRPC beyond what this
// unary method needs, so it marks what a hand-written server costs that leaves HTTP/2 to nghttp2. The other methods
// and TLS are not here.
// Everything that one readable event produces leaves in one write.

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <nghttp2/nghttp2.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include "bench.pb.h"
#include "bench/peers/loopback.h"
#include "bench/server_options.h"

namespace {

constexpr std::string_view kPath = "/benchpb.Bench/Unary";
constexpr std::size_t kPrefixBytes = 5;  // compressed flag and length, in front of every gRPC message
constexpr std::uint32_t kStreamWindow = 1 << 20;
constexpr std::uint32_t kConnectionWindow = 1 << 24;
constexpr std::size_t kMaxUnsent = 1 << 20;  // what is taken from nghttp2 before the socket has taken it

struct Stream {
  bool known_method = false;
  std::string request;   // prefix and message, as received
  std::string response;  // prefix and message, as sent
  std::size_t sent = 0;  // of it
};

struct Connection {
  int fd = -1;
  nghttp2_session* session = nullptr;
  std::string unsent;
  bool waits_for_writable = false;
};

nghttp2_nv field(std::string_view name, std::string_view value) {
  auto bytes = [](std::string_view text) { return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data())); };
  return {bytes(name), bytes(value), name.size(), value.size(),
          NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE};
}

Stream* stream_of(nghttp2_session* session, std::int32_t id) {
  return static_cast<Stream*>(nghttp2_session_get_stream_user_data(session, id));
}

ssize_t read_response(nghttp2_session* session, std::int32_t id, std::uint8_t* buffer, std::size_t length,
                      std::uint32_t* flags, nghttp2_data_source* source, void*) {
  auto& stream = *static_cast<Stream*>(source->ptr);
  const std::size_t count = std::min(length, stream.response.size() - stream.sent);
  std::memcpy(buffer, stream.response.data() + stream.sent, count);
  stream.sent += count;
  if (stream.sent == stream.response.size()) {
    *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
    const nghttp2_nv trailer = field("grpc-status", "0");
    nghttp2_submit_trailer(session, id, &trailer, 1);
  }
  return static_cast<ssize_t>(count);
}

// Runs the method on a complete request and submits headers, message and trailers.
int answer(nghttp2_session* session, std::int32_t id, Stream& stream) {
  benchpb::Request request;
  const bool parsed = stream.known_method && stream.request.size() >= kPrefixBytes && stream.request[0] == 0 &&
                      request.ParseFromArray(stream.request.data() + kPrefixBytes,
                                             static_cast<int>(stream.request.size() - kPrefixBytes));
  if (!parsed) {
    const std::array headers{field(":status", "200"), field("content-type", "application/grpc"),
                             field("grpc-status", stream.known_method ? "13" : "12")};
    return nghttp2_submit_response(session, id, headers.data(), headers.size(), nullptr);
  }
  bench::burn(request.burn_us());
  benchpb::Response response;
  response.set_payload(std::move(*request.mutable_payload()));
  const auto size = static_cast<std::uint32_t>(response.ByteSizeLong());
  stream.response.resize(kPrefixBytes + size);
  const std::uint32_t size_on_wire = __builtin_bswap32(size);
  std::memcpy(stream.response.data() + 1, &size_on_wire, sizeof size_on_wire);
  response.SerializeWithCachedSizesToArray(reinterpret_cast<std::uint8_t*>(stream.response.data()) + kPrefixBytes);
  const std::array headers{field(":status", "200"), field("content-type", "application/grpc")};
  nghttp2_data_provider provider{{.ptr = &stream}, read_response};
  return nghttp2_submit_response(session, id, headers.data(), headers.size(), &provider);
}

nghttp2_session_callbacks* make_callbacks() {
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_session_callbacks_new(&callbacks);
  nghttp2_session_callbacks_set_on_begin_headers_callback(
      callbacks, [](nghttp2_session* session, const nghttp2_frame* frame, void*) {
        if (frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
        return nghttp2_session_set_stream_user_data(session, frame->hd.stream_id, new Stream);
      });
  nghttp2_session_callbacks_set_on_header_callback(
      callbacks, [](nghttp2_session* session, const nghttp2_frame* frame, const std::uint8_t* name,
                    std::size_t name_size, const std::uint8_t* value, std::size_t value_size, std::uint8_t, void*) {
        const std::string_view path{reinterpret_cast<const char*>(value), value_size};
        if (std::string_view{reinterpret_cast<const char*>(name), name_size} == ":path" && path == kPath) {
          stream_of(session, frame->hd.stream_id)->known_method = true;
        }
        return 0;
      });
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(
      callbacks,
      [](nghttp2_session* session, std::uint8_t, std::int32_t id, const std::uint8_t* data, std::size_t size, void*) {
        if (Stream* stream = stream_of(session, id)) {
          stream->request.append(reinterpret_cast<const char*>(data), size);
        }
        return 0;
      });
  nghttp2_session_callbacks_set_on_frame_recv_callback(
      callbacks, [](nghttp2_session* session, const nghttp2_frame* frame, void*) {
        const bool may_end = frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS;
        if (!may_end || (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0) return 0;
        Stream* const stream = stream_of(session, frame->hd.stream_id);
        return stream == nullptr ? 0 : answer(session, frame->hd.stream_id, *stream);
      });
  nghttp2_session_callbacks_set_on_stream_close_callback(
      callbacks, [](nghttp2_session* session, std::int32_t id, std::uint32_t, void*) {
        delete stream_of(session, id);
        return 0;
      });
  return callbacks;
}

class Server {
 public:
  explicit Server(int port) : callbacks_(make_callbacks()) {
    port_ = bench::listen_on_loopback(listener_.fd, port);
    watch(EPOLL_CTL_ADD, listener_, EPOLLIN);
  }

  // 0 when it can't listen.
  int port() const { return port_; }

  void run() {
    std::array<epoll_event, 256> events;
    for (;;) {
      const int count = epoll_wait(epoll_, events.data(), events.size(), -1);
      for (int i = 0; i < count; ++i) {
        auto& connection = *static_cast<Connection*>(events[static_cast<std::size_t>(i)].data.ptr);
        if (&connection == &listener_) {
          accept_all();
        } else if (!read(connection) || !write(connection)) {
          close(connection.fd);
          nghttp2_session_del(connection.session);
          delete &connection;
        }
      }
    }
  }

 private:
  void watch(int operation, Connection& connection, std::uint32_t what) {
    epoll_event event{.events = what, .data = {.ptr = &connection}};
    epoll_ctl(epoll_, operation, connection.fd, &event);
  }

  void accept_all() {
    for (int fd; (fd = accept4(listener_.fd, nullptr, nullptr, SOCK_NONBLOCK)) >= 0;) {
      const int on = 1;
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      auto* connection = new Connection{.fd = fd, .session = nullptr, .unsent = {}, .waits_for_writable = false};
      nghttp2_session_server_new(&connection->session, callbacks_, nullptr);
      const std::array settings{nghttp2_settings_entry{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 1000},
                                nghttp2_settings_entry{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kStreamWindow}};
      nghttp2_submit_settings(connection->session, NGHTTP2_FLAG_NONE, settings.data(), settings.size());
      nghttp2_session_set_local_window_size(connection->session, NGHTTP2_FLAG_NONE, 0, kConnectionWindow);
      watch(EPOLL_CTL_ADD, *connection, EPOLLIN);
      write(*connection);
    }
  }

  bool read(Connection& connection) {
    const ssize_t count = recv(connection.fd, buffer_.data(), buffer_.size(), 0);
    if (count < 0) return errno == EAGAIN || errno == EINTR;
    return count > 0 &&
           nghttp2_session_mem_recv(connection.session, buffer_.data(), static_cast<std::size_t>(count)) == count;
  }

  // Sends what nghttp2 has, in one write unless it's much; what the socket doesn't take waits in `unsent` for EPOLLOUT.
  bool write(Connection& connection) {
    std::string& out = connection.unsent.empty() ? outgoing_ : connection.unsent;
    for (bool more = true; more && collect(connection, out) && !out.empty();) {
      more = out.size() >= kMaxUnsent;
      const ssize_t sent = send(connection.fd, out.data(), out.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno != EAGAIN && errno != EINTR) return false;
      out.erase(0, static_cast<std::size_t>(std::max<ssize_t>(sent, 0)));
      more = more && out.empty();
    }
    if (&out == &outgoing_ && !out.empty()) {
      connection.unsent = out;
      out.clear();
    }
    if (const bool waits = !connection.unsent.empty(); waits != connection.waits_for_writable) {
      connection.waits_for_writable = waits;
      watch(EPOLL_CTL_MOD, connection, waits ? EPOLLIN | EPOLLOUT : EPOLLIN);
    }
    return nghttp2_session_want_read(connection.session) != 0 || nghttp2_session_want_write(connection.session) != 0;
  }

  // False when the session is broken; it wants to neither read nor write then.
  static bool collect(Connection& connection, std::string& out) {
    const std::uint8_t* bytes = nullptr;
    ssize_t count = 0;
    while (out.size() < kMaxUnsent && (count = nghttp2_session_mem_send(connection.session, &bytes)) > 0) {
      out.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(count));
    }
    return count >= 0;
  }

  nghttp2_session_callbacks* callbacks_;
  int epoll_ = epoll_create1(0);
  Connection listener_{.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0),
                       .session = nullptr,
                       .unsent = {},
                       .waits_for_writable = false};
  int port_ = 0;
  std::array<std::uint8_t, 64 * 1024> buffer_;
  std::string outgoing_;  // shared by all connections, so that an idle one holds no buffer
};

}  // namespace

int main(int argc, char** argv) {
  const bench::ServerOptions options = bench::parse_server_options(argc, argv);
  Server server(options.port);
  if (server.port() == 0) return 1;
  bench::announce_port(server.port());
  server.run();
}
