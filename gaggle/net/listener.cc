// SPDX-License-Identifier: Apache-2.0
#include "gaggle/net/listener.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <string>

#include "gaggle/net/fd_watch.h"
#include "gaggle/net/loop.h"
#include "gaggle/net/socket_address.h"
#include "gaggle/net/system_error.h"

namespace gaggle {
namespace {

// So many connections are accepted before other sockets have their turn.
constexpr int kAcceptsPerTurn = 64;
constexpr Duration kFirstPause = std::chrono::milliseconds{10};
constexpr Duration kLongestPause = std::chrono::seconds{1};
constexpr uint64_t kTriesPerWarning = 100;

bool is_exhaustion(int error) { return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM; }

Status cant_listen(const Address& address, std::string_view step, int error) {
  const auto code = error == EADDRINUSE ? StatusCode::kFailedPrecondition : StatusCode::kUnavailable;
  std::string what = "can't listen on " + address.to_string();
  if (error != EADDRINUSE) what.append(" (").append(step).append(")");
  return system_error(code, what, error);
}

// Whether a unix socket file is left over from a process that is gone.
bool is_stale(const SocketAddress& where) {
  const FileDescriptor probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  return probe && ::connect(probe.get(), where.get(), where.size) != 0 && errno == ECONNREFUSED;
}

int bind_socket(int socket, const Address& address, const SocketAddress& where) {
  if (::bind(socket, where.get(), where.size) == 0) return 0;
  const int error = errno;
  const bool is_file = address.kind == Address::Kind::kUnix && !address.path.starts_with('@');
  if (error != EADDRINUSE || !is_file || !is_stale(where)) return error;
  ::unlink(address.path.c_str());
  return ::bind(socket, where.get(), where.size) == 0 ? 0 : errno;
}

Result<FileDescriptor> open_socket(const Address& address, const ListenerOptions& options) {
  Result<SocketAddress> where = SocketAddress::of(address);
  if (!where) return where.error();
  const auto make = [&] { return ::socket(where->family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0); };
  FileDescriptor socket(make());
  if (!socket && errno == EAFNOSUPPORT && address.host.empty()) {  // a machine without IPv6
    where = SocketAddress::of(Address::tcp("0.0.0.0", address.port));
    socket.reset(make());
  }
  if (!socket) return cant_listen(address, "socket", errno);

  const int on = 1;
  const int off = 0;
  if (address.kind == Address::Kind::kTcp) {
    ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (options.reuse_port) ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
  }
  // "::" takes IPv4 too.
  if (where->family() == AF_INET6) ::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
  if (const int error = bind_socket(socket.get(), address, *where)) return cant_listen(address, "bind", error);
  if (::listen(socket.get(), options.backlog) != 0) return cant_listen(address, "listen", errno);
  return socket;
}

class SocketListener final : public Listener, private Waiter {
 public:
  SocketListener(Loop& loop, OnAccept on_accept, Log log)
      : watch_(loop), pause_over_(loop, *this), on_accept_(std::move(on_accept)), log_(log) {}
  ~SocketListener() override {
    close();
    if (destroyed_ != nullptr) *destroyed_ = true;
  }

  Status start(FileDescriptor socket, const Address& asked) {
    address_ = SocketAddress::local_of(socket.get()).to_address();
    if (asked.kind == Address::Kind::kTcp) address_.host = asked.host;
    Status opened = watch_.open(std::move(socket));
    if (opened.is_ok()) watch_.wait_readable(*this);
    return opened;
  }

  const Address& address() const noexcept override { return address_; }

  void close() noexcept override {
    if (watch_.get() < 0) return;
    pause_over_.disarm();
    watch_.close();
    if (address_.kind == Address::Kind::kUnix && !address_.path.starts_with('@')) ::unlink(address_.path.c_str());
  }

  ListenerStats stats() const noexcept override {
    return {accepted_.load(std::memory_order_relaxed), exhausted_.load(std::memory_order_relaxed),
            errors_.load(std::memory_order_relaxed)};
  }

 private:
  enum class Outcome : uint8_t { kAccepted, kFailed, kNothing, kExhausted, kDestroyed };

  void on_ready() noexcept override {
    for (int i = 0; i < kAcceptsPerTurn; ++i) {
      switch (accept_one()) {
        case Outcome::kAccepted:
        case Outcome::kFailed: break;
        case Outcome::kNothing: return watch_.wait_readable(*this);
        case Outcome::kExhausted: return pause();
        case Outcome::kDestroyed: return;
      }
      if (watch_.get() < 0) return;
    }
    watch_.wait_readable(*this);
  }

  Outcome accept_one() noexcept {
    FileDescriptor socket(::accept4(watch_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!socket) return refused(errno);
    pause_length_ = kFirstPause;
    accepted_.fetch_add(1, std::memory_order_relaxed);
    bool destroyed = false;
    destroyed_ = &destroyed;
    on_accept_(AcceptedSocket{std::move(socket)});  // may close or destroy this
    if (destroyed) return Outcome::kDestroyed;
    destroyed_ = nullptr;
    return Outcome::kAccepted;
  }

  Outcome refused(int error) noexcept {
    if (error == EAGAIN || error == EWOULDBLOCK) return Outcome::kNothing;
    if (is_exhaustion(error)) {
      const uint64_t times = exhausted_.fetch_add(1, std::memory_order_relaxed);
      // Tries go on several times a second for as long as it lasts.
      if (times % kTriesPerWarning == 0 && log_.wants(LogLevel::kWarning)) {
        log_(LogLevel::kWarning,
             system_error(StatusCode::kUnavailable, "accepting pauses on " + address_.to_string(), error).message());
      }
      return Outcome::kExhausted;
    }
    // The connection broke while it waited (ECONNABORTED and, on Linux, any pending network error).
    errors_.fetch_add(1, std::memory_order_relaxed);
    return Outcome::kFailed;
  }

  // The connection stays in the backlog, so waiting for readability would spin.
  void pause() noexcept {
    pause_over_.arm_after(pause_length_);
    pause_length_ = std::min(pause_length_ * 2, kLongestPause);
  }

  FdWatch watch_;
  TimerOf<&SocketListener::on_ready> pause_over_;
  OnAccept on_accept_;
  Log log_;
  Address address_;
  Duration pause_length_ = kFirstPause;
  bool* destroyed_ = nullptr;  // on the stack of accept_one
  std::atomic<uint64_t> accepted_{0};
  std::atomic<uint64_t> exhausted_{0};
  std::atomic<uint64_t> errors_{0};
};

}  // namespace

Result<std::unique_ptr<Listener>> Listener::open(Loop& loop, const Address& address, OnAccept on_accept,
                                                 const ListenerOptions& options) {
  Result<FileDescriptor> socket = open_socket(address, options);
  if (!socket) return socket.error();
  auto listener = std::make_unique<SocketListener>(loop, std::move(on_accept), options.log);
  Status started = listener->start(std::move(*socket), address);
  if (!started.is_ok()) return started;
  return std::unique_ptr<Listener>(std::move(listener));
}

}  // namespace gaggle
