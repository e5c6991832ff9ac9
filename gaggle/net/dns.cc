// SPDX-License-Identifier: Apache-2.0
#include "gaggle/net/dns.h"

#include <ares.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <utility>

#include "gaggle/net/event.h"
#include "gaggle/net/fd_watch.h"
#include "gaggle/net/loop.h"
#include "gaggle/net/timer.h"

namespace gaggle {
namespace {

constexpr int kClassIn = 1;
constexpr int kTypeTxt = 16;

Address address_of(const ares_addrinfo_node& node, uint16_t port) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const void* number = node.ai_family == AF_INET6
                           ? static_cast<const void*>(&reinterpret_cast<const sockaddr_in6*>(node.ai_addr)->sin6_addr)
                           : &reinterpret_cast<const sockaddr_in*>(node.ai_addr)->sin_addr;
  ares_inet_ntop(node.ai_family, number, text.data(), text.size());
  return Address::tcp(text.data(), port);
}

std::vector<std::string> join_texts(const ares_txt_ext* first) {
  std::vector<std::string> texts;
  for (const ares_txt_ext* part = first; part != nullptr; part = part->next) {
    if (part->record_start != 0 || texts.empty()) texts.emplace_back();
    texts.back().append(reinterpret_cast<const char*>(part->txt), part->length);
  }
  return texts;
}

// One look-up: a c-ares channel whose sockets and time are the loop's. Lies in the frame of the task
// that waits for it; destroying it ends everything.
class Lookup {
 public:
  Lookup(Loop& loop, DnsQuery query)
      : loop_(loop), query_(std::move(query)), done_(loop), timer_(loop, *this), text_timer_(loop, *this) {}
  Lookup(const Lookup&) = delete;
  Lookup& operator=(const Lookup&) = delete;
  ~Lookup() {
    ended_ = true;
    if (channel_ != nullptr) ares_destroy(channel_);
  }

  Status start();
  AsyncEvent& done() noexcept { return done_; }
  Result<DnsAnswer> take();

 private:
  // A socket of c-ares that it waits for. A duplicate is watched: c-ares closes its own.
  struct Watch {
    Watch(Lookup& lookup, int its) : owner(lookup), socket(its), watch(lookup.loop_) {}
    void on_readable() {
      waits_to_read = false;
      owner.process(socket, ARES_SOCKET_BAD);
    }
    void on_writable() {
      waits_to_write = false;
      owner.process(ARES_SOCKET_BAD, socket);
    }
    Lookup& owner;
    const int socket;
    bool wants_read = false;
    bool wants_write = false;
    bool waits_to_read = false;
    bool waits_to_write = false;
    FdWatch watch;
    WaiterOf<&Watch::on_readable> readable{*this};
    WaiterOf<&Watch::on_writable> writable{*this};
  };

  void on_socket(int socket, bool read, bool write);
  void process(int readable, int writable);
  void on_timer() { process(ARES_SOCKET_BAD, ARES_SOCKET_BAD); }
  void plan();
  void on_addresses(int status, ares_addrinfo* found);
  void on_texts(int status, const unsigned char* reply, int length);
  void on_text_timer();
  void one_done();
  void end();

