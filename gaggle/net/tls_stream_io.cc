// SPDX-License-Identifier: Apache-2.0
//
// Bytes through a TLS connection: between OpenSSL and the stream below, and between OpenSSL and who
// reads and writes here.
#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "gaggle/net/loop.h"
#include "gaggle/net/tls_openssl.h"
#include "gaggle/net/tls_stream.h"

namespace gaggle {
namespace {

constexpr size_t kRecord = SSL3_RT_MAX_PLAIN_LENGTH;  // 16 KiB
constexpr size_t kMaxWrite = 8 * kRecord;
constexpr size_t kRecordOverhead = 64;
constexpr size_t kSmallScratch = 4096;
// Reads of the stream below in one read(): records without content are no reason to go on for ever.
constexpr int kFillsPerRead = 4;

}  // namespace

// --- OpenSSL and the stream below ---

struct TlsStream::Lower {
  static TlsStream& of(BIO* bio) { return *static_cast<TlsStream*>(BIO_get_data(bio)); }
  static int read(BIO* bio, char* data, int size) { return of(bio).bio_read(bio, data, size); }
  static int write(BIO* bio, const char* data, int size) { return of(bio).bio_write(bio, data, size); }
  static long control(BIO* bio, int command, long, void*) {
    if (command == BIO_CTRL_FLUSH) return 1;
    if (command == BIO_CTRL_EOF) return of(bio).ended_ ? 1 : 0;
    return 0;
  }
  // Constant once made; OpenSSL wants it to outlive every stream.
  static const BIO_METHOD* method() {
    using MethodPtr = std::unique_ptr<BIO_METHOD, OpenSslDelete<BIO_meth_free>>;
    static const MethodPtr method = [] {
      MethodPtr made(BIO_meth_new(BIO_TYPE_SOURCE_SINK, "gaggle stream"));
      BIO_meth_set_read(made.get(), read);
      BIO_meth_set_write(made.get(), write);
      BIO_meth_set_ctrl(made.get(), control);
      return made;
    }();
    return method.get();
  }
};

TlsStream::TlsStream(std::unique_ptr<ByteStream> lower, std::shared_ptr<const TlsContext> context, bool is_client)
    : lower_(std::move(lower)), context_(std::move(context)), ssl_(SSL_new(context_->get())), is_client_(is_client) {
  BIO* const bio = ssl_ == nullptr ? nullptr : BIO_new(Lower::method());
  if (bio == nullptr) {
    fail("out of memory");
    return;
  }
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_, bio, bio);
  SSL_set_app_data(ssl_, this);
}

int TlsStream::bio_read(BIO* bio, char* data, int size) {
  BIO_clear_retry_flags(bio);
  if (input_.empty()) {
    if (!ended_) BIO_set_retry_read(bio);
    return ended_ ? 0 : -1;
  }
  const size_t count = std::min(static_cast<size_t>(size), input_.size());
  std::memcpy(data, input_.data(), count);
  input_ = input_.subspan(count);
  return static_cast<int>(count);
}

// Takes everything: what the stream below has no room for waits in out_, which write() keeps small.
int TlsStream::bio_write(BIO* bio, const char* data, int size) {
  BIO_clear_retry_flags(bio);
  const auto length = static_cast<size_t>(size);
  size_t sent = 0;
  if (!corked_ && out_.empty()) {
    const iovec piece{const_cast<char*>(data), length};
    IoResult result = lower_->write({&piece, 1});
    if (result.kind == IoResult::Kind::kError) {
      if (failure_.is_ok()) failure_ = std::move(result.error);
      return -1;
    }
    sent = result.bytes;
  }
  out_.append(data + sent, length - sent);
  return size;
}

// --- Reading ---

bool TlsStream::has_input() const noexcept {
  if (!failure_.is_ok() || !rest_.empty()) return true;
  return SSL_pending(ssl_) != 0 || (SSL_get_shutdown(ssl_) & SSL_RECEIVED_SHUTDOWN) != 0;
}

