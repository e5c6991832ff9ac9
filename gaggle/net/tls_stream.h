// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gaggle/net/byte_stream.h"
#include "gaggle/net/loop_work.h"
#include "gaggle/net/stream_security.h"
#include "gaggle/net/tls_context.h"

struct bio_method_st;
struct bio_st;
struct ssl_st;
struct ssl_session_st;
struct x509_store_ctx_st;

namespace gaggle {

// TLS over another stream: what is written here arrives there as records, and back.
//
// handshake_step() comes first, until it says kDone; tls_handshake.h does that and the waiting. Then
// it's a ByteStream like any other. The end of the peer's bytes is only an end after its close_notify;
// without it, somebody may have cut them off, and that is an error (RFC 8446 §6.1).
//
// Memory: records are read in bulk into the far half of the buffer that read() is given, and decrypted
// into the near half. Between reads and writes nothing is held but OpenSSL's state: buffers exist while
// a record has arrived in part, or while the other stream is full (at most one write() of it, 256 KiB).
//
// Loop's thread only.
class TlsStream final : public ByteStream {
 public:
  enum class Step : uint8_t {
    kDone,
    kWait,    // for the peer: wait_readable, then once more
    kFailed,  // failure() says why; an alert for the peer has been written if that was possible
  };

  // The server has to prove `server_name`, a host name or an IP address.
  static std::unique_ptr<TlsStream> client(std::unique_ptr<ByteStream> lower, std::shared_ptr<const TlsContext> context,
                                           std::string_view server_name);
  static std::unique_ptr<TlsStream> server(std::unique_ptr<ByteStream> lower,
                                           std::shared_ptr<const TlsContext> context);
  ~TlsStream() override;

  Step handshake_step();
  // Below: for waiting during the handshake.
  ByteStream& lower() noexcept { return *lower_; }
  // After kFailed, or a read or write that failed. UNAVAILABLE.
  const Status& failure() const noexcept { return failure_; }

  Loop& loop() const noexcept override { return lower_->loop(); }
  IoResult read(std::span<uint8_t> buffer) override;
  IoResult write(std::span<const iovec> pieces) override;
  void wait_readable(Waiter& waiter) override;
  void wait_writable(Waiter& waiter) override;
  void cancel_waits() noexcept override;
  // Sends close_notify.
  void shutdown_write() noexcept override;
  void close() noexcept override;
  const Address& peer_address() const noexcept override { return lower_->peer_address(); }
  const Address& local_address() const noexcept override { return lower_->local_address(); }
  // Null until the handshake is done.
  std::shared_ptr<const StreamSecurity> security() const noexcept override { return security_; }

  // --- For OpenSSL's callbacks ---

  // The reason for a failure that OpenSSL is about to have.
  static void note(ssl_st& ssl, std::string_view reason);
  static int on_verified(int ok, x509_store_ctx_st* context);
  static int on_new_session(ssl_st* ssl, ssl_session_st* session);

 private:
  TlsStream(std::unique_ptr<ByteStream> lower, std::shared_ptr<const TlsContext> context, bool is_client);

  // tls_stream.cc
  void begin_client(std::string_view server_name);
  void finish_handshake();
  void note_failure(int ssl_error);
  std::string describe_failure(int ssl_error);
  void fail(std::string_view what);

  // tls_stream_io.cc
  struct Lower;  // OpenSSL's view of lower_
  int bio_read(bio_st* bio, char* data, int size);
  int bio_write(bio_st* bio, const char* data, int size);
  bool has_input() const noexcept;
  IoResult fill(std::span<uint8_t> scratch);
  IoResult read_through(std::span<uint8_t> scratch, std::span<uint8_t> out);
  IoResult decrypt(std::span<uint8_t> out);
  void keep_rest();
  IoResult write_records(std::span<const iovec> pieces);
  void listen_for_alert();
  size_t encrypt(std::span<const iovec> pieces);
  bool encrypt_record(const uint8_t* data, size_t size);
  bool flush() noexcept;
  void tell_reader();
  void on_lower_readable();
  void on_lower_writable();

  const std::unique_ptr<ByteStream> lower_;
  const std::shared_ptr<const TlsContext> context_;
  ssl_st* ssl_ = nullptr;
  const bool is_client_;
  bool done_ = false;           // the handshake
  bool ended_ = false;          // lower_ has no more bytes
  bool heard_ = false;          // the peer has sent bytes
  bool explained_ = false;      // failure_ is the peer's reason, or the one that it usually has
  bool corked_ = false;         // records are collected in out_, to leave together
  bool flush_waits_ = false;    // for lower_ to take more of out_
  bool end_after_out_ = false;  // lower_'s direction ends once out_ is empty
  std::string server_name_;
  std::string note_;  // why OpenSSL will say that it failed
  Status failure_;
  std::shared_ptr<const StreamSecurity> security_;

  std::span<const uint8_t> input_;  // of lower_, not yet taken by OpenSSL; valid within one call
  std::vector<uint8_t> rest_;       // what of it a call has left
  std::string out_;                 // records that lower_ hasn't taken
  size_t out_sent_ = 0;

  Waiter* reader_ = nullptr;
  Waiter* writer_ = nullptr;
  WaiterOf<&TlsStream::on_lower_readable> lower_readable_{*this};
  WaiterOf<&TlsStream::on_lower_writable> lower_writable_{*this};
  HookOf<&TlsStream::tell_reader> input_left_{*this};
};

}  // namespace gaggle
