// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/stats_testing.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "gaggle/rpc/call_options.h"

namespace gaggle {

RecordingStats::~RecordingStats() {
  EXPECT_EQ(open_calls(), 0u) << "every call ends";
  for (const Connection& connection : connections) EXPECT_TRUE(connection.ended);
}

std::string RecordingStats::of(size_t call) const {
  if (call >= calls.size()) return "no such call";
  std::string all;
  for (const std::string& line : calls[call].lines) all.append(all.empty() ? "" : ", ").append(line);
  return all;
}

size_t RecordingStats::open_calls() const {
  return static_cast<size_t>(std::ranges::count_if(calls, [](const Call& call) { return !call.ended; }));
}

// --- Connections ---

stats::Tag RecordingStats::on_connection_begin(const stats::ConnectionBegin& event) noexcept {
  return &connections.emplace_back(Connection{.peer = event.peer.address});
}

void RecordingStats::on_connection_end(stats::Tag tag, const stats::ConnectionEnd& event) noexcept {
  Connection& connection = *static_cast<Connection*>(tag);
  EXPECT_FALSE(std::exchange(connection.ended, true));
  EXPECT_FALSE(event.why.is_ok());
  connection.why = event.why.code();
  connection.calls_at_end = open_calls();
}

// --- Calls ---

stats::Tag RecordingStats::on_call_begin(const stats::CallBegin& event) noexcept {
  Call& call = calls.emplace_back(Call{.begin = event, .method = std::string(event.method)});
  std::string line = "begin";
  if (event.transparent_retry) line += " again";
  if (event.previous_attempts != 0) line += " after " + std::to_string(event.previous_attempts);
  if (event.hedge) line += " as a hedge";
  if (event.wait_for_ready) line += " waiting for ready";
  call.lines.push_back(std::move(line));
  if (event.side == stats::Side::kServer) {
    EXPECT_FALSE(static_cast<Connection*>(event.connection)->ended);
  }
  return &call;
}

RecordingStats::Call& RecordingStats::note(stats::Tag tag, std::string line) {
  Call& call = *static_cast<Call*>(tag);
  EXPECT_FALSE(call.ended) << line << " after the end of " << call.method;
  call.lines.push_back(std::move(line));
  return call;
}

void RecordingStats::on_delayed_pick(stats::Tag tag, const stats::DelayedPick& event) noexcept {
  note(tag, event.for_resolver ? "delayed pick for the resolver" : "delayed pick");
}

void RecordingStats::note_header(stats::Tag tag, std::string line, const stats::Header& header) {
  if (!header.compression.empty()) line.append(" ").append(header.compression);
  Call& call = note(tag, std::move(line));
  call.peer = header.peer.address;
  EXPECT_FALSE(static_cast<Connection*>(header.connection)->ended);
  if (header.metadata != nullptr) call.metadata += header.metadata->find("x").value_or("");
}

void RecordingStats::on_header_sent(stats::Tag tag, const stats::Header& event) noexcept {
  note_header(tag, "header sent", event);
}
void RecordingStats::on_header_received(stats::Tag tag, const stats::Header& event) noexcept {
  note_header(tag, "header received", event);
}

void RecordingStats::note_message(stats::Tag tag, std::string line, const stats::Payload& payload) {
  EXPECT_EQ(payload.compressed_bytes + 5, payload.wire_bytes);
  EXPECT_EQ(payload.compressed, payload.compressed_bytes != payload.bytes);
  line.append(" " + std::to_string(payload.bytes));
  if (payload.compressed) line.append(payload.compressed_bytes < payload.bytes ? " made smaller" : " made larger");
  note(tag, std::move(line));
}

void RecordingStats::on_message_sent(stats::Tag tag, const stats::Payload& event) noexcept {
  note_message(tag, "message sent", event);
}
void RecordingStats::on_message_received(stats::Tag tag, const stats::Payload& event) noexcept {
  note_message(tag, "message received", event);
}

void RecordingStats::on_trailer_sent(stats::Tag tag, const stats::Trailer& event) noexcept {
  note(tag, event.only ? "only a trailer sent" : "trailer sent");
}
void RecordingStats::on_trailer_received(stats::Tag tag, const stats::Trailer& event) noexcept {
  Call& call = note(tag, event.only ? "only a trailer received" : "trailer received");
  call.metadata += event.metadata->find("x").value_or("");
}

void RecordingStats::on_call_end(stats::Tag tag, const stats::CallEnd& event) noexcept {
  Call& call = note(tag, "end " + std::string(status_code_name(event.status.code())));
  EXPECT_EQ(event.began, call.begin.time);
  call.time = event.time - event.began;
  call.code = event.status.code();
  call.ended = true;
}

}  // namespace gaggle
