// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gaggle/base/result.h"
#include "gaggle/net/loop_group.h"
#include "gaggle/rpc/client_conn.h"
#include "gaggle_cache.pb.h"

struct sqlite3;

namespace gaggle::e2e {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif
#else
inline constexpr bool kSanitized = false;
#endif

// The time that users are promised, or more where a sanitizer makes everything slow.
constexpr Duration patience(Duration promised) { return kSanitized ? promised * 8 : promised; }

// Asks again and again until `done()`, since another process tells nobody when its state changes.
// False when `at_most` has passed.
bool eventually(const std::function<bool()>& done, Duration at_most = std::chrono::seconds{20});

// "127.0.0.1:PORT"s that were free a moment ago.
std::vector<std::string> free_addresses(size_t count);

// A folder that goes with the object.
class Folder {
 public:
  Folder();
  ~Folder();
  std::string path(std::string_view name) const { return path_ + "/" + std::string(name); }

 private:
  std::string path_;
};

// A SQLite database with a table t(k, v), and a gate before it: while it is locked, every load waits.
class OriginDatabase {
 public:
  OriginDatabase();
  ~OriginDatabase();
  // `--group` of it, named "g".
  std::string group() const;
  void put(std::string_view key, std::string_view value);
  void lock();
  void unlock();

 private:
  void run(const char* sql);
  Folder folder_;
  sqlite3* database_ = nullptr;
};

// A `gaggle serve` process. Killed and waited for with the object.
class Node {
 public:
  struct Options {
    std::string listen = "127.0.0.1:0";
    std::vector<std::string> peers;
    std::vector<std::string> groups;
    int max_descriptors = 0;             // 0: as we have them
    std::vector<std::string> more = {};  // flags
  };
  // Starts it and waits until it listens. Throws std::runtime_error when it doesn't.
  explicit Node(Options options);
  ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  const std::string& address() const { return address_; }  // with the real port
  uint16_t port() const;
  void signal(int number) const;
  // Its exit code, or minus the signal that ended it.
  int wait();
  // SIGKILL, and waits.
  void kill();

  size_t resident_bytes() const;
  size_t descriptors() const;
  std::chrono::milliseconds processor_time() const;

 private:
  pid_t pid_ = -1;
  int output_ = -1;
  std::string address_;
};

// Asks nodes by gRPC: some connections per node for values, in turn (with four, a thousand calls can
// wait at once), and one for stats, which must not wait behind them. Each opens when it's first used.
class Client {
 public:
  explicit Client(const std::vector<std::string>& addresses, size_t conns_per_node = 1);
  std::future<Result<std::string>> get(size_t node, std::string key, Duration timeout);
  std::string get_now(size_t node, std::string key, Duration timeout = std::chrono::seconds{20});  // or the status
  cache::v1::GroupStats stats(size_t node);

 private:
  LoopGroup loops_{1};
  const size_t conns_per_node_;
  std::vector<std::unique_ptr<ClientConn>> conns_;
  size_t turn_ = 0;
  std::vector<std::unique_ptr<ClientConn>> stats_conns_;
};

// A plain TCP connection to a node, for what no gRPC client would do.
class RawConnection {
 public:
  explicit RawConnection(uint16_t port);  // throws std::runtime_error
  ~RawConnection();
  RawConnection(RawConnection&& other) noexcept;
  RawConnection& operator=(RawConnection&&) = delete;
  // Sends what the node takes without waiting; gives how much that was.
  size_t send_some(std::string_view bytes);
  // Reads until `count` bytes have come or the node has closed; gives what came.
  std::string read(size_t count);

 private:
  int socket_ = -1;
};

// HTTP/2 by hand: what a client sends first, and one Get.
std::string http2_preface(uint32_t initial_window);
std::string http2_get(uint32_t stream, std::string_view group, std::string_view key);

}  // namespace gaggle::e2e
