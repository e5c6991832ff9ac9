// SPDX-License-Identifier: Apache-2.0
#include "gaggle/http2/nghttp2_oracle_testing.h"

#include <nghttp2/nghttp2.h>

#include <map>
#include <memory>

#include "gaggle/http2/connection_testing.h"
#include "gaggle/http2/preface.h"

namespace gaggle::http2::testing {

namespace {

// Takes the worst of the frames that an implementation wrote.
class Judge {
 public:
  explicit Judge(size_t skipped) : skipped_(skipped) {}

  void read(std::string_view bytes) {
    bytes_ += bytes;
    const size_t skip = std::min(skipped_, bytes_.size());
    bytes_.erase(0, skip);
    skipped_ -= skip;
    while (bytes_.size() >= kFrameHeaderBytes) {
      const auto* const in = reinterpret_cast<const uint8_t*>(bytes_.data());
      const FrameHeader frame = read_frame_header(in);
      if (bytes_.size() < kFrameHeaderBytes + frame.length) break;
      judge(frame, in + kFrameHeaderBytes);
      bytes_.erase(0, kFrameHeaderBytes + frame.length);
    }
  }
  void connection_error(std::string detail) { worsen(VerdictClass::kConnectionError, std::move(detail)); }
  const Verdict& verdict() const { return verdict_; }

 private:
  void judge(const FrameHeader& frame, const uint8_t* payload) {
    if (frame.type == FrameType::kRstStream) {
      const auto code = static_cast<ErrorCode>(read_u32(payload));
      if (code == ErrorCode::kNoError || code == ErrorCode::kCancel) return;
      worsen(VerdictClass::kStreamError, "RST_STREAM " + std::string(error_code_name(code)));
    } else if (frame.type == FrameType::kGoaway) {
      const auto code = static_cast<ErrorCode>(read_u32(payload + 4));
      if (code == ErrorCode::kNoError) return;
      const std::string reason(payload + 8, payload + frame.length);
      worsen(VerdictClass::kConnectionError, "GOAWAY " + std::string(error_code_name(code)) + ": " + reason);
    }
  }
  void worsen(VerdictClass to, std::string detail) {
    if (to <= verdict_.worst) return;
    verdict_ = {to, std::move(detail)};
  }

  size_t skipped_;
  std::string bytes_;
  Verdict verdict_;
};

std::string handshake(Role role) {
  return (role == Role::kServer ? std::string(kClientPreface) : std::string()) + settings() + settings_ack();
}

// Generous where nghttp2 is, and with the windows that it has.
Options like_nghttp2() {
  Limits limits;
  limits.abuse_burst = 1'000'000;
  limits.new_requests_per_turn = 1'000'000;
  limits.header_list_soft_bytes = limits.header_list_hard_bytes = 65'536;
  limits.header_fields = 65'536;
  return {
      .limits = limits, .initial_window_bytes = kDefaultWindowBytes, .connection_window_bytes = kDefaultWindowBytes};
}

// Answers with a 200 and no content.
class PlainAnswer final : public Events {
 public:
  PlainAnswer(Role role) : connection(role, options, *this, tallies) {}
  void on_headers(Stream& stream, HeaderBlockRef, bool end_stream) override {
    if (end_stream) end(stream);
  }
  void on_trailers(Stream& stream, HeaderBlockRef) override { end(stream); }
  void on_data(Stream& stream, std::span<const uint8_t> content, bool end_stream) override {
    connection.consume(stream, content.size());
    if (end_stream) end(stream);
  }
  void on_reset(Stream& stream, ErrorCode, ResetOrigin) override { connection.release(stream); }
  void on_writable(Stream&) override {}

  void end(Stream& stream) {
    if (connection.role() == Role::kServer) {
      const HeaderOut status{.name = ":status", .value = "200", .id = HeaderName::kStatus};
      static_cast<void>(connection.send_headers(stream, {&status, 1}, true));
    }
    connection.release(stream);
  }
  void request() {
    const HeaderOut fields[] = {
        {.name = ":method", .value = "POST"}, {.name = ":scheme", .value = "http"}, {.name = ":path", .value = "/"}};
    static_cast<void>(connection.send_headers(*connection.open_stream(), fields, true));
  }
  void flush(Judge& judge) {
    while (connection.wants_write()) {
      iovec parts[16];
      size_t bytes = 0;
      const size_t count = connection.gather(parts);
      for (size_t i = 0; i < count; ++i) {
        judge.read({static_cast<const char*>(parts[i].iov_base), parts[i].iov_len});
        bytes += parts[i].iov_len;
      }
      connection.written(bytes);
    }
  }