// Makes input_, which is empty, the next bytes from below. kEof and kError are noted for OpenSSL and for later.
IoResult TlsStream::fill(std::span<uint8_t> scratch) {
  if (!rest_.empty()) std::vector<uint8_t>().swap(rest_);  // used up by now
  IoResult result = lower_->read(scratch);
  if (result.is_done()) input_ = scratch.first(result.bytes);
  if (result.kind == IoResult::Kind::kEof) ended_ = true;
  if (result.kind == IoResult::Kind::kError && failure_.is_ok()) failure_ = result.error;
  return result;
}

// OpenSSL holds back a record that has come in part; what is left here is whole records for which
// there was no room.
void TlsStream::keep_rest() {
  if (input_.empty()) {
    if (!rest_.empty()) std::vector<uint8_t>().swap(rest_);
  } else if (rest_.empty()) {
    rest_.assign(input_.begin(), input_.end());
  } else {
    rest_.erase(rest_.begin(), rest_.end() - static_cast<ptrdiff_t>(input_.size()));
  }
  input_ = {};
}

IoResult TlsStream::read(std::span<uint8_t> buffer) {
  if (!failure_.is_ok()) return IoResult::failed(failure_);
  std::array<uint8_t, kSmallScratch> small;
  const bool roomy = buffer.size() >= 2 * kSmallScratch;
  const std::span<uint8_t> out = roomy ? buffer.first(buffer.size() / 2) : buffer;
  IoResult result = read_through(roomy ? buffer.subspan(out.size()) : std::span<uint8_t>(small), out);
  keep_rest();
  flush();  // alerts and new keys
  return result;
}

IoResult TlsStream::read_through(std::span<uint8_t> scratch, std::span<uint8_t> out) {
  input_ = rest_;
  bool look = has_input();
  for (int i = 0; i < kFillsPerRead; ++i) {
    if (!std::exchange(look, false)) {
      IoResult got = fill(scratch);
      if (got.kind == IoResult::Kind::kWouldBlock || got.kind == IoResult::Kind::kError) return got;
    }
    IoResult result = decrypt(out);
    if (result.kind != IoResult::Kind::kWouldBlock) return result;
  }
  return IoResult::would_block();
}

// An end or an error behind good bytes is met again by the next read.
IoResult TlsStream::decrypt(std::span<uint8_t> out) {
  size_t produced = 0;
  ERR_clear_error();
  while (produced < out.size()) {
    size_t count = 0;
    const int result = SSL_read_ex(ssl_, out.data() + produced, out.size() - produced, &count);
    produced += count;
    heard_ |= count != 0;
    if (result == 1) continue;
    const int error = SSL_get_error(ssl_, result);
    if (error == SSL_ERROR_WANT_READ) break;
    if (error == SSL_ERROR_ZERO_RETURN) return produced != 0 ? IoResult::done(produced) : IoResult::eof();
    // OpenSSL complains to the peer: that this found nobody isn't why it failed.
    if (error == SSL_ERROR_SSL) failure_ = Status::ok();
    note_failure(error);
    return produced != 0 ? IoResult::done(produced) : IoResult::failed(failure_);
  }
  return produced != 0 ? IoResult::done(produced) : IoResult::would_block();
}

// --- Writing ---

IoResult TlsStream::write(std::span<const iovec> pieces) {
  if (!failure_.is_ok()) return IoResult::failed(failure_);
  IoResult result = write_records(pieces);
  if (result.kind != IoResult::Kind::kError) return result;
  listen_for_alert();
  return IoResult::failed(failure_);
}

IoResult TlsStream::write_records(std::span<const iovec> pieces) {
  if (!flush()) return failure_.is_ok() ? IoResult::would_block() : IoResult::failed(failure_);
  size_t total = 0;
  for (const iovec& piece : pieces) total += piece.iov_len;
  total = std::min(total, kMaxWrite);
  // One record goes straight down; more of them leave together.
  corked_ = total > kRecord;
  if (corked_) out_.reserve(total + (total / kRecord + 2) * kRecordOverhead);
  const size_t taken = encrypt(pieces);
  corked_ = false;
  flush();
  return failure_.is_ok() ? IoResult::done(taken) : IoResult::failed(failure_);
}

