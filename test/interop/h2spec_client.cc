// SPDX-License-Identifier: Apache-2.0
//
// gaggle_h2spec_client http://HOST:PORT/
//
// A plain HTTP/2 client for h2specd: says GET, takes the answer, and stays until the server has closed the
// connection. Uses http2 and transport alone, to show that they stand without the gRPC layer. Ends with 0
// whatever happened: it's h2specd that judges.
#include <chrono>
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>

#include "gaggle/net/connect.h"
#include "gaggle/net/event.h"
#include "gaggle/net/loop.h"
#include "gaggle/net/spawn.h"
#include "gaggle/net/task.h"
#include "gaggle/transport/connection.h"

namespace gaggle {
namespace {

// h2specd gives a case three seconds, and gives up on all of them when one takes longer.
constexpr Duration kPatience = std::chrono::milliseconds{2500};

// One connection with one request on it.
class Session final : private transport::Handler {
 public:
  Session(std::unique_ptr<ByteStream> stream, std::string authority, const transport::Options& options)
      : authority_(std::move(authority)),
        closed_(stream->loop()),
        transport_(std::move(stream), http2::Role::kClient, options, *this, tallies_) {}
  void start() { transport_.start(); }
  AsyncEvent& closed() noexcept { return closed_; }

 private:
  void on_settings(const http2::Settings&) override { ready_ = true; }
  void on_events_done() override {
    if (!std::exchange(ready_, false) || std::exchange(asked_, true)) return;
    http2::Connection& engine = transport_.http2();
    http2::Stream* const stream = engine.open_stream();
    if (stream == nullptr) return;
    const http2::HeaderOut fields[] = {{":method", "GET", http2::HeaderName::kMethod},
                                       {":scheme", "http", http2::HeaderName::kScheme},
                                       {":path", "/", http2::HeaderName::kPath},
                                       {":authority", authority_, http2::HeaderName::kAuthority}};
    static_cast<void>(engine.send_headers(*stream, fields, true));
  }
  void on_headers(http2::Stream& stream, http2::HeaderBlockRef, bool end_stream) override {
    if (end_stream) transport_.http2().release(stream);
  }
  void on_data(http2::Stream& stream, std::span<const uint8_t> content, bool end_stream) override {
    transport_.http2().consume(stream, content.size());
    if (end_stream) transport_.http2().release(stream);
  }
  void on_trailers(http2::Stream& stream, http2::HeaderBlockRef) override { transport_.http2().release(stream); }
  void on_reset(http2::Stream& stream, http2::ErrorCode, http2::ResetOrigin) override {
    transport_.http2().release(stream);
  }
  void on_writable(http2::Stream&) override {}
  void on_closed(const Status&) override { closed_.set(); }

  const std::string authority_;
  bool ready_ = false;
  bool asked_ = false;
  AsyncEvent closed_;
  http2::Tallies tallies_;
  transport::Connection transport_;
};

Task<Status> wait(AsyncEvent& event) {
  Status waited = co_await event.wait();
  co_return waited;
}

Task<Status> talk(Loop& loop, Address address, std::string authority) {
  const Context context = Context{}.with_timeout(kPatience);
  auto connecting = connect(loop, std::move(address), context);
  Result<std::unique_ptr<ByteStream>> stream = co_await std::move(connecting);
  if (!stream) co_return stream.error();
  transport::Options options;
  options.linger = std::chrono::milliseconds{100};  // of 57 cases, most end with an error
  Session session(std::move(*stream), std::move(authority), options);
  session.start();
  auto waiting = wait(session.closed());
  Status waited = co_await in_context(context, std::move(waiting));
  co_return waited;
}

int run(std::string_view url) {
  constexpr std::string_view kScheme = "http://";
  if (!url.starts_with(kScheme)) return 2;
  url.remove_prefix(kScheme.size());
  const std::string authority(url.substr(0, url.find('/')));
  Result<Address> address = Address::parse(authority);
  if (!address) {
    std::fprintf(stderr, "gaggle_h2spec_client: %s\n", address.error().to_string().c_str());
    return 2;
  }
  Loop loop;
  Task<Status> talking = talk(loop, *std::move(address), authority);
  spawn(loop, std::move(talking), [&loop](const Status& ended) {
    if (!ended) std::fprintf(stderr, "gaggle_h2spec_client: %s\n", ended.to_string().c_str());
    loop.stop();
  });
  loop.run();
  return 0;
}

}  // namespace
}  // namespace gaggle

int main(int argc, char** argv) {
  const int code = argc == 2 ? gaggle::run(argv[1]) : 2;
  if (code == 2) std::fprintf(stderr, "usage: gaggle_h2spec_client http://HOST:PORT/\n");
  return code;
}