  const Options options = like_nghttp2();
  Tallies tallies;
  Connection connection;
};

// nghttp2's side.

struct FreeSession {
  void operator()(nghttp2_session* session) const { nghttp2_session_del(session); }
};
using Session = std::unique_ptr<nghttp2_session, FreeSession>;

nghttp2_nv field(std::string_view name, std::string_view value) {
  return {reinterpret_cast<uint8_t*>(const_cast<char*>(name.data())),
          reinterpret_cast<uint8_t*>(const_cast<char*>(value.data())), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
}

int on_frame(nghttp2_session* session, const nghttp2_frame* frame, void* role) {
  if (*static_cast<Role*>(role) != Role::kServer) return 0;
  const bool message = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
  if (!message || (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0) return 0;
  const nghttp2_nv status = field(":status", "200");
  nghttp2_submit_response(session, frame->hd.stream_id, &status, 1, nullptr);
  return 0;
}

Session make_session(Role& role) {
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_session_callbacks_new(&callbacks);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
  nghttp2_option* option = nullptr;
  nghttp2_option_new(&option);
  // White space around values is for gRPC to strip: see MessageRules.
  nghttp2_option_set_no_rfc9113_leading_and_trailing_ws_validation(option, 1);
  nghttp2_session* session = nullptr;
  if (role == Role::kServer) {
    nghttp2_session_server_new2(&session, callbacks, &role, option);
  } else {
    nghttp2_session_client_new2(&session, callbacks, &role, option);
  }
  nghttp2_option_del(option);
  nghttp2_session_callbacks_del(callbacks);
  const nghttp2_settings_entry server[] = {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 128}};
  const nghttp2_settings_entry client[] = {{NGHTTP2_SETTINGS_ENABLE_PUSH, 0}};
  nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, role == Role::kServer ? server : client, 1);
  return Session(session);
}

void flush(nghttp2_session* session, Judge& judge) {
  for (;;) {
    const uint8_t* data = nullptr;
    const ssize_t bytes = nghttp2_session_mem_send(session, &data);
    if (bytes <= 0) return;
    judge.read({reinterpret_cast<const char*>(data), static_cast<size_t>(bytes)});
  }
}

void feed(nghttp2_session* session, std::string_view bytes, Judge& judge) {
  const auto* const data = reinterpret_cast<const uint8_t*>(bytes.data());
  const ssize_t used = nghttp2_session_mem_recv(session, data, bytes.size());
  flush(session, judge);
  if (used < 0) judge.connection_error(std::string("error ") + nghttp2_strerror(static_cast<int>(used)));
}

size_t preface_bytes(Role role) { return role == Role::kClient ? kClientPreface.size() : 0; }

}  // namespace

std::string to_string(const Verdict& verdict) {
  switch (verdict.worst) {
    case VerdictClass::kAccepted: return "accepted";
    case VerdictClass::kStreamError: return "stream error: " + verdict.detail;
    case VerdictClass::kConnectionError: return "connection error: " + verdict.detail;
  }
  return "?";
}

Verdict our_verdict(Role role, std::string_view bytes, int requests) {
  PlainAnswer ours(role);
  Judge judge(preface_bytes(role));
  const TimePoint now{std::chrono::hours(1)};
  const auto receive = [&](std::string_view part) {
    ours.connection.receive({reinterpret_cast<const uint8_t*>(part.data()), part.size()}, now);
    ours.flush(judge);
  };
  ours.connection.start(now);
  receive(handshake(role));
  for (int i = 0; i < requests && role == Role::kClient; ++i) ours.request();
  ours.flush(judge);
  receive(bytes);
  return judge.verdict();
}

Verdict nghttp2_verdict(Role role, std::string_view bytes, int requests) {
  const Session session = make_session(role);
  Judge judge(preface_bytes(role));
  feed(session.get(), handshake(role), judge);
  const nghttp2_nv fields[] = {field(":method", "POST"), field(":scheme", "http"), field(":path", "/")};
  for (int i = 0; i < requests && role == Role::kClient; ++i) {
    nghttp2_submit_request(session.get(), nullptr, fields, 3, nullptr, nullptr);
  }
  flush(session.get(), judge);
  feed(session.get(), bytes, judge);
  return judge.verdict();
}

}  // namespace gaggle::http2::testing