// A peer that refuses this end's certificate says so after the handshake (TLS 1.3), and closes: that a
// write finds nobody is what came of it, not the reason. Data that is met on the way is lost, as the
// stream is.
void TlsStream::listen_for_alert() {
  Status lost = std::exchange(failure_, Status::ok());
  std::array<uint8_t, kSmallScratch> scratch;
  std::array<uint8_t, kSmallScratch> ignored;
  input_ = rest_;
  for (int i = 0; i < kFillsPerRead && failure_.is_ok(); ++i) {
    while (decrypt(ignored).is_done() && failure_.is_ok()) {
    }
    if (!failure_.is_ok() || ended_) break;
    const IoResult got = fill(scratch);
    if (got.kind == IoResult::Kind::kWouldBlock || got.kind == IoResult::Kind::kError) break;
  }
  keep_rest();
  if (!explained_) failure_ = std::move(lost);
}

// Full records where there is enough: a large piece is encrypted where it lies, small ones are put
// together first.
size_t TlsStream::encrypt(std::span<const iovec> pieces) {
  std::array<uint8_t, kRecord> together;
  size_t collected = 0;
  size_t taken = 0;
  for (const iovec& piece : pieces) {
    const auto* data = static_cast<const uint8_t*>(piece.iov_base);
    size_t left = std::min(piece.iov_len, kMaxWrite - taken);
    taken += left;
    while (left != 0) {
      const size_t part = std::min(left, kRecord - collected);
      if (part == kRecord || (part == left && collected == 0 && pieces.size() == 1)) {
        if (!encrypt_record(data, part)) return 0;
      } else {
        std::memcpy(together.data() + collected, data, part);
        collected += part;
        if (collected == kRecord && !encrypt_record(together.data(), std::exchange(collected, 0))) return 0;
      }
      data += part;
      left -= part;
    }
  }
  if (collected != 0 && !encrypt_record(together.data(), collected)) return 0;
  return taken;
}

bool TlsStream::encrypt_record(const uint8_t* data, size_t size) {
  ERR_clear_error();
  size_t written = 0;
  if (SSL_write_ex(ssl_, data, size, &written) == 1 && written == size) return true;
  fail(take_openssl_error());
  return false;
}

// True when nothing is left to be sent.
bool TlsStream::flush() noexcept {
  while (out_sent_ < out_.size()) {
    const iovec piece{out_.data() + out_sent_, out_.size() - out_sent_};
    IoResult result = lower_->write({&piece, 1});
    if (result.is_done() && result.bytes != 0) {
      out_sent_ += result.bytes;
      continue;
    }
    if (result.kind == IoResult::Kind::kError) {
      if (failure_.is_ok()) failure_ = std::move(result.error);
      break;
    }
    if (!std::exchange(flush_waits_, true)) lower_->wait_writable(lower_writable_);
    return false;
  }
  if (!out_.empty()) std::string().swap(out_);  // an assignment would keep the memory
  out_sent_ = 0;
  return failure_.is_ok();
}

// --- Waiting ---

void TlsStream::wait_readable(Waiter& waiter) {
  reader_ = &waiter;
  if (ssl_ == nullptr || has_input()) return loop().defer(input_left_);
  lower_->wait_readable(lower_readable_);
}

void TlsStream::tell_reader() {
  if (reader_ != nullptr) std::exchange(reader_, nullptr)->on_ready();
}

void TlsStream::on_lower_readable() { tell_reader(); }

void TlsStream::wait_writable(Waiter& waiter) {
  writer_ = &waiter;
  if (!std::exchange(flush_waits_, true)) lower_->wait_writable(lower_writable_);
}

void TlsStream::on_lower_writable() {
  flush_waits_ = false;
  const bool sent = flush();
  if (!sent && failure_.is_ok()) return;
  if (end_after_out_) lower_->shutdown_write();
  if (writer_ != nullptr) std::exchange(writer_, nullptr)->on_ready();
}

void TlsStream::cancel_waits() noexcept {
  reader_ = nullptr;
  writer_ = nullptr;
  input_left_.cancel();
  lower_->cancel_waits();
  flush_waits_ = false;
  // What was written still has to leave.
  if (ssl_ != nullptr && !out_.empty() && failure_.is_ok()) {
    flush_waits_ = true;
    lower_->wait_writable(lower_writable_);
  }
}

}  // namespace gaggle