  Loop& loop_;
  const DnsQuery query_;
  ares_channel channel_ = nullptr;
  std::vector<std::unique_ptr<Watch>> watches_;
  std::vector<std::unique_ptr<Watch>> closed_;  // one of them may be what called us
  DnsAnswer answer_;
  Status failure_;
  int pending_ = 0;
  bool ended_ = false;
  AsyncEvent done_;
  TimerOf<&Lookup::on_timer> timer_;
  TimerOf<&Lookup::on_text_timer> text_timer_;
};

Status Lookup::start() {
  ares_options options{};
  options.sock_state_cb_data = this;
  options.sock_state_cb = [](void* self, ares_socket_t socket, int read, int write) {
    static_cast<Lookup*>(self)->on_socket(socket, read != 0, write != 0);
  };
  int status = ares_init_options(&channel_, &options, ARES_OPT_SOCK_STATE_CB);
  if (status == ARES_SUCCESS && !query_.server.empty()) {
    status = ares_set_servers_ports_csv(channel_, query_.server.c_str());
  }
  if (status != ARES_SUCCESS) {
    return Status::unavailable("DNS can't be asked: " + std::string(ares_strerror(status)));
  }
  ares_addrinfo_hints hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  pending_ = query_.text_name.empty() ? 1 : 2;
  ares_getaddrinfo(
      channel_, query_.host.c_str(), nullptr, &hints,
      [](void* self, int result, int, ares_addrinfo* found) {
        static_cast<Lookup*>(self)->on_addresses(result, found);
      },
      this);
  if (!query_.text_name.empty()) {
    ares_query(
        channel_, query_.text_name.c_str(), kClassIn, kTypeTxt,
        [](void* self, int result, int, unsigned char* reply, int length) {
          static_cast<Lookup*>(self)->on_texts(result, reply, length);
        },
        this);
  }
  plan();
  return {};
}

Result<DnsAnswer> Lookup::take() {
  if (!failure_) return failure_;
  return std::move(answer_);
}

// --- Sockets and time ---

void Lookup::on_socket(int socket, bool read, bool write) {
  auto found = std::ranges::find(watches_, socket, [](const auto& watch) { return watch->socket; });
  if (!read && !write) {
    if (found == watches_.end()) return;
    (*found)->watch.close();
    closed_.push_back(std::move(*found));
    watches_.erase(found);
    return;
  }
  if (found == watches_.end()) {
    auto watch = std::make_unique<Watch>(*this, socket);
    // Where that fails the time for an answer runs out, and that is how it ends.
    static_cast<void>(watch->watch.open(FileDescriptor(::dup(socket))));
    found = watches_.insert(watches_.end(), std::move(watch));
  }
  (*found)->wants_read = read;
  (*found)->wants_write = write;
}

void Lookup::process(int readable, int writable) {
  ares_process_fd(channel_, readable, writable);
  plan();
}

void Lookup::plan() {
  if (pending_ == 0) return timer_.disarm();
  for (const auto& watch : watches_) {
    if (watch->watch.get() < 0) continue;
    if (watch->wants_read && !std::exchange(watch->waits_to_read, true)) watch->watch.wait_readable(watch->readable);
    if (watch->wants_write && !std::exchange(watch->waits_to_write, true)) watch->watch.wait_writable(watch->writable);
  }
  timeval left{};
  if (ares_timeout(channel_, nullptr, &left) == nullptr) return timer_.disarm();
  const Duration wait = std::chrono::seconds{left.tv_sec} + std::chrono::microseconds{left.tv_usec};
  timer_.arm_after(std::max<Duration>(wait, std::chrono::milliseconds{1}));
}

// --- Answers ---

void Lookup::on_addresses(int status, ares_addrinfo* found) {
  if (ended_) return;
  const std::unique_ptr<ares_addrinfo, decltype(&ares_freeaddrinfo)> owned(found, ares_freeaddrinfo);
  if (status != ARES_SUCCESS) {
    failure_ = Status::unavailable("DNS look-up of " + query_.host + " failed: " + ares_strerror(status));
    return end();
  }
  for (const ares_addrinfo_node* node = found->nodes; node != nullptr; node = node->ai_next) {
    if (node->ai_family == AF_INET || node->ai_family == AF_INET6) {
      answer_.addresses.push_back(address_of(*node, query_.port));
    }
  }
  if (answer_.addresses.empty()) failure_ = Status::unavailable("DNS knows no address of " + query_.host);
  if (!failure_) return end();
  one_done();
  if (pending_ != 0) text_timer_.arm_after(query_.text_patience);
}

void Lookup::on_texts(int status, const unsigned char* reply, int length) {
  if (ended_) return;
  ares_txt_ext* records = nullptr;
  if (status == ARES_SUCCESS) status = ares_parse_txt_reply_ext(reply, length, &records);
  if (status == ARES_SUCCESS) {
    answer_.texts = join_texts(records);
    ares_free_data(records);
  } else if (status != ARES_ENODATA && status != ARES_ENOTFOUND) {
    answer_.texts = Status::unavailable("DNS look-up of the TXT records of " + query_.text_name +
                                        " failed: " + ares_strerror(status));
  }
  one_done();
}

void Lookup::on_text_timer() {
  answer_.texts = Status::unavailable("DNS look-up of the TXT records of " + query_.text_name + " failed: no answer");
  end();
}

void Lookup::one_done() {
  if (--pending_ == 0) end();
}

// What is still being asked doesn't matter.
void Lookup::end() {
  ended_ = true;
  pending_ = 0;
  timer_.disarm();
  text_timer_.disarm();
  done_.set();
}

}  // namespace

Task<Result<DnsAnswer>> ask_dns(Loop& loop, DnsQuery query) {
  Lookup lookup(loop, std::move(query));
  Status started = lookup.start();
  if (!started) co_return started;
  Status ended = co_await lookup.done().wait();
  if (!ended) co_return ended;
  Result<DnsAnswer> answer = lookup.take();
  co_return answer;
}

}  // namespace gaggle
