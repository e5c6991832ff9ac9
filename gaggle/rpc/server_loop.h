// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "gaggle/base/ref.h"
#include "gaggle/base/result.h"
#include "gaggle/net/file_descriptor.h"
#include "gaggle/net/timer.h"
#include "gaggle/rpc/client_backoff.h"
#include "gaggle/rpc/large_messages.h"
#include "gaggle/rpc/message.h"
#include "gaggle/rpc/server.h"
#include "gaggle/rpc/server_connection.h"
#include "gaggle/rpc/server_handshakes.h"
#include "gaggle/rpc/server_message_pool.h"
#include "gaggle/rpc/server_reply.h"
#include "gaggle/transport/connection.h"

namespace gaggle {

class Listener;
class MessageReader;
class ServerCall;
class ServerConnection;
class ServerCore;
struct Address;
struct ServerMethod;

// A server's part on one loop: its listeners, its connections, and the pools that calls come from.
//
// Belongs to the loop's thread; what any thread may call is marked. While it has listeners or
// connections it holds a reference on the core, so both end only after them.
class ServerLoop {
 public:
  ServerLoop(ServerCore& core, Loop& loop);
  ServerLoop(const ServerLoop&) = delete;
  ServerLoop& operator=(const ServerLoop&) = delete;
  ~ServerLoop();

  ServerCore& core() noexcept { return core_; }
  Loop& loop() noexcept { return loop_; }

  // --- Connections ---

  // Null credentials: plain connections.
  Result<uint16_t> listen(const Address& address, const ServerCredentials* credentials);
  // Takes the connection over here, if the server isn't ending. The place in max_connections is taken
  // already.
  void adopt(FileDescriptor socket, const ServerCredentials* credentials);
  // What came of securing a connection that was adopted. May destroy this.
  void handshake_ended(Result<std::unique_ptr<ByteStream>> stream);
  Status serve(std::unique_ptr<ByteStream> stream);
  // A connection has ended, with all its calls: destroys it. May destroy this, too.
  void remove(ServerConnection& connection);

  // --- The end (see ServerCore) ---

  void close_listeners();
  void begin_drain(TimePoint grace_ends);
  void set_grace(TimePoint grace_ends);

  // --- What calls need ---

  ServerCall& take_call();
  void give_back(ServerCall& call) noexcept;
  // A message for a request of this size; for a response, as large as the method's latest. Sets `*memory_bytes` when it
  // has held much before.
  Message take_request(const ServerMethod& method, size_t encoded_bytes, size_t* memory_bytes);
  Message take_response(const ServerMethod& method, size_t* memory_bytes);
  // `memory_bytes`: what take has set, or 0. What a message of unknown size holds may be SIZE_MAX.
  void give_back_request(const ServerMethod& method, Message request, size_t encoded_bytes, size_t memory_bytes);
  void give_back_response(const ServerMethod& method, Message response, size_t encoded_bytes, size_t memory_bytes);
  // The owner of a large response that goes out as it lies in memory; gives it back.
  Bytes lend_response(const ServerMethod& method, Message response, size_t encoded_bytes, size_t memory_bytes);
  // A connection has been quiet: gives back what only large messages need.
  void release_idle_memory() noexcept { large_->clear(); }
  // What a call's messages are read with, and stored in until they are asked for: the loop's, so that a
  // call that waits for one has none.
  MessageReader& take_reader();
  void give_back(MessageReader& reader) noexcept;
  // For composing one header section; used up before anything else runs.
  ReplyFields& fields() noexcept { return fields_; }

  // Around `age`, ± 10 %.
  Duration jittered(Duration age) noexcept;
  // A connection has been given a small window: looks now and then if it can have a large one again.
  void watch_memory();

  // --- Counters: written here, read by any thread ---

  enum class Event : uint8_t {
    kTapped,
    kTooManyPings,
    kKeepaliveTimeout,
    kWriteTimeout,
    kMaxIdle,
    kMaxAge,
    kMaxAgeCut,
    kCount,
  };
  void count(Event event, uint64_t by = 1) noexcept { bump(events_[static_cast<size_t>(event)], by); }
  // Of a connection that has closed.
  void count(const transport::Counters& counters) noexcept;

  void count_call_started() noexcept { bump(calls_started_); }
  void count_call_ended(bool ok) noexcept { bump(ok ? calls_succeeded_ : calls_failed_); }
  // Where its connections count.
  http2::Tallies& tallies() noexcept { return tallies_; }
  void add_counters(ServerCounters& sum) const;

 private:
  static constexpr size_t kMaxSpareCalls = 1024;
  static constexpr size_t kMaxSpareReaders = 128;  // as many messages as a turn of one connection brings, as a rule

  struct MethodPools {
    MessagePool requests;
    MessagePool responses;
    bool large_response = false;  // was the latest one: so will the next be
  };

  // One writer, so no read-modify-write is needed.
  static void bump(std::atomic<uint64_t>& counter, uint64_t by = 1) noexcept {
    counter.store(counter.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
  }

  void accepted(FileDescriptor socket, const ServerCredentials* credentials);
  void drop_adopted(LogLevel level, const Status& why);
  void add(std::unique_ptr<ServerConnection> connection);
  void end_everything();
  void loop_is_going();
  void report_if_drained();
  void update_reference();
  void on_memory_timer();
  MethodPools& pools(const ServerMethod& method);

  // Notices that the loop is destroyed, or that the grace has passed.
  class GraceTimer final : public Timer {
   public:
    GraceTimer(Loop& loop, ServerLoop& owner) noexcept : Timer(loop), owner_(owner) {}
    void on_timer() noexcept override { owner_.end_everything(); }
    void on_dropped() noexcept override { owner_.loop_is_going(); }

   private:
    ServerLoop& owner_;
  };

  ServerCore& core_;
  Loop& loop_;
  Ref<ServerCore> reference_;  // while there is anything here
  bool closing_ = false;       // no new listeners and connections
  bool draining_ = false;
  bool reported_ = false;
  std::vector<ServerConnection*> connections_;
  ServerHandshakes handshakes_;
  std::vector<ServerCall*> spare_calls_;
  std::vector<std::unique_ptr<MethodPools>> pools_;  // by ServerMethod::index
  const Ref<LargeMessages> large_ = make_ref<LargeMessages>(loop_);
  std::array<MessageReader*, kMaxSpareReaders> spare_readers_{};
  size_t spare_reader_count_ = 0;
  ReplyFields fields_;
  GraceTimer grace_;
  TimerOf<&ServerLoop::on_memory_timer> memory_timer_;
  JitterSource random_;

  mutable std::mutex listeners_mutex_;  // guards listeners_: their counters are read by any thread
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::atomic<uint64_t> closed_backoffs_{0};  // of listeners that are gone

  std::atomic<uint64_t> connections_accepted_{0};
  std::atomic<uint64_t> connections_now_{0};
  std::atomic<uint64_t> calls_started_{0};
  std::atomic<uint64_t> calls_succeeded_{0};
  std::atomic<uint64_t> calls_failed_{0};
  std::array<std::atomic<uint64_t>, static_cast<size_t>(Event::kCount)> events_{};
  http2::Tallies tallies_;
};

}  // namespace gaggle
